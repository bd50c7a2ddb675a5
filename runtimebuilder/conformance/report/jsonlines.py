"""The report for programs: JSON lines. First a header, then a line per case as it ends, then a footer.

A file without a footer is of a run that did not come to its end. A file can hold several runs, one after the other or
side by side: then their lines carry the number of their run. What is written can be read back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, TextIO, TypeVar

from runtimebuilder.conformance.case import SUITE_SUFFIX, Case, Level, SuiteCase, catalogue_order
from runtimebuilder.conformance.report.result import CaseResult, Evidence, Footer, Header, Report, State
from runtimebuilder.conformance.report.text import KEPT_CHARACTERS, bounded
from runtimebuilder.errors import SpecError

FORMAT = 1
"""Raised when a reader of the older lines would misread the newer."""

_Value = TypeVar("_Value")


class JsonLines:
    """Writes one line per event, flushed at once, so that a run that is killed leaves what it found.

    `run` numbers the runs that share a stream; without it a header ends the run before it.
    """

    def __init__(self, stream: TextIO, run: int | None = None) -> None:
        self._stream = stream
        self._run = {} if run is None else {"run": run}

    def begin(self, header: Header) -> None:
        """The header line."""
        self._write(
            {
                "kind": "header",
                "format": FORMAT,
                "subject": header.subject,
                "image_id": header.image_id,
                "platform": header.platform,
                "probe": header.probe,
                "box": header.box,
                "tool": header.tool,
                "strict": header.strict,
                "selected": header.selected,
                "explicit": header.explicit,
                "arguments": list(header.arguments),
                "started": header.started,
            }
        )

    def started(self, case: Case) -> None:
        """A case is written when it has ended."""

    def finished(self, result: CaseResult) -> None:
        """A case's line."""
        one = result.case
        self._write(
            {
                "kind": "case",
                "id": one.id,
                "level": str(one.level),
                "judgement": one.judgement,
                "section": one.section,
                "requirement": one.requirement,
                "page": one.page,
                "link": one.link,
                "state": str(result.state),
                "seconds": round(result.seconds, 3),
                "reason": _kept(result.reason),
                "expected": _kept(result.expected),
                "seen": _kept(result.seen),
                "transcript": bounded(result.evidence.transcript, KEPT_CHARACTERS),
                "log": bounded(result.evidence.log, KEPT_CHARACTERS),
                "known_failing": result.known_failing,
            }
        )

    def end(self, report: Report) -> None:
        """The footer line; none for a run that has no end."""
        if report.footer is None:
            return
        self._write(
            {
                "kind": "footer",
                "seconds": round(report.footer.seconds, 3),
                "conforms": report.footer.conforms,
                "interrupted": report.footer.interrupted,
                "counts": {str(state): report.count(state) for state in State},
            }
        )

    def _write(self, line: Mapping[str, object]) -> None:
        self._stream.write(json.dumps({**line, **self._run}, ensure_ascii=True) + "\n")
        self._stream.flush()


def write_reports(stream: TextIO, reports: Iterable[Report]) -> None:
    """Write runs one after the other, as lines that can be read back."""
    for report in reports:
        writer = JsonLines(stream)
        writer.begin(report.header)
        for result in report.results:
            writer.finished(result)
        writer.end(report)


def _kept(text: str | None) -> str | None:
    return None if text is None else bounded(text, KEPT_CHARACTERS)


class _Run:
    """A run as far as its lines have been read."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.results: dict[str, CaseResult] = {}
        self.footer: Footer | None = None

    def take(self, kind: str, line: Mapping[str, Any], where: str) -> None:
        """A line that is not a header."""
        if self.footer is not None:
            raise SpecError(f"{where}: a {kind!r} line after the footer")
        if kind == "case":
            result = _result(line)
            if result.case.id in self.results:
                raise SpecError(f"{where}: the case {result.case.id} is here twice")
            self.results[result.case.id] = result
        elif kind == "footer":
            self.footer = _footer(line)
        else:
            raise SpecError(f"{where}: a line of kind {kind!r} is not known", hint=_NEWER)

    def report(self) -> Report:
        """What was read, in the catalogue's order."""
        ordered = sorted(self.results.values(), key=lambda result: catalogue_order(result.case))
        return Report(self.header, tuple(ordered), self.footer)


