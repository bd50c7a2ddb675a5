"""What people see on standard error while cases run: one line that changes, or a line for each case."""

from __future__ import annotations

from rich.console import Console
from rich.status import Status
from rich.text import Text

from runtimebuilder.conformance.case import Case
from runtimebuilder.conformance.report.result import CaseResult, Header, Report, State


class Progress:
    """Talks while runs go on, one or several at a time. `verbose`: a line for every case that ran."""

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self._console = console
        self._verbose = verbose
        self._status: Status | None = None
        self._selected = 0
        self._done = 0
        self._failed = 0

    def begin(self, header: Header) -> None:
        """The number of cases is known."""
        self._selected += header.selected

    def started(self, case: Case) -> None:
        """Show which case runs."""
        if self._console.is_terminal:
            failed = f", {self._failed} failed" if self._failed else ""
            told = Text(f"{self._done}/{self._selected}{failed}  {case.id}")
            if self._status is None:
                # Not before: while the line is there, what others print goes to standard error too.
                self._status = self._console.status(told)
                self._status.start()
            self._status.update(told)

    def finished(self, result: CaseResult) -> None:
        """Count, and with `verbose` say so."""
        if result.state is State.SKIPPED:
            return
        self._done += 1
        self._failed += (
            result.state is State.ERRORED
            or result.passes_now
            or (result.state is State.FAILED and not result.failed_as_known)
        )
        if self._verbose:
            self._console.print(
                Text(f"{result.state:<11} {result.case.id} {result.seconds:.2f} s"), soft_wrap=True
            )

    def end(self, report: Report) -> None:  # noqa: ARG002 - the protocol's signature
        """Clear the line; other runs that still go on bring it back."""
        if self._status is not None:
            self._status.stop()
            self._status = None
