"""What processes use at the moment, read on the engine's host, when that is this machine."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """Of several processes together. `resident`: bytes of memory; `cpu`: seconds of computing since they began."""

    processes: int
    descriptors: int
    threads: int
    resident: int
    cpu: float

    def describe(self) -> str:
        """One line for people."""
        return (
            f"{self.processes} processes, {self.descriptors} file descriptors, {self.threads} threads, "
            f"{self.resident / 1024**2:.1f} MB resident, {self.cpu:.1f} s of computing"
        )


def usage_of(pids: Iterable[int]) -> Usage | None:
    """The sum over the processes that still live; None when there is none or they cannot be looked into."""
    found = [one for one in map(_usage_of_one, pids) if one is not None]
    if not found:
        return None
    return Usage(
        processes=len(found),
        descriptors=sum(one.descriptors for one in found),
        threads=sum(one.threads for one in found),
        resident=sum(one.resident for one in found),
        cpu=sum(one.cpu for one in found),
    )


def _usage_of_one(pid: int) -> Usage | None:
    folder = Path(f"/proc/{pid}")
    try:
        # What follows the name, which is in brackets and may hold spaces: state, parent, ...
        fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        descriptors = len(list((folder / "fd").iterdir()))
    except OSError:
        return None
    user, system, threads, resident = (int(fields[index]) for index in (11, 12, 17, 21))
    return Usage(1, descriptors, threads, resident * _PAGE, (user + system) / _TICKS)
