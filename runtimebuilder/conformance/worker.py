"""A process that runs cases of one image as it is told: `python -m runtimebuilder.conformance.worker FD`.

FD is one end of a socket pair. The run at the other end sends a `Task`, then an `Assignment` for each `Idle`, or
None when there is nothing more. When it goes away, killed perhaps, the worker stops and removes what it made.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection

import pytest

from runtimebuilder.conformance.case import Case, case_of
from runtimebuilder.conformance.report.result import CaseResult
from runtimebuilder.conformance.selection import Selection
from runtimebuilder.conformance.session import Listener, Setting, SuiteSession
from runtimebuilder.conformance.subject import Subject
from runtimebuilder.conformance.suite import run_suite
from runtimebuilder.conformance.work import Assignment, Broken, Ended, Finished, Idle, Started, Task
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import ExitCode, UserError
from runtimebuilder.sandbox.run import Run


class _Run(Listener):
    """The run at the other end, as pytest sees it: it gives the cases and takes the results."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._session: SuiteSession | None = None
        self._reader = threading.Thread(target=self._read, name="read-run", daemon=True)
        self._reader.start()

    def receive(self) -> object:
        """The next message."""
        return self._inbox.get()

    def send(self, message: object) -> None:
        """Tell the run; what it cannot hear any more is lost."""
        try:
            self._connection.send(message)
        except OSError:
            return

    def session(self, setting: Setting, image: str | None) -> SuiteSession:
        """The session whose cases come from the run."""
        self._session = SuiteSession(setting, self, image=image)
        return self._session

    def started(self, case: Case) -> None:
        """See `Listener`."""
        self.send(Started(case))

    def finished(self, result: CaseResult) -> None:
        """See `Listener`."""
        self.send(Finished(result))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In the place of pytest's own loop: a case at a time, until there is nothing more."""
        items = {one.id: item for item in session.items if (one := case_of(getattr(item, "function", None)))}
        while not session.shouldstop:
            self.send(Idle())
            assignment = self.receive()
            if not isinstance(assignment, Assignment):
                break
            if self._session is not None:
                self._session.environments.expect(assignment.to_come)
            item = items[assignment.case]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return True

    def _read(self) -> None:
        try:
            while True:
                self._inbox.put(self._connection.recv())
        except (EOFError, OSError):
            # The run is gone, and with it the reason to work: end as when somebody says so.
            os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Work until there is no more; the exit code is the command's."""
    run = _Run(Connection(int(sys.argv[1])))
    task = run.receive()
    assert isinstance(task, Task)  # noqa: S101 - the protocol
    try:
        with Run(Engine.connect(), task.run_id) as within:
            setting = Setting(
                subject=Subject(within, task.reference, task.facts),
                probe=task.probe,
                selection=Selection(soak=True),
                limits=task.limits,
                env=task.env,
                link=task.link,
            )
            session = run.session(setting, task.image)
            if run_suite(session, run):
                return int(ExitCode.INTERRUPTED)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except UserError as problem:
        run.send(Broken(problem))
        return int(problem.exit_code)
    except Exception as problem:  # noqa: BLE001 - the run tells it, as it tells its own
        if os.environ.get("RUNTIMEBUILDER_TRACEBACK"):
            traceback.print_exception(problem)
        run.send(Broken(f"{type(problem).__name__}: {problem}"))
        return int(ExitCode.FAILED)
    run.send(Ended(left_out=session.left_out, gave_up=session.gave_up))
    return int(ExitCode.OK)


if __name__ == "__main__":
    sys.exit(main())
