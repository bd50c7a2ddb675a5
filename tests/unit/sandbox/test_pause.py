"""The program that is made of bytes."""

from __future__ import annotations

import os
import platform
import signal
import struct
import subprocess
import time
from pathlib import Path

import pytest

from runtimebuilder.sandbox.pause import pause_program

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def test_it_sleeps_without_using_time_and_ignores_the_end_of_children(tmp_path: Path) -> None:
    file = tmp_path / "pause"
    file.write_bytes(pause_program(ARCHITECTURES[platform.machine()]))
    file.chmod(0o755)
    process = subprocess.Popen([file])
    try:
        deadline = time.monotonic() + 5
        while _field(process.pid, "State").split()[0] != "S" and time.monotonic() < deadline:
            time.sleep(0.01)
        assert process.poll() is None
        assert int(_field(process.pid, "SigIgn"), 16) & 1 << (signal.SIGCHLD - 1)
        os.kill(process.pid, signal.SIGCHLD)
        time.sleep(0.05)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("architecture", "machine"), [("amd64", 62), ("arm64", 183)])
def test_the_header_fits_the_file(architecture: str, machine: int) -> None:
    program = pause_program(architecture)
    assert program[:4] == b"\x7fELF"
    assert struct.unpack_from("<HH", program, 16) == (2, machine)
    entry, headers = struct.unpack_from("<QQ", program, 24)
    size, memory = struct.unpack_from("<QQ", program, headers + 32)
    assert size == memory == len(program)
    assert entry == 0x400000 + 120


def test_other_architectures_are_refused() -> None:
    with pytest.raises(KeyError):
        pause_program("riscv64")


def _field(pid: int, name: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(name + ":"))
