"""A second, newer engine as a process of the tests' own; see .ci/newer-engine.sh."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "newer-engine.sh"
_PATIENCE = 20.0  # seconds for it to end


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The engine in `folder`, unpacked there when it is not yet: its address, for DOCKER_HOST."""
    address = start(folder)
    try:
        yield address
    finally:
        subprocess.run([_SCRIPT, folder, "--end"], check=True, timeout=60)


def start(folder: Path) -> str:
    """Start it when it does not run; its address."""
    begun = subprocess.run([_SCRIPT, folder], capture_output=True, text=True, check=False, timeout=180)
    assert begun.returncode == 0, begun.stderr
    return begun.stdout.strip()


def kill(folder: Path) -> None:
    """Kill the engine, so that it has no time to tidy up."""
    pid = int((folder / "dockerd.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _PATIENCE
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    (folder / "docker.sock").unlink()
