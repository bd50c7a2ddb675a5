"""The report for people: a table by section, what failed and why, what was not shown, one last line."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence

from rich.console import Console
from rich.text import Text

from runtimebuilder.conformance.case import Case, Level
from runtimebuilder.conformance.patience import NOT_REACHED
from runtimebuilder.conformance.report.result import CaseResult, Header, Report, State
from runtimebuilder.conformance.report.text import printable

WIDTH = 80
"""Columns of a report, on a terminal and elsewhere."""

_LABEL = 10  # columns of "expected", "seen", ... in a failure
_INDENT = 6
_WIRE_LINES = 16  # of a transcript, unless verbose
_LOG_LINES = 8
_MANY = 20  # cases that ran, from which on the slowest are told
_NAMED = 12  # skipped cases that are named; of more only the number is told
_TOLD_APART = (" failed as known", " passing though known to fail", " errored")
_UUID = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIMED = re.compile(r"(.*\S)\s{2,}(\d+\.\d+)")
_FAILED_STYLES = {Level.MUST: "bold red", Level.SHOULD: "yellow", Level.MAY: "cyan"}


class TerminalReport:
    """Writes the report when the run has ended. Plain text where there is no terminal.

    Lines hold text of the image under test: no control character of it reaches the terminal, and `guard` may change
    what else would be taken for a command by whoever reads them.
    """

    def __init__(
        self,
        console: Console,
        *,
        verbose: bool = False,
        report_file: str | None = None,
        guard: Callable[[str], str] = str,
    ) -> None:
        self._console = console
        self._guard = guard
        self._verbose = verbose
        self._file = report_file

    def begin(self, header: Header) -> None:
        """What is judged, before the first case."""
        self._line(f"{header.subject}   {header.platform}   probe {header.probe}", style="bold")
        self._line(f"box: {header.box}")

    def started(self, case: Case) -> None:
        """Progress is somebody else's."""

    def finished(self, result: CaseResult) -> None:
        """All results come at the end, in the catalogue's order."""

    def end(self, report: Report) -> None:
        """The whole report."""
        self._line()
        for line in table(report.results):
            self._line(line)
        if self._verbose:
            self._every_case(report)
        for result in report.results:
            if result.state is State.FAILED and (self._verbose or not result.failed_as_known):
                self._failure(report, result)
            elif result.passes_now:
                self._passes_now(result)
            elif result.state is State.ERRORED:
                self._error(result)
        for line in (*not_shown(report), *slowest(report)):
            self._line(line)
        self._line()
        last, told = summary(report), f"report: {self._file}" if self._file else ""
        room = WIDTH - len(last) - 2
        style = "bold green" if report.conforms else "bold red"
        self._line(f"{last}  {told:>{room}}" if len(told) <= room else last, style=style)
        if len(told) > room:
            self._line(told)

    def _every_case(self, report: Report) -> None:
        self._line()
        for result in report.results:
            if result.state is not State.SKIPPED:
                one = result.case
                head = f"  {result.state:<11} {one.shown_level:<7} {one.id}"
                self._line(f"{head:<{WIDTH - 8}}{result.seconds:6.1f} s")

    def _failure(self, report: Report, result: CaseResult) -> None:
        one = result.case
        self._line()
        self._heading(one, one.shown_level, _FAILED_STYLES[one.level])
        self._paragraph(one.requirement)
        if result.failed_as_known:
            self._labelled("known", result.known_failing or "to fail")
        if result.expected is not None:
            self._labelled("expected", result.expected)
        self._labelled("seen", result.seen or "")
        self._evidence(result)
        self._line(f"{'':{_INDENT}}{'rule':<{_LABEL}}{one.link}")
        self._line(f"{'':{_INDENT}}{'again':<{_LABEL}}{report.again(one)}")

    def _passes_now(self, result: CaseResult) -> None:
        self._line()
        self._heading(result.case, "PASSES", "bold red")
        self._paragraph("It is said to fail, and passes now: take it out of the file of known failing cases.")
        if result.known_failing:
            self._labelled("known", result.known_failing)

    def _error(self, result: CaseResult) -> None:
        self._line()
        self._heading(result.case, "ERROR", "bold magenta")
        self._paragraph("The suite could not do its part, so this says nothing about the image.")
        self._labelled("reason", result.reason or "")
        self._evidence(result)

    def _heading(self, one: Case, label: str, style: str) -> None:
        title = f"{one.number} {one.slug}"
        room = max(WIDTH - len(label) - 2 - len(title), 1)
        words = Text.assemble(
            (label, style), "  ", (printable(title), "bold"), printable(f"{one.page:>{room}}")
        )
        self._console.print(words, soft_wrap=True)

    def _paragraph(self, text: str) -> None:
        for line in textwrap.wrap(text, WIDTH - _INDENT):
            self._line(f"{'':{_INDENT}}{line}")

    def _labelled(self, label: str, text: str) -> None:
        lines = [
            part
            for line in text.splitlines() or [""]
            for part in textwrap.wrap(line, WIDTH - _INDENT - _LABEL, break_on_hyphens=False) or [""]
        ]
        for number, line in enumerate(lines):
            self._line(f"{'':{_INDENT}}{label if number == 0 else '':<{_LABEL}}{line}")

    def _evidence(self, result: CaseResult) -> None:
        for line in self._tail(result.evidence.transcript, _WIRE_LINES):
            told = line if self._verbose else wire_line(line, WIDTH - _INDENT - 2)
            self._line(f"{'':{_INDENT + 2}}{told}", style="dim")
        for number, line in enumerate(self._tail(result.evidence.log, _LOG_LINES)):
            told = line if self._verbose else wire_line(line, WIDTH - _INDENT - _LABEL)
            self._line(f"{'':{_INDENT}}{'log' if number == 0 else '':<{_LABEL}}{told}")

    def _tail(self, text: str, limit: int) -> list[str]:
        lines = text.splitlines()
        if self._verbose or len(lines) <= limit:
            return lines
        return [f"({len(lines) - limit} lines before: -v shows them)", *lines[-limit:]]

    def _line(self, text: str = "", style: str = "") -> None:
        self._console.print(Text(self._guard(printable(text.rstrip())), style=style), soft_wrap=True)


