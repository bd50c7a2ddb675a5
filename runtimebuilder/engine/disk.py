"""How much room the engine has for images."""

from __future__ import annotations

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
    # Looking at the parent is enough, and what a user who is not root may do.
    try:
        return Room(folder, shutil.disk_usage(folder.parent).free) if folder.is_absolute() else None
    except OSError:
        return None
