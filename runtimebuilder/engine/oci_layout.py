"""An image of the engine as an OCI image layout in a folder: how a builder elsewhere gets a base that only we have.

https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import tempfile
from pathlib import Path
from typing import IO, Any

from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.saved import listed, member

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_PIECE = 1 << 20


def write_layout(engine: Engine, image: str, folder: Path) -> str:
    """Write `image` into `folder`, which must not be there yet; the digest of its manifest.

    Raises `EngineError` (exit 4).
    """
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    with tempfile.TemporaryFile(dir=folder) as saved:
        engine.save(image, saved)
        saved.seek(0)
        with tarfile.open(fileobj=saved) as archive:
            place, paths = listed(archive)
            config = _blob(member(archive, place), blobs, _CONFIG)
            layers = [_blob(member(archive, path), blobs, _LAYER) for path in paths]
    manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": layers}
    text = json.dumps(manifest).encode()
    digest = hashlib.sha256(text).hexdigest()
    (blobs / digest).write_bytes(text)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    index = {
        "schemaVersion": 2,
        "manifests": [{"mediaType": _MANIFEST, "digest": f"sha256:{digest}", "size": len(text)}],
    }
    (folder / "index.json").write_text(json.dumps(index))
    return f"sha256:{digest}"


def _blob(content: IO[bytes], blobs: Path, media_type: str) -> dict[str, Any]:
    total, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=blobs, delete=False) as target:
        while piece := content.read(_PIECE):
            total.update(piece)
            target.write(piece)
            size += len(piece)
    Path(target.name).rename(blobs / total.hexdigest())
    return {"mediaType": media_type, "digest": f"sha256:{total.hexdigest()}", "size": size}
