"""An image out of the engine: its configuration and its layers, as `docker save` streams them.

Two layouts exist: that of engines before 25 (`ID.json`, `ID/layer.tar`) and OCI's (`blobs/sha256/...`); both have a
manifest.json. With the containerd image store layers may be compressed already.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from runtimebuilder.engine.docker import Engine, EngineError, asking

_LARGEST_JSON = 8 << 20  # bytes; a configuration has some thousands
_EMPTY_TAR = 1024  # bytes; what is smaller, and not compressed, is a version's number
_GZIP = b"\x1f"


@dataclass(frozen=True)
class Exported:
    """What is no layer: the configuration's bytes, whose hash is the image's id on most engines."""

    config: bytes
    diff_ids: tuple[
        str, ...
    ]  # the layers, from the first to the last, by the digest of their uncompressed bytes
    platform: str


def export_image(engine: Engine, image: str, take_layer: Callable[[IO[bytes]], None]) -> Exported:
    """Stream `image` out of the engine; `take_layer` reads each layer to its end, in no stated order.

    A layer is a tar, compressed or not. Raises `EngineError` (exit 4) when the stream breaks or is not an image.
    """
    documents: dict[str, bytes] = {}
    with asking(f"for the image {image}"):
        chunks = engine.api.get_image(image, chunk_size=1 << 20)
        try:
            with tarfile.open(fileobj=cast("IO[bytes]", _Stream(chunks)), mode="r|") as archive:
                for member in archive:
                    if not member.isreg():
                        continue  # a link: to a layer that has come already
                    opened = archive.extractfile(member)
                    if opened is None:
                        continue
                    head = opened.read(1)
                    if member.size <= _LARGEST_JSON and head in (b"{", b"["):
                        data = head + opened.read()
                        if _is_json(data):
                            documents[member.name] = data
                        else:  # a tar whose first file is called so
                            take_layer(io.BytesIO(data))
                    elif member.size >= _EMPTY_TAR or head == _GZIP:
                        take_layer(cast("IO[bytes]", _Again(head, opened)))
        except tarfile.TarError as error:
            raise EngineError(
                f"the engine broke off while it gave out {image}", detail=f"  {error}"
            ) from error
    return _exported(documents, image)


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def _exported(documents: dict[str, bytes], image: str) -> Exported:
    try:
        (entry,) = json.loads(documents["manifest.json"])
        config = documents[str(entry["Config"])]
        parsed: Any = json.loads(config)
        platform = "/".join(str(parsed[key]) for key in ("os", "architecture"))
        return Exported(config, tuple(str(one) for one in parsed["rootfs"].get("diff_ids") or ()), platform)
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError(
            f"what the engine gave out for {image} is not one image", detail=f"  {error!r}"
        ) from error


class _Stream:
    """Chunks as something that can be read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._rest = b""

    def read(self, size: int) -> bytes:
        pieces = []
        while size > 0:
            if not self._rest:
                self._rest = next(self._chunks, b"")
                if not self._rest:
                    break
            pieces.append(self._rest[:size])
            self._rest = self._rest[size:]
            size -= len(pieces[-1])
        return b"".join(pieces)


class _Again:
    """A file whose first byte has been looked at."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int = -1) -> bytes:
        head, self._head = self._head, b""
        if size < 0:
            return head + self._rest.read()
        return head + self._rest.read(size - len(head))
