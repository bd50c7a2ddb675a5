"""Several runs at the same time, told one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from runtimebuilder.conformance.case import Case
from runtimebuilder.conformance.report.result import CaseResult, Header, Report, Reporter


class Turns:
    """The order is that in which runs begin: a run is told when the one before has ended, and at once from then on.

    Not thread-safe: as everybody who calls reporters, its callers call one at a time.
    """

    def __init__(self) -> None:
        self._runs: deque[_InTurn] = deque()

    def reporter(self, inner: Reporter) -> Reporter:
        """What takes the stream of one run, and hands it on to `inner` when it is its turn."""
        return _InTurn(inner, self)

    def begun(self, run: _InTurn) -> None:
        """A run has begun."""
        self._runs.append(run)
        if self._runs[0] is run:
            run.go_on()

    def ended(self) -> None:
        """A run has ended, which may be the one whose turn it is."""
        while self._runs and self._runs[0].has_ended:
            self._runs.popleft().go_on()
        if self._runs:
            self._runs[0].go_on()


class _InTurn:
    def __init__(self, inner: Reporter, turns: Turns) -> None:
        self._inner = inner
        self._turns = turns
        self._kept: list[Callable[[], None]] = []
        self._goes = False
        self.has_ended = False

    def begin(self, header: Header) -> None:
        self._kept.append(partial(self._inner.begin, header))
        self._turns.begun(self)

    def started(self, case: Case) -> None:
        self._tell(partial(self._inner.started, case))

    def finished(self, result: CaseResult) -> None:
        self._tell(partial(self._inner.finished, result))

    def end(self, report: Report) -> None:
        self._tell(partial(self._inner.end, report))
        self.has_ended = True
        self._turns.ended()

    def go_on(self) -> None:
        """It is this run's turn."""
        self._goes = True
        kept, self._kept = self._kept, []
        for call in kept:
            call()

    def _tell(self, call: Callable[[], None]) -> None:
        if self._goes:
            call()
        else:
            self._kept.append(call)
