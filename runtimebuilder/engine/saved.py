"""Reading an image's archive as `docker save` writes it: every engine puts a manifest.json into it."""

from __future__ import annotations

import json
import tarfile
from typing import IO, Any

from runtimebuilder.engine.docker import EngineError


def member(archive: tarfile.TarFile, path: str) -> IO[bytes]:
    """The file at `path` of the archive. Raises `EngineError` (exit 4) when it is not there."""
    # 20.10 writes a layer that several images have as a link to its first place.
    try:
        found = archive.extractfile(path)
    except KeyError:
        found = None
    if found is None:
        raise EngineError(f"the engine's archive of an image lacks {path}")
    return found


def listed(archive: tarfile.TarFile) -> tuple[str, list[str]]:
    """Where the one image's configuration is, and its layers from the first to the last. Raises `EngineError`."""
    (entry,) = json.load(member(archive, "manifest.json"))
    return str(entry["Config"]), [str(path) for path in entry["Layers"]]


def configuration(archive: tarfile.TarFile) -> dict[str, Any]:
    """The image's configuration. Raises `EngineError` (exit 4)."""
    found: dict[str, Any] = json.load(member(archive, listed(archive)[0]))
    return found
