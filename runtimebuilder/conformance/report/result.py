"""Results as values: what a run found, in an order and a shape that reports and readers share."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from runtimebuilder.conformance.case import Case, Level


class State(enum.StrEnum):
    """How a case ended.

    `errored` is the suite's own trouble (the box could not be made); `skipped` is left out unless asked for, or was
    not reached; `unsupported` cannot be shown with this probe or on this image.
    """

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    SKIPPED = "skipped"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the case's environments left behind: the wire (emulator's transcript) and the end of the log."""

    transcript: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case ended. `seconds` includes making and removing its boxes.

    `expected` and `seen` are set for a failed case; `reason` says why a case errored, was skipped or is
    unsupported. `known_failing`: the reason in the file of known failing cases ("" for none), when it is there.
    """

    case: Case
    state: State
    seconds: float
    reason: str | None = None
    expected: str | None = None
    seen: str | None = None
    evidence: Evidence = Evidence()
    known_failing: str | None = None

    @property
    def failed_as_known(self) -> bool:
        """Whether it failed and was expected to: no news."""
        return self.state is State.FAILED and self.known_failing is not None

    @property
    def passes_now(self) -> bool:
        """Whether it passed though it is said to fail: that fails the run until it is no more said."""
        return self.state is State.PASSED and self.known_failing is not None


@dataclass(frozen=True, slots=True)
class Header:
    """What was judged, with what and under which limits."""

    subject: str
    image_id: str
    platform: str
    probe: str
    box: str
    tool: str
    strict: bool
    selected: int
    explicit: bool  # cases, sections or levels were named
    arguments: tuple[str, ...]  # of the command line, which a run of one case needs too


@dataclass(frozen=True, slots=True)
class Footer:
    """The end of a complete run; `seconds` is the whole run on the wall clock."""

    seconds: float
    conforms: bool
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A complete run: header, a result for each selected and each slow case in order, footer."""

    header: Header
    results: tuple[CaseResult, ...]
    footer: Footer

    @property
    def conforms(self) -> bool:
        """Whether the run may exit with 0."""
        return self.footer.conforms

    def count(self, state: State, level: Level | None = None, *, judgement: bool | None = None) -> int:
        """How many cases ended in this state, of one level or all."""
        return sum(
            result.state is state
            and (level is None or result.case.level is level)
            and (judgement is None or result.case.judgement is judgement)
            for result in self.results
        )


def conforms(results: Iterable[CaseResult], *, strict: bool) -> bool:
    """No MUST failed (with `strict` no SHOULD either) and no case errored; a MAY never counts.

    A failure that is known does not count, but a case that is said to fail and passes does.
    """
    counted = {Level.MUST, Level.SHOULD} if strict else {Level.MUST}
    return not any(
        result.state is State.ERRORED
        or result.passes_now
        or (result.state is State.FAILED and not result.failed_as_known and result.case.level in counted)
        for result in results
    )


class Reporter(Protocol):
    """Takes the stream of a run as it happens."""

    def begin(self, header: Header) -> None:
        """Called once, before the first case."""

    def started(self, case: Case) -> None:
        """Called when a case starts."""

    def finished(self, result: CaseResult) -> None:
        """Called once for every case, also for those that were not run."""

    def end(self, report: Report) -> None:
        """Called once with everything."""
