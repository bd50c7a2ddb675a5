"""The report as one page that needs nothing else: no network, no other file. Several runs stand side by side on it.

Whatever the page shows came from an image under test. Jinja escapes it, `printable` takes control characters away,
and a content security policy allows no script but the page's own and no request at all.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup

from runtimebuilder.conformance.case import Case
from runtimebuilder.conformance.report.compare import Row, letter, rows
from runtimebuilder.conformance.report.marks import LEGEND, LEVELS, Mark, Tally, levels_of, mark, tally
from runtimebuilder.conformance.report.result import CaseResult, Report
from runtimebuilder.conformance.report.terminal import summary
from runtimebuilder.conformance.report.text import SHOWN_CHARACTERS, bounded, printable

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_WIRE_MARKS = {"→": "sent", "←": "answered", "✕": "closed", "·": "noted"}
_WIRE_LINE = re.compile(r"(?:\[\d+\] )?([→←✕·])")


@dataclass(frozen=True, slots=True)
class Column:
    """A run: its letter, and how it ended in a word and in a sentence."""

    letter: str
    report: Report
    verdict: Mark
    summary: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A case in one run."""

    anchor: str
    column: Column
    mark: Mark
    result: CaseResult | None

    @property
    def marked(self) -> tuple[Mark, CaseResult | None]:
        """What `tally` counts."""
        return self.mark, self.result

    @property
    def again(self) -> str:
        """The command that runs it again; "" for what cannot be."""
        return self.column.report.again(self.result.case) if self.result else ""


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case in all runs."""

    case: Case
    anchor: str
    entries: tuple[Entry, ...]
    differs: bool

    @property
    def worst(self) -> Mark:
        """The mark that tells most: one of a failure before one of a pass."""
        order = [each.kind for each in LEGEND]
        return min((entry.mark for entry in self.entries), key=lambda mark: order.index(mark.kind))

    @property
    def kinds(self) -> str:
        """Every kind of mark that it has, for the filter."""
        return " ".join(dict.fromkeys(entry.mark.kind for entry in self.entries))

    @property
    def seconds(self) -> float:
        """The longest it took."""
        return max((entry.result.seconds for entry in self.entries if entry.result), default=0.0)


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section: its cases, and its numbers by level (one run) or by run (several)."""

    title: str
    anchor: str
    cases: tuple[CaseView, ...]
    tallies: tuple[Tally, ...]

    @property
    def not_shown(self) -> int:
        """Cases that were not tried: unsupported, skipped."""
        return sum(not any(entry.result and entry.result.ran for entry in one.entries) for one in self.cases)

    @property
    def seconds(self) -> float:
        """What its cases took."""
        return sum(one.seconds for one in self.cases)


def html_page(reports: Sequence[Report]) -> str:
    """The whole page: one run with an overview by section and level, or several runs compared."""
    columns = tuple(_column(number, report) for number, report in enumerate(reports))
    anchors: Counter[str] = Counter()
    sections = tuple(
        _section(
            title, f"section-{number}", tuple(_case(row, columns, anchors) for row in of_section), columns
        )
        for number, (title, of_section) in enumerate(rows(reports).items(), start=1)
    )
    cases = [one for section in sections for one in section.cases]
    kinds = [kind for one in cases for kind in one.kinds.split()]
    levels = levels_of(one.case for one in cases)
    script, style = _asset("page.js"), _asset("page.css")
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            columns=columns,
            sections=sections,
            total=_section("All", "all", tuple(cases), columns),
            levels=levels,
            level_tallies=[
                (level, _by_run([one for one in cases if one.case.shown_level == level], columns))
                for level in levels
            ],
            states=[(each, kinds.count(each.kind)) for each in LEGEND if each.kind in kinds],
            judgement=any(one.case.judgement for one in cases),
            number=len(cases),
            slowest=_slowest(reports[0], cases) if len(reports) == 1 else (),
            script=Markup(script),  # noqa: S704 - a file of this package
            style=Markup(style),  # noqa: S704 - likewise
            script_hash=_hash(script),
            style_hash=_hash(style),
        )
    )


def _slowest(report: Report, cases: Sequence[CaseView]) -> list[CaseView]:
    of_case = {one.case.id: one for one in cases}
    return [of_case[result.case.id] for result in report.slowest()]


def _column(number: int, report: Report) -> Column:
    if not report.complete:
        verdict = Mark("errored", "E", "not finished")
    elif report.interrupted:
        verdict = Mark("errored", "E", "interrupted")
    elif report.conforms:
        verdict = Mark("passed", "P", "conforms")
    else:
        verdict = Mark("failed", "F", "does not conform")
    return Column(letter(number), report, verdict, summary(report))


def _section(title: str, anchor: str, cases: tuple[CaseView, ...], columns: Sequence[Column]) -> SectionView:
    if len(columns) > 1:
        tallies = _by_run(cases, columns)
    else:
        tallies = tuple(
            tally(level, [one.entries[0].marked for one in cases if one.case.shown_level == level])
            for level in LEVELS
        )
    return SectionView(title, anchor, cases, tallies)


def _by_run(cases: Sequence[CaseView], columns: Sequence[Column]) -> tuple[Tally, ...]:
    return tuple(
        tally(column.letter, [one.entries[index].marked for one in cases])
        for index, column in enumerate(columns)
    )


def _case(row: Row, columns: Sequence[Column], anchors: Counter[str]) -> CaseView:
    anchor = re.sub(r"[^A-Za-z0-9_-]", "-", row.case.number)
    anchors[anchor] += 1
    if anchors[anchor] > 1:  # tests of suites can have one name
        anchor = f"{anchor}..{anchors[anchor]}"
    entries = tuple(
        Entry(f"{anchor}.{column.letter}", column, mark(column.report, result), result)
        for column, result in zip(columns, row.results, strict=True)
    )
    return CaseView(row.case, anchor, entries, row.differs)


def _wire(text: str) -> list[tuple[str, str]]:
    """Lines of a transcript with the kind of each."""
    lines = []
    for line in bounded(text, SHOWN_CHARACTERS).splitlines():
        found = _WIRE_LINE.match(line)
        lines.append((_WIRE_MARKS[found.group(1)] if found else "content", line))
    return lines


def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _shown(value: object) -> object:
    """What every expression of the templates goes through before it is escaped."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(bounded(value, SHOWN_CHARACTERS))
    return value


def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["wire"] = _wire
    return made