def read_reports(lines: Iterable[str], name: str = "report") -> tuple[Report, ...]:
    """Read back what `JsonLines` wrote: the runs in the order of their headers, results in the catalogue's order.

    A run without a footer has none in its report either; half a line at the end of the file is what a killed run
    leaves, and is no mistake. Raises `SpecError` that names the line: not JSON, an unknown format, a case twice, no
    header.
    """
    runs: list[_Run] = []
    numbered: dict[int | None, _Run] = {}
    rest = iter(lines)
    for number, text in enumerate(rest, start=1):
        if not text.strip():
            continue
        where = f"{name}:{number}"
        try:
            line = json.loads(text, parse_constant=_no_number)
            kind, key = _field(line, "kind", str), _run_number(line)
            if kind == "header":
                numbered[key] = _Run(_header(line, where))
                runs.append(numbered[key])
            elif key in numbered:
                numbered[key].take(kind, line, where)
            else:
                raise SpecError(f"{where}: the header of the report is missing", hint=HINT)
        except (ValueError, OverflowError, RecursionError) as problem:
            broken_off = isinstance(problem, json.JSONDecodeError) and any(run.footer is None for run in runs)
            if broken_off and not any(more.strip() for more in rest):
                break
            raise SpecError(f"{where}: not a line of a report", hint=HINT, detail=f"  {problem}") from problem
    if not runs:
        raise SpecError(f"{name}: the report is empty", hint=HINT)
    return tuple(run.report() for run in runs)


HINT = "reports are written by `runtimebuilder verify --report FILE.jsonl`"
_NEWER = "use a newer runtimebuilder"


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _field(line: object, name: str, kind: type[_Value]) -> _Value:
    """A field of a line; `ValueError` when it is missing or of another kind."""
    if not isinstance(line, dict):
        raise ValueError("not an object")  # noqa: TRY004 - what the reader says for all that is wrong in a line
    if name not in line:
        raise ValueError(f"{name} is missing")
    value = line[name]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise ValueError(f"{name} is not a {kind.__name__}")
    return value


def _run_number(line: Mapping[str, Any]) -> int | None:
    return None if line.get("run") is None else _field(line, "run", int)


def _optional(line: Mapping[str, Any], name: str) -> str | None:
    return None if line.get(name) is None else _field(line, name, str)


def _header(line: Mapping[str, Any], where: str) -> Header:
    if line.get("format") != FORMAT:
        raise SpecError(f"{where}: format {line.get('format')!r} is not known", hint=_NEWER)
    return Header(
        subject=_field(line, "subject", str),
        image_id=_field(line, "image_id", str),
        platform=_field(line, "platform", str),
        probe=_field(line, "probe", str),
        box=_field(line, "box", str),
        tool=_field(line, "tool", str),
        strict=_field(line, "strict", bool),
        selected=_field(line, "selected", int),
        explicit=_field(line, "explicit", bool),
        arguments=tuple(str(each) for each in _field(line, "arguments", list)),
        started=_optional(line, "started") or "",
    )


def _result(line: Mapping[str, Any]) -> CaseResult:
    page = _field(line, "page", str)
    kind = SuiteCase if page.endswith(SUITE_SUFFIX) else Case
    one = kind(
        id=_field(line, "id", str),
        level=Level(_field(line, "level", str)),
        judgement=_field(line, "judgement", bool),
        requirement=_field(line, "requirement", str),
        page=page,
        section=_field(line, "section", str),
        needs=(),
        slow=None,
        module="",
        function="",
    )
    catalogue_order(one)  # ValueError for an id that is none
    return CaseResult(
        case=one,
        state=State(_field(line, "state", str)),
        seconds=_seconds(line),
        reason=_optional(line, "reason"),
        expected=_optional(line, "expected"),
        seen=_optional(line, "seen"),
        evidence=Evidence(_optional(line, "transcript") or "", _optional(line, "log") or ""),
        known_failing=_optional(line, "known_failing"),
    )


def _footer(line: Mapping[str, Any]) -> Footer:
    return Footer(_seconds(line), _field(line, "conforms", bool), _field(line, "interrupted", bool))


def _seconds(line: Mapping[str, Any]) -> float:
    seconds = _field(line, "seconds", float)
    if not math.isfinite(seconds):  # 1e999 is a number in JSON
        raise ValueError("seconds is not a number")
    return seconds
