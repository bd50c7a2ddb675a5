"""Results as values: what a run found, in an order and a shape that reports and readers share."""

from __future__ import annotations

import enum
import shlex
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
    """What the case's environments left behind: the wire (emulator's transcript) and the end of the log.

    A case that passed has the wire alone: a log would cost the engine a question for each.
    """

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

    @property
    def ran(self) -> bool:
        """Whether the case was tried at all."""
        return self.state in (State.PASSED, State.FAILED, State.ERRORED)

    def counts(self, *, strict: bool) -> bool:
        """Whether this result alone makes the run fail."""
        return not conforms((self,), strict=strict)


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
    started: str = ""  # ISO 8601, UTC; "" in reports that do not say it


@dataclass(frozen=True, slots=True)
class Footer:
    """The end of a complete run; `seconds` is the whole run on the wall clock."""

    seconds: float
    conforms: bool
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A run: header, a result for each selected and each slow case in order, footer.

    Without a footer the run was killed: what it had found until then is here, the rest is not.
    """

    header: Header
    results: tuple[CaseResult, ...]
    footer: Footer | None

    @property
    def complete(self) -> bool:
        """Whether the run told its end; one that was interrupted does."""
        return self.footer is not None

    @property
    def interrupted(self) -> bool:
        """Whether a person stopped the run."""
        return self.footer is not None and self.footer.interrupted

    @property
    def conforms(self) -> bool:
        """Whether the run may exit with 0."""
        return self.footer is not None and self.footer.conforms

    @property
    def seconds(self) -> float:
        """The whole run on the wall clock; of one without an end, its cases together."""
        return self.footer.seconds if self.footer else sum(result.seconds for result in self.results)

    def slowest(self, number: int = 10) -> tuple[CaseResult, ...]:
        """The cases that took longest, the longest first."""
        ran = (result for result in self.results if result.ran)
        return tuple(sorted(ran, key=lambda result: -result.seconds)[:number])

    def again(self, one: Case) -> str:
        """The command that runs this case alone, and shows all of it."""
        words = ("verify", self.header.subject, *self.header.arguments, "--case", one.number, "-v")
        return shlex.join(("runtimebuilder", *words))

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
