"""What a process does that runs cases of one image as it is told; the nursery makes such processes.

It has one end of a socket pair. The run at the other end sends a `Task`, then an `Assignment` for each `Idle`, or
None when there is nothing more. When it goes away, killed perhaps, the worker stops and removes what it made.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import traceback
from multiprocessing.connection import Connection

import pytest

from runtimebuilder.conformance.case import Case, builtin_cases
from runtimebuilder.conformance.report.result import CaseResult
from runtimebuilder.conformance.selection import Selection
from runtimebuilder.conformance.session import Listener, Setting, SuiteSession, case_of_item, case_of_test
from runtimebuilder.conformance.subject import Subject
from runtimebuilder.conformance.suite import look_at, run_suite
from runtimebuilder.conformance.work import (
    Assignment,
    Broken,
    Ended,
    Finished,
    Found,
    Idle,
    Look,
    Started,
    Task,
)
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import ExitCode, SpecError, UserError
from runtimebuilder.sandbox.run import Run

_TOLD_LINES = 12  # of what pytest says about files that it cannot import


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
        self._session = SuiteSession(setting, self, image=image, plain_tests=True)
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
        items = {one.id: item for item in session.items if (one := case_of_item(item))}
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


class _Collector:
    """Hears what pytest collects, and what it could not."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.problems: list[str] = []

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """A case, or a plain test."""
        self.cases.append(case_of_item(item) or case_of_test(item))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that could not be imported, say."""
        if report.failed:
            self.problems.append(report.longreprtext.strip())


def _look(run: _Run, own: tuple[str, ...]) -> int:
    builtin_cases()  # whose numbers are taken
    collector = _Collector()
    code = look_at(own, collector)
    if collector.problems or code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        told = [line for text in collector.problems for line in text.splitlines()]
        run.send(
            Broken(
                SpecError(
                    f"the cases in {', '.join(own)} cannot be read",
                    detail="\n".join(f"  {line}" for line in told[-_TOLD_LINES:]) or None,
                    hint="they are pytest modules named test_*.py: docs/own-cases.md",
                )
            )
        )
        return int(ExitCode.USAGE)
    run.send(Found(tuple(collector.cases)))
    return int(ExitCode.OK)


def main(line: int) -> int:
    """Work until there is no more; `line` is the socket's descriptor. The exit code is the command's."""
    run = _Run(Connection(line))
    task = run.receive()
    if isinstance(task, Look):
        return _look(run, task.own)
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
            if run_suite(session, run, own=task.own):
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
