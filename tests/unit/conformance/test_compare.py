"""Runs side by side, on a terminal."""

from __future__ import annotations

import dataclasses

from runtimebuilder.conformance.case import Level
from runtimebuilder.conformance.report.compare import comparison, letter
from runtimebuilder.conformance.report.result import Report
from tests.unit.conformance import reports

FIRST = reports.report(
    reports.failed(), reports.failed("RT-002-b", Level.SHOULD), reports.passed(), reports.unsupported()
)
SECOND = dataclasses.replace(
    reports.report(reports.passed("RT-005-long-poll-65s"), reports.passed(), reports.errored()),
    header=dataclasses.replace(reports.HEADER, subject="newer-php:8"),
)


def lines(*runs: Report, verbose: bool = False) -> list[str]:
    return [line.plain for line in comparison(runs, verbose=verbose)]


def test_cases_that_failed_somewhere_stand_in_rows_and_runs_in_columns() -> None:
    assert lines(FIRST, SECOND) == [
        "A  legacy-php:7   linux/amd64   probe php-function",
        "   1 MUST and 1 SHOULD of 3 failed in 47 s",
        "B  newer-php:8   linux/amd64   probe php-function",
        "   1 errored of 3 in 47 s",
        "",
        "                                A  B",
        "Finding the API and next",
        "  SHOULD  RT-002-b              f  ·",
        "  MUST    RT-005-long-poll-65s  F  P",
        "Response",
        "  MUST    RT-061-framing        ·  E",
        "",
        "F failed, E errored, f failed (not counted), P passed, · not in this run; -v shows the 2 other cases",
    ]


def test_verbose_has_every_case() -> None:
    assert "  MUST    RT-060-response-basic     P  P" in lines(FIRST, SECOND, verbose=True)


def test_nothing_to_show_is_said() -> None:
    passed = reports.report(reports.passed(), reports.skipped())
    assert lines(passed, passed)[-1] == "no case failed in any run; -v shows the 2 other cases"


def test_names_of_columns_go_on_behind_z() -> None:
    assert [letter(number) for number in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
