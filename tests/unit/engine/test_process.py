"""Processes: read line by line, fed, and ended for certain."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runtimebuilder.engine import process


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_both_streams_come_line_by_line_as_they_are_written() -> None:
    seen: list[tuple[str, float]] = []
    code = "import sys, time; print('one', flush=True); time.sleep(0.4); print('two', file=sys.stderr)"
    finished = process.run(python(code), on_line=lambda line: seen.append((line, time.monotonic())))
    assert [line for line, _ in seen] == ["one", "two"]
    assert seen[1][1] - seen[0][1] > 0.3
    assert finished == process.Finished(0, "one\ntwo")


def test_what_a_program_is_fed_may_be_larger_than_a_pipe() -> None:
    data = os.urandom(1_000_000)
    finished = process.run(python("import sys; print(len(sys.stdin.buffer.read()))"), stdin=data)
    assert finished.output == "1000000"


def test_a_program_that_does_not_read_its_input_is_no_error_of_ours() -> None:
    assert process.run(python("raise SystemExit(7)"), stdin=b"x" * 1_000_000).code == 7


def test_a_program_that_is_not_there_is_said_so() -> None:
    with pytest.raises(FileNotFoundError):
        process.run(["no-such-program-anywhere"])


def test_a_timeout_ends_the_process() -> None:
    started = time.monotonic()
    finished = process.run(python("import time; time.sleep(60)"), timeout=0.3)
    assert finished.code in (-signal.SIGINT, 1)  # Python may turn SIGINT into an exit code
    assert time.monotonic() - started < 5


def test_an_interrupt_ends_the_process_first(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid()));"
    code += "print('up', flush=True); time.sleep(60)"

    def interrupt(_line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process.run(python(code), on_line=interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_the_ladder_goes_up_to_sigkill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        process, "LADDER", ((signal.SIGINT, 0.2), (signal.SIGTERM, 0.2), (signal.SIGKILL, 5.0))
    )
    code = (
        "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(python(code), stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        process.stop(stubborn)
        assert stubborn.poll() == -signal.SIGKILL


def test_no_thread_is_left() -> None:
    before = set(threading.enumerate())
    process.run(python("pass"), stdin=b"x", timeout=30)
    assert set(threading.enumerate()) <= before


def test_a_tied_process_is_interrupted_when_ours_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "told"
    child = (
        "import pathlib, time\n"
        f"told = pathlib.Path({str(told)!r})\n"
        "told.write_text('begun')\n"
        "try: time.sleep(60)\n"
        "except KeyboardInterrupt: told.write_text('interrupted')\n"
    )
    ours = f"from runtimebuilder.engine import process; process.run({python(child)!r}, tied=True)"
    parent = subprocess.Popen(python(ours))
    deadline = time.monotonic() + 20
    while not (told.is_file() and told.read_text() == "begun"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    parent.kill()
    parent.wait()
    while told.read_text() != "interrupted":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_tied_process_ends_with_its_own_code() -> None:
    assert process.run(python("print('x'); raise SystemExit(7)"), tied=True) == process.Finished(7, "x")
