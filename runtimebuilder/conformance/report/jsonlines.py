"""The report for programs: JSON lines. First a header, then a line per case as it ends, then a footer.

A file without a footer is of a run that did not come to its end. What is written can be read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from runtimebuilder.conformance.case import Case, Level, catalogue_order
from runtimebuilder.conformance.report.result import CaseResult, Evidence, Footer, Header, Report, State
from runtimebuilder.errors import SpecError

FORMAT = 1
"""Raised when a reader of the older lines would misread the newer."""


class JsonLines:
    """Writes one line per event, flushed at once, so that a run that is killed leaves what it found."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

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
                "reason": result.reason,
                "expected": result.expected,
                "seen": result.seen,
                "transcript": result.evidence.transcript,
                "log": result.evidence.log,
                "known_failing": result.known_failing,
            }
        )

    def end(self, report: Report) -> None:
        """The footer line."""
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
        self._stream.write(json.dumps(line, ensure_ascii=True) + "\n")
        self._stream.flush()


def read_report(lines: Iterable[str], name: str = "report") -> Report:
    """Read back what `JsonLines` wrote; results in the catalogue's order.

    Raises `SpecError` that names the line: not JSON, an unknown format, a case twice, no header, no footer.
    """
    header: Header | None = None
    footer: Footer | None = None
    results: dict[str, CaseResult] = {}
    for number, text in enumerate(lines, start=1):
        where = f"{name}:{number}"
        try:
            line = json.loads(text)
            kind = line["kind"]
            if kind == "header" and header is None:
                header = _header(line, where)
            elif header is None:
                raise SpecError(f"{where}: the first line is not the header of a report")
            elif kind == "case":
                result = _result(line)
                if result.case.id in results:
                    raise SpecError(f"{where}: the case {result.case.id} is here twice")
                results[result.case.id] = result
            elif kind == "footer" and footer is None:
                footer = Footer(line["seconds"], line["conforms"], line["interrupted"])
            else:
                raise SpecError(f"{where}: a second {kind!r} line")
        except (ValueError, KeyError, TypeError) as problem:
            raise SpecError(f"{where}: not a line of a report", detail=f"  {problem}") from problem
    if header is None:
        raise SpecError(f"{name}: the report is empty")
    if footer is None:
        raise SpecError(f"{name}: the footer is missing: the run did not come to its end")
    ordered = sorted(results.values(), key=lambda result: catalogue_order(result.case))
    return Report(header, tuple(ordered), footer)


def _header(line: Mapping[str, Any], where: str) -> Header:
    if line["format"] != FORMAT:
        raise SpecError(f"{where}: format {line['format']!r} is not known", hint="use a newer runtimebuilder")
    return Header(
        subject=line["subject"],
        image_id=line["image_id"],
        platform=line["platform"],
        probe=line["probe"],
        box=line["box"],
        tool=line["tool"],
        strict=line["strict"],
        selected=line["selected"],
        explicit=line["explicit"],
        arguments=tuple(line["arguments"]),
    )


def _result(line: Mapping[str, Any]) -> CaseResult:
    one = Case(
        id=line["id"],
        level=Level(line["level"]),
        judgement=line["judgement"],
        requirement=line["requirement"],
        page=line["page"],
        section=line["section"],
        needs=(),
        slow=None,
        module="",
        function="",
    )
    return CaseResult(
        case=one,
        state=State(line["state"]),
        seconds=line["seconds"],
        reason=line["reason"],
        expected=line["expected"],
        seen=line["seen"],
        evidence=Evidence(line["transcript"], line["log"]),
        known_failing=line.get("known_failing"),
    )
