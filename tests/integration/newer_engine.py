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
    begun = subprocess.run([_SCRIPT, folder], capture_output=True, text=True, check=False, timeout=180)
    assert begun.returncode == 0, begun.stderr
    try:
        yield begun.stdout.strip()
    finally:
        end(folder)


def end(folder: Path) -> None:
    """End the engine's process, and wait until it has ended."""
    pid = int((folder / "dockerd.pid").read_text())
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        # A zombie of our own script's would stay; dockerd's parent is init.
        time.sleep(0.05)
