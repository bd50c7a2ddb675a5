"""An image of one layer, written as the archive that `docker load` reads: for what an import cannot say."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from runtimebuilder.render.context import FILE_TIME


def single_layer_image(root: Path, architecture: str, configuration: Mapping[str, object]) -> Path:
    """Write the archive beside `root`, the layer's tar, and return its path. The same input, the same bytes."""
    with root.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    created = datetime.fromtimestamp(FILE_TIME, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "created": created,
            "config": configuration,
            "history": [{"created": created, "created_by": "runtimebuilder: a base made here"}],
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        },
        sort_keys=True,
    ).encode()
    name, layer = f"{hashlib.sha256(config).hexdigest()}.json", f"{digest}/layer.tar"
    manifest = json.dumps([{"Config": name, "RepoTags": None, "Layers": [layer]}]).encode()
    target = root.with_suffix(".image.tar")
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for path, data in ((name, config), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        entry = tarfile.TarInfo(layer)
        entry.size = root.stat().st_size
        with root.open("rb") as content:
            archive.addfile(entry, content)
    return target
