"""What people read."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console

from runtimebuilder.conformance.case import Level
from runtimebuilder.conformance.report.result import Report
from runtimebuilder.conformance.report.terminal import TerminalReport, summary, table, wire_line
from tests.unit.conformance import reports


def rendered(report: Report, *, verbose: bool = False, report_file: str | None = None) -> str:
    text = io.StringIO()
    console = Console(file=text, width=10_000, markup=False, highlight=False)
    reporter = TerminalReport(console, verbose=verbose, report_file=report_file)
    reporter.begin(report.header)
    reporter.end(report)
    return text.getvalue()


def test_a_failure_says_what_was_wanted_what_was_seen_and_how_to_see_it_again() -> None:
    assert """
MUST  RT-005 long-poll-65s                                          runtimes-api
      A runtime sets no timeout on next: the environment can be frozen for long.
      expected  one GET next, still open after 65 s
      seen      closed by the runtime after 60.0 s
        → GET /2018-06-01/runtime/invocation/next                          0.003
        ✕ connection closed by peer                                       60.003
      log       cURL error 28: timed out
      rule      https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
      again     runtimebuilder verify legacy-php:7 --env 'A=b c' --case RT-005 -v
""" in rendered(reports.report(reports.failed(), reports.passed()))


def test_a_report_fits_80_columns() -> None:
    text = rendered(
        reports.report(
            reports.failed(),
            reports.passed(),
            reports.errored(),
            *[reports.unsupported(f"RT-{n:03}-x") for n in range(30)],
        )
    )
    wide = [line for line in text.splitlines() if len(line) > 80 and "again " not in line]
    assert not wide


def test_a_section_counts_what_passed_and_what_failed_by_level_judgements_apart() -> None:
    lines = table(
        [
            reports.failed("RT-001-a"),
            reports.failed("RT-002-b", judgement=True),
            reports.failed("RT-003-c", Level.SHOULD),
            reports.passed("RT-060-d"),
            reports.errored("RT-061-e"),
            reports.unsupported(),
            reports.skipped(),
        ]
    )
    assert [" ".join(line.split()) for line in lines] == [
        "Finding the API and next 0 of 3 1 MUST 1 MUST† 1 SHOULD 180.3 s",
        "Response 1 of 2 1 errored 1.5 s",
    ]


def test_a_judgement_is_explained_only_where_one_failed() -> None:
    assert "†" in rendered(reports.report(reports.failed(judgement=True)))
    assert "†" not in rendered(reports.report(reports.failed()))


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (reports.report(reports.passed(), reports.passed()), "all 2 passed in 47 s"),
        (reports.report(reports.passed(), seconds=1.26), "all 1 passed in 1.3 s"),
        (reports.report(reports.passed(), reports.failed()), "1 MUST of 2 failed in 47 s"),
        (
            reports.report(reports.failed(), reports.failed(level=Level.SHOULD), reports.passed()),
            "1 MUST and 1 SHOULD of 3 failed in 47 s",
        ),
        (
            reports.report(reports.failed(level=Level.SHOULD), reports.passed()),
            "1 SHOULD of 2 failed in 47 s; no MUST failed, so the image conforms",
        ),
        (reports.report(reports.failed(level=Level.SHOULD), strict=True), "1 SHOULD of 1 failed in 47 s"),
        (reports.report(reports.errored(), reports.passed()), "1 errored of 2 in 47 s"),
        (reports.report(reports.errored(), reports.failed()), "1 MUST of 2 failed, 1 errored in 47 s"),
        (
            reports.report(reports.known("RT-001-a", "ours"), reports.passed()),
            "1 failed as known of 2 in 47 s; no other MUST failed",
        ),
        (
            reports.report(reports.known("RT-001-a", level=Level.SHOULD), reports.failed(level=Level.MAY)),
            "1 MAY of 2 failed, 1 failed as known in 47 s; no MUST failed, so the image conforms",
        ),
        (
            reports.report(reports.known("RT-001-a"), reports.passes_now("RT-060-b"), reports.errored()),
            "1 failed as known of 3, 1 passing though known to fail, 1 errored in 47 s",
        ),
        (reports.report(reports.unsupported()), "nothing of this can be shown on this image in 47 s"),
        (
            reports.report(reports.passed(), reports.skipped(), interrupted=True),
            "interrupted after 1 cases in 47 s",
        ),
    ],
)
def test_the_last_line_says_it_all(report: Report, line: str) -> None:
    assert summary(report) == line


def test_what_was_not_shown_is_told_with_its_reason() -> None:
    text = rendered(reports.report(reports.passed(), reports.unsupported(), reports.skipped()))
    assert "unsupported     1  a web application takes HTTP events only: RT-087" in text
    assert "skipped         1  slow: run it with --soak: RT-006" in text


def test_an_error_of_the_suite_is_not_told_as_a_failure_of_the_image() -> None:
    text = rendered(reports.report(reports.errored()))
    assert "ERROR  RT-061 framing" in text
    assert "says nothing about the image" in text
    assert "reason    the engine went away" in text


def test_a_known_failure_is_told_in_one_line_unless_verbose() -> None:
    report = reports.report(reports.known("RT-062-type", "issue 7"), reports.passed())
    assert "known to fail   1  issue 7: RT-062" in rendered(report)
    assert "RT-062 type" not in rendered(report)
    assert "MUST  RT-062 type" in rendered(report, verbose=True)


def test_what_is_said_to_fail_and_passes_is_told() -> None:
    text = rendered(reports.report(reports.passes_now("RT-062-type", "issue 7")))
    assert "PASSES  RT-062 type" in text
    assert "take it out of the file of known\n      failing cases." in text
    assert "known     issue 7" in text


def test_verbose_lists_every_case() -> None:
    text = rendered(reports.report(reports.passed(), reports.failed()), verbose=True)
    assert "passed      MUST    RT-060-response-basic" in text
    assert "failed      MUST    RT-005-long-poll-65s" in text


def test_the_report_file_is_named_in_the_last_line() -> None:
    text = rendered(reports.report(reports.passed()), report_file="out.jsonl")
    assert text.splitlines()[-1].endswith("report: out.jsonl")
    assert len(text.splitlines()[-1]) <= 80


def test_a_wire_line_keeps_its_time_and_shortens_ids() -> None:
    line = "→ POST /2018-06-01/runtime/invocation/03ba6438-e6c5-4256-8624-03a68d044efe/response  5 bytes    0.049"
    assert wire_line(line, 72) == "→ POST /2018-06-01/runtime/invocation/03ba6438…/response  5 bytes  0.049"
    assert wire_line("x" * 100, 10) == "xxxxxxxxx…"


def test_cases_that_were_not_reached_are_counted_and_not_listed() -> None:
    reason = "not reached: the runtime never asked for an event (see RT-005)"
    left = [dataclasses.replace(reports.skipped(f"RT-{n}-x"), reason=reason) for n in range(100, 160)]
    report = reports.report(reports.failed(), reports.passed(), *left)
    text = rendered(report)
    assert "  skipped        60  not reached: the runtime never asked for an event (see\n" in text
    assert "RT-100" not in text
    assert summary(report) == "1 MUST of 2 failed, 60 not reached in 47 s"


def test_the_slowest_ten_are_told_where_many_ran() -> None:
    timed = [dataclasses.replace(reports.passed(f"RT-{n:03}-x"), seconds=n / 10) for n in range(20)]
    assert """
  slowest        10  RT-019 1.9 s, RT-018 1.8 s, RT-017 1.7 s, RT-016 1.6 s,
                     RT-015 1.5 s, RT-014 1.4 s, RT-013 1.3 s, RT-012 1.2 s,
                     RT-011 1.1 s, RT-010 1.0 s
""" in rendered(reports.report(*timed))
    assert "slowest" not in rendered(reports.report(*timed[1:]))


def test_no_control_character_of_the_image_reaches_the_terminal() -> None:
    text = rendered(reports.hostile(), verbose=True)
    assert "\\x1b[31m" in text
    assert not [char for char in text if not (char.isprintable() or char == "\n")]


def test_a_run_without_an_end_says_so_in_its_last_line() -> None:
    killed = Report(reports.HEADER, (reports.passed(),), None)
    assert summary(killed) == "the run did not come to its end: 1 of 6 cases in 0.5 s"
    assert rendered(killed).splitlines()[-1] == summary(killed)
