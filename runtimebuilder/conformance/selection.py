"""Which cases run: ids, globs and sections, and why the others do not."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from runtimebuilder.conformance.case import Case, Level
from runtimebuilder.errors import NothingSelectedError

NOT_SELECTED = "not selected"
"""The refusal of a case that the person's own selection leaves out: no news for them, so not in reports."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for. `cases`: ids or globs; `sections`: beginnings or parts of section titles.

    A case runs that one of these names, and of those the ones of the `levels`. Nothing given: all. `soak`: also
    those that take long.
    """

    cases: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    soak: bool = False

    @property
    def is_explicit(self) -> bool:
        """Whether cases, sections or levels were named."""
        return bool(self.cases or self.sections or self.levels)

    def refusal(self, one: Case) -> str | None:
        """Why a case is left out, None when it runs. A slow one runs with `soak` or by its id."""
        if self.levels and one.level not in self.levels:
            return NOT_SELECTED
        if (self.cases or self.sections) and not (
            any(one.matches(pattern) for pattern in self.cases)
            or any(wanted.lower() in one.section.lower() for wanted in self.sections)
        ):
            return NOT_SELECTED
        if one.slow and not self.soak and not any(one.is_named_by(pattern) for pattern in self.cases):
            return f"slow ({one.slow}): run it with --soak"
        return None


def check_selection(selection: Selection, known: Sequence[Case]) -> None:
    """Raise `NothingSelectedError` for a pattern or section that names no case, or when nothing is left."""
    for pattern in selection.cases:
        if not any(one.matches(pattern) for one in known):
            raise NothingSelectedError(
                f"no case matches {pattern!r}",
                hint=_meant(pattern, [name for one in known for name in (one.id, one.number)]),
            )
    titles = sorted({one.section for one in known})
    for wanted in selection.sections:
        if not any(wanted.lower() in title.lower() for title in titles):
            raise NothingSelectedError(
                f"no section matches {wanted!r}", hint=f"sections are: {', '.join(titles)}"
            )
    if all(selection.refusal(one) for one in known):
        raise NothingSelectedError(
            "the selection leaves no case to run", hint="`--list` lists the cases; slow ones need --soak"
        )


def _meant(pattern: str, names: list[str]) -> str:
    near = difflib.get_close_matches(pattern.upper(), names, n=1)
    return f"did you mean {near[0]}? `--list` lists the cases" if near else "`--list` lists the cases"
