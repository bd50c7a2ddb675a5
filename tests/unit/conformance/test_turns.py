"""Several runs at the same time, told one after the other."""

from __future__ import annotations

import io
import json

from runtimebuilder.conformance.report.jsonlines import JsonLines
from runtimebuilder.conformance.report.turns import Turns
from tests.unit.conformance import reports


def test_lines_of_a_run_wait_for_the_run_before() -> None:
    stream, turns = io.StringIO(), Turns()
    first, second, third = (turns.reporter(JsonLines(stream)) for _ in range(3))
    for run in (first, second, third):
        run.begin(reports.HEADER)
    third.finished(reports.passed("RT-030-c"))
    third.end(reports.report())
    second.started(reports.passed("RT-020-b").case)
    second.finished(reports.passed("RT-020-b"))
    assert told(stream) == ["header"]
    first.finished(reports.passed("RT-010-a"))
    assert told(stream) == ["header", "RT-010-a"]
    first.end(reports.report())
    assert told(stream) == ["header", "RT-010-a", "footer", "header", "RT-020-b"]
    second.finished(reports.passed("RT-021-b"))
    second.end(reports.report())
    assert told(stream)[5:] == ["RT-021-b", "footer", "header", "RT-030-c", "footer"]


def told(stream: io.StringIO) -> list[str]:
    return [line.get("id", line["kind"]) for line in map(json.loads, stream.getvalue().splitlines())]
