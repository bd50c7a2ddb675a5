"""A worker from the side of the run: its process, and the line to it."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from runtimebuilder.conformance.case import Case
from runtimebuilder.conformance.work import Broken, Found, Look
from runtimebuilder.errors import EnvironmentProblemError, SpecError


class WorkerProcess:
    """A worker's process and the line to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "runtimebuilder.conformance.worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr.fileno() if _has_number(sys.stderr) else subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())
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
        self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def ending(self) -> str:
        """How it ended, in words."""
        code = self._process.wait()
        return f"was killed by signal {-code}" if code < 0 else f"ended with exit status {code}"

    def close(self, *, ended: bool) -> bool:
        """Wait for its end, which is near when it said that it `ended`. Whether it removed what it made."""
        if not ended and not self.was_told_to_stop:  # a second signal would hit it while it removes things
            self._process.terminate()
        code = self._process.wait()
        self._connection.close()
        return code >= 0


def _has_number(stream: object) -> bool:
    try:
        stream.fileno()  # type: ignore[attr-defined] # that is the question
    except (AttributeError, OSError, ValueError):
        return False
    return True


def cases_in(paths: Sequence[Path]) -> tuple[Case, ...]:
    """The cases and plain tests in these folders and files, as another process finds them.

    Raises `SpecError` when a path is not there, a file cannot be imported, or two are named alike.
    """
    if not paths:
        return ()
    for path in paths:
        if not path.exists():
            raise SpecError(f"--cases {path}: there is no such file or folder")
    worker = WorkerProcess()
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
