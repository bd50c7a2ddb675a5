"""What programs read, and reading it back."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json

import pytest

from runtimebuilder.conformance.report.jsonlines import JsonLines, read_reports
from runtimebuilder.conformance.report.result import CaseResult, Evidence, Report, State
from runtimebuilder.errors import SpecError
from tests.unit.conformance import reports

REPORT = reports.report(
    reports.failed(), reports.skipped(), reports.passed(), reports.errored(), reports.unsupported()
)
KNOWN = reports.report(reports.known("RT-001-a", "issue 7"), reports.passes_now("RT-002-b"))


def written(report: Report, run: int | None = None) -> list[str]:
    stream = io.StringIO()
    writer = JsonLines(stream, run)
    writer.begin(report.header)
    for result in report.results:
        writer.started(result.case)
        writer.finished(result)
    writer.end(report)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("report", [REPORT, KNOWN])
def test_a_report_survives_writing_and_reading(report: Report) -> None:
    assert read_reports(written(report)) == (report,)


def test_a_test_of_a_suite_keeps_its_name_and_file() -> None:
    made = reports.suite_case("SUITE-001-says hello", "hello.json")
    (found,) = read_reports(written(reports.report(CaseResult(made, State.PASSED, 1.0))))
    one = found.results[0].case
    assert (one.number, one.link) == ("says hello", "hello.json")
    assert found.again(one).endswith("--case 'says hello' -v")


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
    assert read_reports([header, *reversed(cases), footer]) == (REPORT,)


def test_a_run_without_a_footer_is_not_complete() -> None:
    (found,) = read_reports(written(REPORT)[:-2])
    assert not found.complete
    assert not found.conforms
    assert found.results == REPORT.results[:-1]


def test_half_a_line_is_what_a_killed_run_leaves() -> None:
    lines = written(REPORT)
    (found,) = read_reports([*lines[:3], lines[3][:40]])
    assert not found.complete
    assert len(found.results) == 2


def test_several_runs_in_one_file_one_after_the_other() -> None:
    other = reports.report(reports.passed())
    killed = written(REPORT)[:-1]
    found = read_reports([*written(other), *killed, *written(REPORT)])
    assert [run.complete for run in found] == [True, False, True]
    assert (found[0], found[2]) == (other, REPORT)


def test_several_runs_side_by_side_are_told_apart_by_their_numbers() -> None:
    other = reports.report(reports.failed(), reports.passed())
    one, two = written(other), written(REPORT, run=1)
    mixed = [line for pair in itertools.zip_longest(two, one, fillvalue="") for line in pair]
    assert read_reports(mixed) == (REPORT, other)


def test_long_evidence_is_bounded_and_keeps_both_ends() -> None:
    log = "first" + "x" * 1_000_000 + "last"
    result = dataclasses.replace(reports.failed(), evidence=Evidence(log=log))
    (line,) = written(reports.report(result))[1:-1]
    kept = json.loads(line)["log"]
    assert len(kept) < 201_000
    assert kept.startswith("firstx")
    assert kept.endswith("xlast")
    assert "… 800009 characters left out …" in kept


def changed(line: str, **fields: object) -> str:
    return json.dumps({**json.loads(line), **fields})


HEADER, CASE, *_, FOOTER = written(REPORT)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "r: the report is empty"),
        (written(REPORT)[1:], "r:1: the header of the report is missing"),
        ([*written(REPORT)[:2], "{", FOOTER], "r:3: not a line of a report"),
        ([*written(REPORT)[:2], '{"kind":"case"}'], "r:3: not a line of a report"),
        ([*written(REPORT)[:2], written(REPORT)[1]], "r:3: the case RT-005-long-poll-65s is here twice"),
        ([HEADER, FOOTER, CASE], "r:3: a 'case' line after the footer"),
        ([HEADER, FOOTER, "{"], "r:3: not a line of a report"),
        ([HEADER, "[" * 100_000], "r:2: not a line of a report"),
        ([HEADER, "[]"], "r:2: not a line of a report"),
        ([HEADER, changed(CASE, id="nothing")], "r:2: not a line of a report"),
        ([HEADER, changed(CASE, level="OUGHT")], "r:2: not a line of a report"),
        ([HEADER, changed(CASE, seconds="1")], "r:2: not a line of a report"),
        ([HEADER, changed(CASE, seconds=True)], "r:2: not a line of a report"),
        ([HEADER, CASE.replace('"seconds": 60.1', '"seconds": 1e999')], "r:2: not a line of a report"),
        ([HEADER, changed(CASE, run=[])], "r:2: not a line of a report"),
        ([HEADER, changed(CASE, kind="cast")], "r:2: a line of kind 'cast' is not known"),
        (["a,b,c"], "r:1: not a line of a report"),
        ([written(REPORT)[0].replace('"format": 1', '"format": 9')], "r:1: format 9 is not known"),
    ],
)
def test_a_broken_report_is_refused_by_line(lines: list[str], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_reports(lines, "r")
    assert caught.value.message == message
