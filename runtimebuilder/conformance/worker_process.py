"""A worker from the side of the run: its process, and the line to it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

from runtimebuilder.conformance.case import Case
from runtimebuilder.conformance.work import Broken, Found, Look
from runtimebuilder.errors import EnvironmentProblemError, SpecError


class Nursery:
    """The process that makes workers, from the side of the run: a context, at whose end the last of them is killed.

    It begins to load at once and needs nobody to wait for that. In a session of its own: Ctrl-C does not reach it.
    """

    def __init__(self) -> None:
        self._made: list[WorkerProcess] = []
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "runtimebuilder.conformance.nursery", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self.pid = self._process.pid
        """The process's id."""

    def worker(self) -> WorkerProcess:
        """A new worker. `EnvironmentProblemError` when it cannot be made."""
        line, theirs = socket.socketpair()
        told, tell = os.pipe()
        try:
            socket.send_fds(self._control, [b"w"], [theirs.fileno(), tell])
        except OSError as problem:
            line.close()
            os.close(told)
            raise EnvironmentProblemError(f"no process can be made that runs cases: {problem}") from None
        finally:
            theirs.close()
            os.close(tell)
        self._made.append(WorkerProcess(Connection(line.detach()), told))
        return self._made[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        for worker in self._made:
            worker.kill()
        if not self._made:  # perhaps it still loads, for nobody
            self._process.kill()
        self._process.wait()


class WorkerProcess:
    """A worker's process and the line to it."""

    def __init__(self, connection: Connection, told: int) -> None:
        self._connection = connection
        self._told = open(told, encoding="ascii")  # noqa: SIM115 - `close` closes it
        self.pid = int(self._told.readline() or 0)
        """The process's id; 0 when the nursery was gone."""
        self._code: int | None = None
        self.was_told_to_stop = False

    def send(self, message: object) -> None:
        """Tell it; EOFError when it is not there any more."""
        try:
            self._connection.send(message)
        except OSError as problem:
            raise EOFError from problem

    def receive(self) -> object:
        """What it tells; EOFError when it is not there any more."""
        try:
            return self._connection.recv()
        except OSError as problem:
            raise EOFError from problem

    def terminate(self) -> None:
        """Tell it to stop and to remove what it made."""
        self.was_told_to_stop = True
        self._signal(signal.SIGTERM)

    def hang_up(self) -> None:
        """Close the line, as a run does that is killed: the worker stops and removes what it made."""
        self._connection.close()

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    def ending(self) -> str:
        """How it ended, in words."""
        code = self._wait()
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit status {code}"

    def close(self, *, ended: bool) -> bool:
        """Wait for its end, which is near when it said that it `ended`. Whether it removed what it made."""
        if not ended and not self.was_told_to_stop:  # a second signal would hit it while it removes things
            self._signal(signal.SIGTERM)
        code = self._wait()
        self._connection.close()
        self._told.close()
        return code >= 0

    def _wait(self) -> int:
        """The exit status, negative for a signal's number, as of one that was killed when nobody could tell."""
        if self._code is None:
            self._code = int(self._told.readline() or -signal.SIGKILL)
        return self._code

    def _signal(self, number: signal.Signals) -> None:
        """Send it, unless it has ended: its pid may be another's by then."""
        if (
            self.pid
            and self._code is None
            and not self._told.closed
            and not select.select([self._told], [], [], 0)[0]
        ):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def cases_in(paths: Sequence[Path], nursery: Nursery | None = None) -> tuple[Case, ...]:
    """The cases and plain tests in these folders and files, as another process finds them; one of `nursery`, if any.

    Raises `SpecError` when a path is not there, a file cannot be imported, or two are named alike.
    """
    if not paths:
        return ()
    for path in paths:
        if not path.exists():
            raise SpecError(f"--cases {path}: there is no such file or folder")
    with Nursery() if nursery is None else contextlib.nullcontext(nursery) as source:
        worker = source.worker()
        answer: object = None
        try:
            worker.send(Look(tuple(str(path.resolve()) for path in paths)))
            answer = worker.receive()
        except EOFError:
            raise EnvironmentProblemError(f"a process that looks for cases {worker.ending()}") from None
        finally:
            worker.close(ended=answer is not None)
    if isinstance(answer, Broken):
        raise RuntimeError(answer.problem) if isinstance(answer.problem, str) else answer.problem
    assert isinstance(answer, Found)  # noqa: S101 - the protocol
    ids = [one.id for one in answer.cases]
    for one in ids:
        if ids.count(one) > 1:
            raise SpecError(f"two tests are named {one}", hint="give one of the files another name")
    return answer.cases
