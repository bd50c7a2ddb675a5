"""How a case ended, short enough for a table; and such marks counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtimebuilder.conformance.case import Case, Level
from runtimebuilder.conformance.report.result import CaseResult, Report, State

LEVELS: Sequence[str] = tuple(f"{level}{dagger}" for level in Level for dagger in ("", "†"))
"""The levels as they are shown, those by judgement apart."""

NOT_IN_RUN = "not in this run"


@dataclass(frozen=True, slots=True)
class Mark:
    """How a case ended on one image, short: a kind (for colour), a letter, a word."""

    kind: str
    letter: str
    word: str


_MARKS = {
    State.PASSED: Mark("passed", "P", "passed"),
    State.FAILED: Mark("failed", "F", "failed"),
    State.ERRORED: Mark("errored", "E", "errored"),
    State.SKIPPED: Mark("skipped", "S", "skipped"),
    State.UNSUPPORTED: Mark("unsupported", "U", "unsupported"),
}
_WARNED = Mark("warned", "f", "failed (not counted)")  # a SHOULD, unless strict
_KNOWN = Mark("known", "K", "failed as known")
_PASSES_NOW = Mark("failed", "F", "passes, though it is said to fail")
_ABSENT = Mark("absent", "·", NOT_IN_RUN)

LEGEND: Sequence[Mark] = (
    _MARKS[State.FAILED],
    _MARKS[State.ERRORED],
    _WARNED,
    _KNOWN,
    _MARKS[State.PASSED],
    _MARKS[State.UNSUPPORTED],
    _MARKS[State.SKIPPED],
    _ABSENT,
)
"""Every kind once, what matters most first."""


def mark(report: Report, result: CaseResult | None) -> Mark:
    """The mark of a result in its run; None is a case that the run did not have."""
    if result is None:
        return _ABSENT
    if result.passes_now:
        return _PASSES_NOW
    if result.failed_as_known:
        return _KNOWN
    if result.state is State.FAILED and not result.counts(strict=report.header.strict):
        return _WARNED
    return _MARKS[result.state]


@dataclass(frozen=True, slots=True)
class Tally:
    """So many of the cases that ran passed; `kind` is that of the worst. `label`: a level, or a run's letter."""

    label: str
    passed: int
    ran: int
    kind: str

    @property
    def letter(self) -> str:
        """The letter of what went wrong, "" when nothing did."""
        return next((each.letter for each in LEGEND if each.kind == self.kind and each.kind != "passed"), "")


def tally(label: str, marked: Iterable[tuple[Mark, CaseResult | None]]) -> Tally:
    """Count marks; the kind of the worst is the kind of all."""
    ran = [(each, result) for each, result in marked if result is not None and result.ran]
    kinds = {each.kind for each, _ in ran}
    worst = next((each.kind for each in LEGEND if each.kind in kinds), "none")
    return Tally(label, sum(result.state is State.PASSED for _, result in ran), len(ran), worst)


def levels_of(cases: Iterable[Case]) -> tuple[str, ...]:
    """The levels that occur, in order."""
    there = {one.shown_level for one in cases}
    return tuple(level for level in LEVELS if level in there)
