"""What CI servers read."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from runtimebuilder.conformance.case import Level
from runtimebuilder.conformance.report.junit import junit_xml
from runtimebuilder.conformance.report.result import Report
from tests.unit.conformance import reports


def parsed(*runs: Report) -> ET.Element:
    return ET.fromstring(junit_xml(runs).encode())


def numbers(element: ET.Element) -> dict[str, int]:
    return {name: int(element.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}


def test_a_run_is_a_suite_with_its_facts_and_numbers() -> None:
    root = parsed(
        reports.report(
            reports.failed(), reports.skipped(), reports.passed(), reports.errored(), reports.unsupported()
        )
    )
    (suite,) = root
    assert suite.attrib["name"] == "legacy-php:7"
    assert suite.attrib["time"] == "47.000"
    assert numbers(suite) == {"tests": 5, "failures": 1, "errors": 1, "skipped": 2}
    facts = {each.attrib["name"]: each.attrib["value"] for each in suite.findall("properties/property")}
    assert facts["platform"] == "linux/amd64"
    assert facts["conforms"] == "false"


def test_a_failure_says_all_that_a_person_needs() -> None:
    (case,) = parsed(reports.report(reports.failed(judgement=True))).iter("testcase")
    assert case.attrib["name"] == "RT-005-long-poll-65s"
    assert case.attrib["classname"] == "legacy-php:7.Finding the API and next"
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib == {
        "type": "MUST†",
        "message": "MUST† not met: closed by the runtime after 60.0 s",
    }
    assert (failure.text or "").splitlines() == [
        "A runtime sets no timeout on next: the environment can be frozen for long.",
        "expected  one GET next, still open after 65 s",
        "seen      closed by the runtime after 60.0 s",
        "rule      https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html",
        "again     runtimebuilder verify legacy-php:7 --env 'A=b c' --case RT-005 -v",
    ]
    assert "✕ connection closed by peer" in (case.findtext("system-out") or "")
    assert case.findtext("system-err") == "cURL error 28: timed out"


def test_what_does_not_fail_the_run_is_no_failure() -> None:
    results = (reports.failed(level=Level.SHOULD), reports.failed("RT-006-x", Level.MAY))
    assert numbers(parsed(reports.report(*results))) == {"tests": 2, "failures": 0, "errors": 0, "skipped": 2}
    strict = parsed(reports.report(*results, strict=True))
    assert numbers(strict) == {"tests": 2, "failures": 1, "errors": 0, "skipped": 1}


def test_a_known_failure_is_none_and_one_that_passes_now_is() -> None:
    suite = parsed(reports.report(reports.known("RT-001-a", "issue 7"), reports.passes_now("RT-002-b")))
    assert numbers(suite) == {"tests": 2, "failures": 1, "errors": 0, "skipped": 1}
    known = suite.find(".//skipped")
    assert known is not None
    assert known.attrib["message"].startswith("known to fail: issue 7; MUST not met: ")
    assert suite.find(".//testcase[@name='RT-002-b']/failure") is not None


def test_several_runs_are_several_suites_and_their_sums() -> None:
    root = parsed(reports.report(reports.failed()), reports.report(reports.passed(), reports.unsupported()))
    assert numbers(root) == {"tests": 3, "failures": 1, "errors": 0, "skipped": 1}
    assert [suite.attrib["failures"] for suite in root] == ["1", "0"]


def test_a_run_without_an_end_is_an_error_even_when_all_it_tried_passed() -> None:
    (suite,) = parsed(Report(reports.HEADER, (reports.passed(),), None))
    assert suite.attrib["errors"] == "1"
    error = suite.find("testcase[@name='run-ended']/error")
    assert error is not None
    assert error.attrib["message"] == "the run did not come to its end: 1 of 6 cases are here"


def test_hostile_text_stays_text_and_is_bounded() -> None:
    text = junit_xml([reports.hostile()])
    assert len(text) < 300_000
    root = ET.fromstring(text.encode())
    assert not list(root.iter("script"))
    shown = root.findtext(".//system-err") or ""
    assert shown.startswith("<script>alert(1)</script> ]]> --> \\x00\\x1b[31m\\ud800\\ufffe %0A::error::x")
    assert "characters left out" in shown
