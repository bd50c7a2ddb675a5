"""Runs side by side: a row for each case, a column for each run; and that table for a terminal."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from runtimebuilder.conformance.case import Case, catalogue_order
from runtimebuilder.conformance.report.marks import LEGEND, mark
from runtimebuilder.conformance.report.result import CaseResult, Report, State
from runtimebuilder.conformance.report.terminal import summary
from runtimebuilder.conformance.report.text import printable

_STYLES = {
    "passed": "green",
    "failed": "bold red",
    "warned": "yellow",
    "known": "yellow",
    "errored": "bold magenta",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One case in all runs, in the order of the runs; None where a run did not have it."""

    case: Case
    results: tuple[CaseResult | None, ...]

    @property
    def differs(self) -> bool:
        """Whether it did not end in the same way everywhere."""
        return len({None if result is None else result.state for result in self.results}) > 1

    @property
    def failed(self) -> bool:
        """Whether it ended badly somewhere, be that known or not counted."""
        return any(
            result.state in (State.FAILED, State.ERRORED) or result.passes_now
            for result in self.results
            if result
        )


def rows(reports: Sequence[Report]) -> Mapping[str, Sequence[Row]]:
    """The rows by section, both in the catalogue's order. A case's facts are those of the first run that has it."""
    cases: dict[str, Case] = {}
    found: list[dict[str, CaseResult]] = []
    for report in reports:
        found.append({result.case.id: result for result in report.results})
        for result in report.results:
            cases.setdefault(result.case.id, result.case)
    sections: dict[str, list[Row]] = {}
    for one in sorted(cases.values(), key=catalogue_order):
        row = Row(one, tuple(results.get(one.id) for results in found))
        sections.setdefault(one.section, []).append(row)
    return sections


def letter(number: int) -> str:
    """The name of a column: A, B, ... Z, AA, AB, ..."""
    alphabet = string.ascii_uppercase
    more, last = divmod(number, len(alphabet))
    return (letter(more - 1) if more else "") + alphabet[last]


def comparison(reports: Sequence[Report], *, verbose: bool = False) -> list[Text]:
    """The table for a terminal: the runs, then the cases that failed somewhere; with `verbose` all cases."""
    names = [letter(number) for number in range(len(reports))]
    width = max(len(name) for name in names)
    lines = []
    for name, report in zip(names, reports, strict=True):
        header = report.header
        lines.append(
            Text(printable(f"{name:<{width}}  {header.subject}   {header.platform}   probe {header.probe}"))
        )
        style = "green" if report.conforms else "red"
        lines.append(Text(f"{'':{width}}  {summary(report)}", style=style))
    every = rows(reports)
    sections = {
        title: [row for row in of_section if verbose or row.failed] for title, of_section in every.items()
    }
    shown = [row for of_section in sections.values() for row in of_section]
    hidden = sum(len(of_section) for of_section in every.values()) - len(shown)
    more = f"; -v shows the {hidden} other cases" if hidden else ""
    if not shown:
        return [*lines, Text(), Text(f"no case failed in any run{more}")]
    room = max(len(row.case.id) for row in shown)
    lines += [
        Text(),
        Text(f"{'':{room + 12}}{'  '.join(f'{name:<{width}}' for name in names)}".rstrip(), "bold"),
    ]
    used: set[str] = set()
    for title, of_section in sections.items():
        if of_section:
            lines.append(Text(printable(title), style="bold"))
        for row in of_section:
            line = Text(f"  {row.case.shown_level:<8}{row.case.id:<{room}}  ")
            for report, result in zip(reports, row.results, strict=True):
                found = mark(report, result)
                used.add(found.letter)
                line.append(f"{found.letter:<{width}}", _STYLES.get(found.kind, "dim")).append("  ")
            line.rstrip()
            lines.append(line)
    legend = ", ".join(f"{each.letter} {each.word}" for each in LEGEND if each.letter in used)
    lines += [Text(), Text(f"{legend}{more}", style="dim")]
    return lines
