"""The report as Markdown of GitHub's kind, never longer than it may be: verdict, overview, what failed and why."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from runtimebuilder.conformance.case import Case
from runtimebuilder.conformance.report.compare import Row, rows
from runtimebuilder.conformance.report.marks import levels_of, mark, tally
from runtimebuilder.conformance.report.result import CaseResult, Report, State
from runtimebuilder.conformance.report.terminal import summary
from runtimebuilder.conformance.report.text import bounded, printable

_EVIDENCE_CHARACTERS = 4000  # of one text in one failure
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]<>()#+!|~@&$])")


def markdown(report: Report, limit: int) -> str:
    """The report in at most `limit` bytes of UTF-8: what does not fit is left out from the end, and counted."""
    header = report.header
    verdict = "conforms" if report.conforms else "does not conform"
    facts = f"{header.platform}, probe {header.probe}, box: {header.box}"
    head = f"### {_plain(header.subject)} {verdict}\n\n{_plain(summary(report))}. {_plain(facts)}\n\n"
    parts = [head, _overview(report)]
    failures = [_failure(report, result) for result in report.results if _is_news(result)]
    room = limit - sum(_size(part) for part in parts) - 200  # for the line that counts what was left out
    for number, part in enumerate(failures):
        if _size(part) > room:
            parts.append(
                f"\n… and {len(failures) - number} more: `runtimebuilder verify --report FILE.html` has them.\n"
            )
            break
        parts.append(part)
        room -= _size(part)
    text = "".join(parts)
    return text if _size(text) <= limit else ""


def _is_news(result: CaseResult) -> bool:
    failed = result.state is State.FAILED and not result.failed_as_known
    return failed or result.state is State.ERRORED or result.passes_now


def _overview(report: Report) -> str:
    levels = levels_of(result.case for result in report.results)
    sections = rows([report])
    lines = [_row(["Section", *levels, "Seconds"]), _row(["---", *["--:"] * len(levels), "--:"])]
    lines += [
        _row([_plain(title), *_numbers(report, of_section, levels)]) for title, of_section in sections.items()
    ]
    every = [row for of_section in sections.values() for row in of_section]
    lines.append(_row([f"**{cell}**" for cell in ("All", *_numbers(report, every, levels))]))
    note = "\n† The level is this project's judgement.\n" if any("†" in level for level in levels) else ""
    return "\n".join(lines) + "\n" + note


def _numbers(report: Report, of_section: Sequence[Row], levels: Iterable[str]) -> list[str]:
    results = [row.results[0] for row in of_section]
    cells = []
    for level in levels:
        of_level = [one for one in results if one is not None and one.case.shown_level == level]
        found = tally(level, [(mark(report, one), one) for one in of_level])
        failed = f" {found.letter}" if found.letter else ""
        cells.append(f"{found.passed} of {found.ran}{failed}" if found.ran else "")
    return [*cells, f"{sum(one.seconds for one in results if one is not None):.1f}"]


def _failure(report: Report, result: CaseResult) -> str:
    one = result.case
    title = f"{mark(report, result).word}: {one.shown_level} {one.number} {one.slug}"
    lines = [("expected", result.expected), ("seen", result.seen), ("reason", result.reason)]
    lines += [
        ("known", result.known_failing),
        ("wire", result.evidence.transcript),
        ("log", result.evidence.log),
    ]
    lines.append(("again", report.again(one)))
    told = "\n".join(
        f"{label:<9} {text}" if "\n" not in text else f"{label}\n{text}"
        for label, text in ((label, bounded(text, _EVIDENCE_CHARACTERS)) for label, text in lines if text)
    )
    body = printable(told)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", body)), default=0))
    # Blank lines end the HTML block, so that the fence is Markdown again.
    return (
        f"\n<details><summary>{_html(title)}</summary>\n\n"
        f"{_plain(one.requirement)} {_link(one)}\n\n"
        f"{fence}text\n{body}\n{fence}\n\n</details>\n"
    )


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _line(text: str) -> str:
    return " ".join(printable(bounded(text, 1000)).split())


def _plain(text: str) -> str:
    """Text on one line that Markdown takes as nothing but text."""
    return _PUNCTUATION.sub(r"\\\1", _line(text))


def _html(text: str) -> str:
    return html.escape(_line(text))


def _link(one: Case) -> str:
    page = _plain(one.page)
    if not one.link.startswith("https://"):
        return page
    address = re.sub(r"[<>\s\\`]", "", printable(one.link))
    return f"[{page}](<{address}>)"


def _size(text: str) -> int:
    return len(text.encode())
