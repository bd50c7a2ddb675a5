"""How much memory a container took at most, read on the engine's host, when that is this machine."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


def peak_of(pid: int) -> int | None:
    """Peak memory in bytes of the control group that process `pid` is in; None when it cannot be read.

    Version 1 counts the page cache too, as version 2 does. `memory.peak` is there from Linux 5.19 on.
    """
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        folder = path.lstrip("/")
        if "memory" in controllers.split(","):
            return _number(_ROOT / "memory" / folder / "memory.max_usage_in_bytes")
        if not controllers and (_ROOT / "cgroup.controllers").exists():
            return _number(_ROOT / folder / "memory.peak")
    return None


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