def wire_line(line: str, room: int) -> str:
    """A line of a transcript or log in so many columns: ids shortened, a time at its end kept at the edge."""
    text = _UUID.sub(r"\1…", line)
    timed = _TIMED.fullmatch(text)
    words, time = (timed.group(1), timed.group(2)) if timed else (text, "")
    left = room - len(time) - (2 if time else 0)
    if len(words) > left:
        words = words[: left - 1] + "…"
    return f"{words:<{room - len(time)}}{time}" if time else words


def table(results: Iterable[CaseResult]) -> list[str]:
    """One line per section that has a result: passed of total, failures by level, seconds."""
    sections: dict[str, list[CaseResult]] = {}
    for result in results:
        if result.state in (State.PASSED, State.FAILED, State.ERRORED):
            sections.setdefault(result.case.section, []).append(result)
    width = max((len(title) for title in sections), default=0)
    lines = []
    for title, of_section in sections.items():
        passed = sum(result.state is State.PASSED for result in of_section)
        failures = "  ".join(_failures(of_section))
        line = f"  {title:<{width}}   {passed:>3} of {len(of_section):<3}   {failures}"
        lines.append(f"{line:<{WIDTH - 10}}{sum(result.seconds for result in of_section):>8.1f} s")
    return lines


def summary(report: Report) -> str:
    """The last line."""
    ran = [r for r in report.results if r.state in (State.PASSED, State.FAILED, State.ERRORED)]
    words = _failures(ran)
    time = f"in {report.seconds:.{0 if report.seconds >= 10 else 1}f} s"
    if not report.complete:
        return (
            f"the run did not come to its end: {len(report.results)} of {report.header.selected} cases {time}"
        )
    if report.interrupted:
        done = report.count(State.PASSED) + report.count(State.FAILED)
        return f"interrupted after {done} cases {time}"
    if words:
        failed = [word for word in words if not word.endswith(_TOLD_APART)]
        told = [f"{_listed(failed)} of {len(ran)} failed"] if failed else []
        apart = [word for word in words if word.endswith(_TOLD_APART)]
        told += apart if failed else [f"{apart[0]} of {len(ran)}", *apart[1:]]
        left = sum((r.reason or "").startswith(NOT_REACHED) for r in report.results)
        told += [f"{left} {NOT_REACHED}"] if left else []
        return f"{', '.join(told)} {time}{_fate(report)}"
    if not ran:
        return f"nothing of this can be shown on this image {time}"
    return f"all {len(ran)} passed {time}"


def _fate(report: Report) -> str:
    if not report.conforms:
        return ""
    if any(result.failed_as_known and result.case.level is Level.MUST for result in report.results):
        return "; no other MUST failed"
    return "; no MUST failed, so the image conforms"


def not_shown(report: Report) -> list[str]:
    """What was left out and why, and what failed as is known, by reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    for result in report.results:
        if result.failed_as_known:
            key = ("known to fail", result.known_failing or "no reason given")
            groups.setdefault(key, []).append(result.case.number)
    for result in report.results:
        if result.state in (State.UNSUPPORTED, State.SKIPPED):
            groups.setdefault((str(result.state), result.reason or ""), []).append(result.case.number)
    lines: list[str] = []
    if groups:
        lines.append("")
    for (state, reason), numbers in groups.items():
        # Naming nearly every case there is would help nobody.
        many = state == State.SKIPPED and len(numbers) > _NAMED
        named = "" if many else f": {', '.join(numbers)}"
        text = f"{state:<13} {len(numbers):>3}  {reason}{named}"
        lines += textwrap.wrap(
            text, WIDTH, initial_indent="  ", subsequent_indent=" " * 21, break_on_hyphens=False
        )
    if any(result.state is State.FAILED and result.case.judgement for result in report.results):
        lines += ["", "  † the level is this project's judgement: the documentation does not state it"]
    return lines


def slowest(report: Report) -> list[str]:
    """The ten cases that took longest; nothing when so few ran that the sections' times tell as much."""
    found = report.slowest()
    if sum(result.ran for result in report.results) < _MANY:
        return []
    told = ", ".join(f"{result.case.number} {result.seconds:.1f} s".replace(" ", "\xa0") for result in found)
    lines = textwrap.wrap(
        told,
        WIDTH,
        initial_indent=f"  {'slowest':<13} {len(found):>3}  ",
        subsequent_indent=" " * 21,
        break_on_hyphens=False,
    )
    return ["", *(line.replace("\xa0", " ") for line in lines)]


def _failures(results: Sequence[CaseResult]) -> list[str]:
    """Failures in words by level, judgements apart: `2 MUST`, `1 MUST†`, `1 SHOULD`, `1 failed as known`."""
    words = []
    for level in Level:
        for judgement in (False, True):
            number = sum(
                result.state is State.FAILED
                and not result.failed_as_known
                and result.case.level is level
                and result.case.judgement is judgement
                for result in results
            )
            if number:
                words.append(f"{number} {level}{'†' if judgement else ''}")
    apart = (
        sum(result.failed_as_known for result in results),
        sum(result.passes_now for result in results),
        sum(result.state is State.ERRORED for result in results),
    )
    words += [f"{number}{told}" for number, told in zip(apart, _TOLD_APART, strict=True) if number]
    return words


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
