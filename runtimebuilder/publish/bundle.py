"""An image made ready to be sent: its layers compressed into files, and the manifest that names them.

The manifest is made here, so its digest is known before anything is sent, and there is nothing in it but one image
for one architecture: no index, no attestation.
"""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.export import Exported, export_image
from runtimebuilder.errors import SubjectFailedError
from runtimebuilder.publish.manifest import (
    LARGEST_IMAGE,
    OCI_CONFIG,
    OCI_LAYER,
    Descriptor,
    Manifest,
    image_manifest,
    sha256,
)
from runtimebuilder.publish.registry import Blob

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_LEVEL = 6  # what docker and gzip take: 9 needs twice the time for one per cent
_PIECE = 1 << 20


@dataclass(frozen=True)
class Bundle:
    """An image and its parts as files. `uncompressed` in bytes, all layers together."""

    manifest: Manifest
    blobs: tuple[Blob, ...]  # the configuration, then each layer once
    platform: str
    uncompressed: int


@dataclass(frozen=True)
class _Layer:
    blob: Blob
    uncompressed: int


def pack(engine: Engine, image: str, folder: Path) -> Bundle:
    """Export `image` and compress its layers into `folder`: the same image gives the same bytes.

    Raises `EngineError` (exit 4), and `SubjectFailedError` (1) for a layer that cannot be sent, or too much of them.
    """
    layers: dict[str, _Layer] = {}  # by the digest of their uncompressed bytes

    def take(opened: IO[bytes]) -> None:
        diff_id, layer = _compress(opened, folder)
        if diff_id in layers:
            layer.blob.file.unlink()
        else:
            layers[diff_id] = layer

    exported = export_image(engine, image, take)
    return _bundle(image, exported, layers, folder)


def _bundle(image: str, exported: Exported, layers: Mapping[str, _Layer], folder: Path) -> Bundle:
    missing = [diff_id for diff_id in exported.diff_ids if diff_id not in layers]
    if missing:
        raise SubjectFailedError(
            f"{image}: the engine gave out other layers than its configuration names",
            detail="\n".join(f"  {diff_id}" for diff_id in missing),
        )
    ordered = [layers[diff_id] for diff_id in exported.diff_ids]
    uncompressed = sum(layer.uncompressed for layer in ordered)
    if uncompressed >= LARGEST_IMAGE:
        raise SubjectFailedError(
            f"{image}: {uncompressed / 1e9:.1f} GB uncompressed; Lambda takes less than {LARGEST_IMAGE / 1e9:.0f} GB"
        )
    file = folder / "config.json"
    file.write_bytes(exported.config)
    config = Blob(Descriptor(OCI_CONFIG, sha256(exported.config), len(exported.config)), file)
    manifest = image_manifest(config.descriptor, [layer.blob.descriptor for layer in ordered])
    once = {layer.blob.descriptor.digest: layer.blob for layer in ordered}
    return Bundle(manifest, (config, *once.values()), exported.platform, uncompressed)


def _compress(opened: IO[bytes], folder: Path) -> tuple[str, _Layer]:
    """A layer's diff id, and the layer as a gzip file; one that is gzip already is taken as it is."""
    piece = opened.read(_PIECE)
    if piece.startswith(_ZSTD):
        raise SubjectFailedError(
            "a layer is compressed with zstd, which Lambda does not take",
            hint="build it with gzip (`--output type=image,compression=gzip,force-compression=true`)",
        )
    is_compressed = piece.startswith(_GZIP)
    plain, packed = hashlib.sha256(), hashlib.sha256()
    # 31: a gzip header without a name or a time, so that the same bytes come out every time.
    packer, unpacker = zlib.compressobj(_LEVEL, wbits=31), _Unpacker()
    uncompressed = size = 0
    with tempfile.NamedTemporaryFile(dir=folder, prefix="layer-", delete=False) as file:
        while piece:
            data = unpacker.unpack(piece) if is_compressed else piece
            plain.update(data)
            uncompressed += len(data)
            out = piece if is_compressed else packer.compress(piece)
            packed.update(out)
            size += file.write(out)
            piece = opened.read(_PIECE)
        if not is_compressed:
            out = packer.flush()
            packed.update(out)
            size += file.write(out)
    descriptor = Descriptor(OCI_LAYER, f"sha256:{packed.hexdigest()}", size)
    return f"sha256:{plain.hexdigest()}", _Layer(Blob(descriptor, Path(file.name)), uncompressed)


class _Unpacker:
    """gzip, which may be several streams one after the other."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    def unpack(self, piece: bytes) -> bytes:
        unpacked = []
        try:
            while piece:
                if self._stream.eof:
                    self._stream = zlib.decompressobj(wbits=31)
                unpacked.append(self._stream.decompress(piece))
                piece = self._stream.unused_data
        except zlib.error as error:
            raise SubjectFailedError(
                "a layer that the engine gave out is broken", detail=f"  {error}"
            ) from error
        return b"".join(unpacked)
