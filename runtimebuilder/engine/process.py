"""The one place that starts a process: read it line by line, and end it for certain.

The kill ladder when something interrupts: SIGINT and 5 s, SIGTERM and 3 s, SIGKILL. docker and buildx use the
first to cancel a build in the engine, so it must not be skipped.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LADDER = ((signal.SIGINT, 5.0), (signal.SIGTERM, 3.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True)
class Finished:
    """An ended process: its exit code (negative: the signal that ended it) and all it printed on both streams."""

    code: int
    output: str


def run(
    command: Sequence[str],
    *,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    timeout: float | None = None,
    tied: bool = False,
    errors: bool = True,
) -> Finished:
    """Run `command` without a shell, both streams merged, `on_line` called for each line as it comes.

    Without `errors` what it prints on standard error is thrown away. `timeout` in seconds walks the ladder and gives
    the code of the signal. `tied`: when this process is killed, that one is interrupted (on Linux). `FileNotFoundError`
    when the program is not there. An exception in here (Ctrl-C above all) ends the process first and then goes on.
    """
    # A process group of its own: Ctrl-C on the terminal reaches us alone, and we pass it on in order.
    process = subprocess.Popen(
        [*_tied(), *command] if tied else list(command),
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if errors else subprocess.DEVNULL,
        env=dict(env) if env is not None else None,
        start_new_session=True,
    )
    feeder = threading.Thread(target=_feed, args=(process, stdin), daemon=True) if stdin is not None else None
    alarm = threading.Timer(timeout, stop, args=(process,)) if timeout is not None else None
    lines: list[str] = []
    try:
        if feeder:
            feeder.start()
        if alarm:
            alarm.start()
        for raw in process.stdout or ():
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            lines.append(line)
            if on_line:
                on_line(line)
        code = process.wait()
    except BaseException:
        stop(process)
        raise
    finally:
        if alarm:
            alarm.cancel()
            alarm.join()
        if feeder:
            feeder.join(timeout=5)
        if process.stdout:
            process.stdout.close()
    return Finished(code, "\n".join(lines))


def _tied() -> list[str]:
    if not sys.platform.startswith("linux"):
        return []
    return [sys.executable, "-I", "-S", str(Path(__file__).with_name("tied.py")), str(os.getpid())]


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    pipe = process.stdin
    if pipe is None:
        return
    # BrokenPipeError: the program ended before it had read all; its exit code says why. Closing writes what is
    # buffered, so that it can meet the same.
    with contextlib.suppress(BrokenPipeError):
        pipe.write(data)
    with contextlib.suppress(BrokenPipeError):
        pipe.close()


def stop(process: subprocess.Popen[bytes]) -> None:
    """Walk the kill ladder until the process has ended."""
    for sent, patience in LADDER:
        if process.poll() is not None:
            return
        process.send_signal(sent)
        try:
            process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            continue
