"""The report for CI servers: JUnit XML, a test suite for each image.

The dialect is what CI servers agree on: `testsuites`, `testsuite`, `testcase` with `failure`, `error` or `skipped`,
`properties`, `system-out` (the wire) and `system-err` (the log). What does not fail the run is no `failure`: a SHOULD
that is not met is `skipped` with its reason, unless the run was strict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from runtimebuilder.conformance.report.result import CaseResult, Report, State
from runtimebuilder.conformance.report.text import SHOWN_CHARACTERS, bounded, printable


def junit_xml(reports: Sequence[Report]) -> str:
    """The document, with its declaration. Characters that XML does not allow are escaped as Python does."""
    root = Element("testsuites", name="runtimebuilder verify")
    suites = [_suite(report) for report in reports]
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.set("time", _seconds(sum(report.seconds for report in reports)))
    root.extend(suites)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(report: Report) -> Element:
    header = report.header
    suite = Element("testsuite", name=_clean(header.subject))
    cases = [_case(report, result) for result in report.results]
    if not report.complete:
        cases.append(_unfinished(report))
    suite.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", _seconds(report.seconds))
    if header.started:
        suite.set("timestamp", _clean(header.started))
    facts = {
        "image_id": header.image_id,
        "platform": header.platform,
        "probe": header.probe,
        "box": header.box,
        "tool": header.tool,
        "strict": str(header.strict).lower(),
        "conforms": str(report.conforms).lower(),
    }
    suite.append(_properties(facts))
    suite.extend(cases)
    return suite


def _case(report: Report, result: CaseResult) -> Element:
    one = result.case
    # Servers group by class name up to its last dot: the image, then the section. A dot of their own would split them.
    classname = ".".join(part.replace(".", "_") for part in (report.header.subject, one.section))
    made = Element(
        "testcase", name=_clean(one.id), classname=_clean(classname), time=_seconds(result.seconds)
    )
    made.append(
        _properties(
            {
                "level": str(one.level),
                "judgement": str(one.judgement).lower(),
                "requirement": one.requirement,
                "link": one.link,
            }
        )
    )
    ending = _ending(report, result)
    if ending is not None:
        made.append(ending)
    for tag, text in (("system-out", result.evidence.transcript), ("system-err", result.evidence.log)):
        if text:
            SubElement(made, tag).text = _clean(text)
    return made


def _ending(report: Report, result: CaseResult) -> Element | None:
    one = result.case
    if result.passes_now:
        told = "it is said to fail, and passes now: take it out of the file of known failing cases"
        return _told("failure", "passes now", told, result.known_failing or "")
    if result.state is State.PASSED:
        return None
    if result.state is State.ERRORED:
        return _told("error", "errored", result.reason or "", result.reason or "")
    if result.state is not State.FAILED:
        return Element("skipped", message=_clean(f"{result.state}: {result.reason or ''}"))
    seen = (result.seen or "").splitlines() or [""]
    message = f"{one.shown_level} not met: {seen[0]}"
    if result.failed_as_known:
        message = f"known to fail: {result.known_failing or 'no reason given'}; {message}"
    if not result.counts(strict=report.header.strict):
        return Element("skipped", message=_clean(message))
    lines = [one.requirement]
    lines += [] if result.expected is None else [f"expected  {result.expected}"]
    lines += [f"seen      {result.seen or ''}", f"rule      {one.link}", f"again     {report.again(one)}"]
    return _told("failure", one.shown_level, message, "\n".join(lines))


def _unfinished(report: Report) -> Element:
    made = Element(
        "testcase", name="run-ended", classname=_clean(report.header.subject.replace(".", "_")), time="0"
    )
    told = (
        f"the run did not come to its end: {len(report.results)} of {report.header.selected} cases are here"
    )
    made.append(_told("error", "errored", told, told))
    return made


def _told(tag: str, kind: str, message: str, text: str) -> Element:
    made = Element(tag, type=kind, message=_clean(message))
    made.text = _clean(text)
    return made


def _properties(facts: dict[str, str]) -> Element:
    made = Element("properties")
    for name, value in facts.items():
        SubElement(made, "property", name=name, value=_clean(value))
    return made


def _clean(text: str) -> str:
    """Only characters that XML 1.0 allows; `printable` escapes surrogates, controls and non-characters."""
    return printable(bounded(text, SHOWN_CHARACTERS))


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}" if math.isfinite(seconds) else "0.000"
