"""What programs read, and reading it back."""

from __future__ import annotations

import io
import json

import pytest

from runtimebuilder.conformance.report.jsonlines import JsonLines, read_report
from runtimebuilder.conformance.report.result import Report, State
from runtimebuilder.errors import SpecError
from tests.unit.conformance import reports

REPORT = reports.report(
    reports.failed(), reports.skipped(), reports.passed(), reports.errored(), reports.unsupported()
)
KNOWN = reports.report(reports.known("RT-001-a", "issue 7"), reports.passes_now("RT-002-b"))


def written(report: Report) -> list[str]:
    stream = io.StringIO()
    writer = JsonLines(stream)
    writer.begin(report.header)
    for result in report.results:
        writer.started(result.case)
        writer.finished(result)
    writer.end(report)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("report", [REPORT, KNOWN])
def test_a_report_survives_writing_and_reading(report: Report) -> None:
    assert read_report(written(report)) == report


def test_lines_are_ascii_and_have_a_kind() -> None:
    lines = written(REPORT)
    assert all(line.isascii() for line in lines)
    assert [json.loads(line)["kind"] for line in lines] == ["header", *["case"] * 5, "footer"]


def test_the_footer_counts_the_states() -> None:
    footer = json.loads(written(REPORT)[-1])
    assert footer["counts"] == dict.fromkeys(map(str, State), 1)
    assert footer["conforms"] is False


def test_results_are_read_in_the_catalogues_order() -> None:
    header, *cases, footer = written(REPORT)
    assert read_report([header, *reversed(cases), footer]) == REPORT


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "r: the report is empty"),
        (written(REPORT)[1:], "r:1: the first line is not the header of a report"),
        (written(REPORT)[:-1], "r: the footer is missing: the run did not come to its end"),
        ([*written(REPORT)[:2], "{"], "r:3: not a line of a report"),
        ([*written(REPORT)[:2], '{"kind":"case"}'], "r:3: not a line of a report"),
        ([*written(REPORT)[:2], written(REPORT)[1]], "r:3: the case RT-005-long-poll-65s is here twice"),
        ([written(REPORT)[0], written(REPORT)[0]], "r:2: a second 'header' line"),
        ([written(REPORT)[0].replace('"format": 1', '"format": 9')], "r:1: format 9 is not known"),
    ],
)
def test_a_broken_report_is_refused_by_line(lines: list[str], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_report(lines, "r")
    assert caught.value.message == message
