"""A layer as the plain tar that its diff id is of, whichever way the engine's archive holds it.

An engine with containerd's image store gives a pulled layer out as the registry has it: compressed.
https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md
"""

from __future__ import annotations

import gzip
import zlib
from typing import IO

from runtimebuilder.engine.docker import EngineError

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_PIECE = 1 << 20


def write_plain(layer: IO[bytes], target: IO[bytes]) -> None:
    """Write the bytes of `layer`, which can seek, to `target`, uncompressed. Raises `EngineError` (exit 4)."""
    head = layer.read(len(_ZSTD))
    layer.seek(0)
    if head == _ZSTD:
        raise EngineError(
            "a layer of the base is compressed with zstd, which cannot be read here",
            hint="use a base whose layers are gzip, or build without --reproducible, lock and SOURCE_DATE_EPOCH",
        )
    source = gzip.GzipFile(fileobj=layer) if head.startswith(_GZIP) else layer
    try:
        while piece := source.read(_PIECE):
            target.write(piece)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise EngineError(f"the engine's archive of an image has a damaged layer: {error}") from error
