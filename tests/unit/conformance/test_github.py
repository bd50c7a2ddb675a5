"""What GitHub Actions is told: commands that mean what they say, and a summary that it takes."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import pytest

from runtimebuilder.conformance.case import Level
from runtimebuilder.conformance.report.github import SUMMARY_LIMIT, GitHubReport, annotating, disarmed
from runtimebuilder.conformance.report.markdown import markdown
from runtimebuilder.conformance.report.result import Report
from tests.unit.conformance import reports


def test_what_fails_the_run_is_an_error_and_what_does_not_a_warning() -> None:
    lines = annotating(
        reports.report(
            reports.failed("RT-002-b", Level.SHOULD), reports.failed(), reports.passed(), reports.errored()
        )
    )
    assert lines == [
        (
            "::error title=MUST RT-005 long-poll-65s (legacy-php%3A7)::A runtime sets no timeout on next: the "
            "environment can be frozen for long.%0Aexpected: one GET next, still open after 65 s%0Aseen: closed by the "
            "runtime after 60.0 s%0Aagain: runtimebuilder verify legacy-php:7 --env 'A=b c' --case RT-005 -v"
        ),
        (
            "::error title=errored RT-061 framing (legacy-php%3A7)::A runtime sets no timeout on next: the environment "
            "can be frozen for long.%0Areason: the engine went away%0Aagain: runtimebuilder verify legacy-php:7 --env "
            "'A=b c' --case RT-061 -v"
        ),
        (
            "::warning title=SHOULD RT-002 b (legacy-php%3A7)::A runtime sets no timeout on next: the environment can "
            "be frozen for long.%0Aexpected: one GET next, still open after 65 s%0Aseen: closed by the runtime after "
            "60.0 s%0Aagain: runtimebuilder verify legacy-php:7 --env 'A=b c' --case RT-002 -v"
        ),
    ]


def test_a_known_failure_warns_and_one_that_passes_now_is_an_error() -> None:
    lines = annotating(reports.report(reports.known("RT-001-a", "issue 7"), reports.passes_now("RT-002-b")))
    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning"]
    assert "passes now" in lines[0]


def test_a_run_that_passed_says_nothing() -> None:
    assert annotating(reports.report(reports.passed(), reports.unsupported(), reports.skipped())) == []


@pytest.mark.parametrize(
    "report",
    [Report(reports.HEADER, (reports.passed(),), None), reports.report(reports.passed(), interrupted=True)],
)
def test_a_run_without_an_end_is_an_error(report: Report) -> None:
    (line,) = annotating(report)
    assert line.startswith("::error title=legacy-php%3A7::")


def test_of_many_the_worst_are_shown_and_the_rest_counted() -> None:
    many = [reports.failed(f"RT-{n:03}-x", judgement=True) for n in range(30)]
    lines = annotating(reports.report(*many, reports.failed("RT-100-y")))
    assert len(lines) == 10
    assert "RT-100" in lines[0]
    assert lines[-1] == "::error title=runtimebuilder::22 more stand in the step's log and summary"


def test_hostile_text_ends_no_command_and_begins_none() -> None:
    lines = annotating(reports.hostile())
    assert len(lines) == 2
    for line in lines:
        assert line.isprintable()
        properties, _, message = line.removeprefix("::error title=").partition("::")
        assert not re.search("[,:]", properties)
        assert not re.search("%(?!25|0A|0D|3A|2C)", properties + message)
        assert len(line) < 10_000


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("::add-mask::secret", ": :add-mask::secret"),
        ("          ::stop-commands::x", "          : :stop-commands::x"),
        ("log       ##[error]x", "log       ## [error]x"),
        ("in the middle :: of a line", "in the middle :: of a line"),
    ],
)
def test_a_line_of_the_image_is_no_command(line: str, told: str) -> None:
    assert disarmed(line) == told


def test_the_summary_has_the_overview_and_each_failure() -> None:
    text = markdown(
        reports.report(reports.failed(), reports.passed(), reports.failed("RT-001-a", judgement=True)), 9999
    )
    assert text.startswith(
        "### legacy-php:7 does not conform\n\n1 MUST and 1 MUST† of 3 failed in 47 s. linux/amd64"
    )
    assert "| Section | MUST | MUST† | Seconds |\n| --- | --: | --: | --: |\n" in text
    assert "| Finding the API and next | 0 of 1 F | 0 of 1 F | 120.2 |\n" in text
    assert "| **All** | **1 of 2 F** | **0 of 1 F** | **120.7** |\n" in text
    assert "<details><summary>failed: MUST RT-005 long-poll-65s</summary>\n\n" in text
    assert "\n```text\nexpected  one GET next, still open after 65 s\nseen      closed by the runtime" in text


def test_hostile_text_stays_text_in_the_summary() -> None:
    text = markdown(reports.hostile(), 100_000)
    # Two backticks of its own lie in the text at most one after the other: a fence of three holds.
    outside = re.sub("```text\n.*?\n```\n", "", text, flags=re.DOTALL)
    assert len(re.findall("```text\n", text)) == 2
    assert "<script" not in re.sub(r"\\<", "", outside)
    assert re.findall(r"(?<!\\)<(?!https://)[^>]*>", outside) == [
        "<details>",
        "<summary>",
        "</summary>",
        "</details>",
        "<details>",
        "<summary>",
        "</summary>",
        "</details>",
    ]
    fenced = dataclasses.replace(reports.failed(), seen="`````\n# not a heading")
    assert "\n``````text\n" in markdown(reports.report(fenced), 100_000)


def test_the_summary_file_grows_up_to_the_limit_and_not_over_it(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("before")
    many = reports.report(
        *[dataclasses.replace(reports.failed(f"RT-{n:03}-x"), seen="ü" * 4000) for n in range(200)]
    )
    reporter = GitHubReport(io.StringIO(), path)
    reporter.end(many)
    assert path.read_text().startswith("before\n### legacy-php:7 does not conform")
    assert "more: `runtimebuilder verify --report FILE.html` has them." in path.read_text()
    reporter.end(many)
    assert SUMMARY_LIMIT * 0.9 < path.stat().st_size <= SUMMARY_LIMIT


def test_only_in_actions_and_a_summary_that_cannot_be_written_is_only_told(tmp_path: Path) -> None:
    stream = io.StringIO()
    assert GitHubReport.of({}, stream) == []
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path / "none" / "summary")}
    (reporter,) = GitHubReport.of(environment, stream)
    reporter.end(reports.report(reports.passed()))
    assert stream.getvalue().startswith("::warning title=runtimebuilder::the summary ")
    assert stream.getvalue().endswith("cannot be written: No such file or directory\n")
