"""How much room the engine has for images."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from runtimebuilder.engine.docker import Engine, asking


@dataclass(frozen=True)
class Room:
    """Free bytes in the folder where the engine keeps images."""

    folder: Path
    free: int


def room(engine: Engine) -> Room | None:
    """The engine's room; None when its disk cannot be seen from here (a remote engine, one in a virtual machine)."""
    if not engine.is_local:
        return None
    with asking("where it keeps images"):
        folder = Path(str(engine.api.info().get("DockerRootDir") or ""))
    if not folder.is_absolute():
        return None
    # The folder itself, which may be a disk of its own. Nobody needs the right to read it, only to reach it; where
    # it is out of reach its parent is the best guess.
    for place in (folder, folder.parent):
        with contextlib.suppress(OSError):
            return Room(folder, shutil.disk_usage(place).free)
    return None
