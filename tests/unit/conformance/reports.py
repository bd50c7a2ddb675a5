"""A report to render and to write, without an engine."""

from __future__ import annotations

import dataclasses

from runtimebuilder.conformance.case import Case, Level, SuiteCase
from runtimebuilder.conformance.report.result import (
    CaseResult,
    Evidence,
    Footer,
    Header,
    Report,
    State,
    conforms,
)

HEADER = Header(
    subject="legacy-php:7",
    image_id="sha256:0123",
    platform="linux/amd64",
    probe="php-function",
    box="uid 993, read-only, 128 MB, no network, API at 127.0.0.1:9001",
    tool="0.1.0",
    strict=False,
    selected=6,
    explicit=False,
    arguments=("--env", "A=b c"),
)


def make_case(identity: str, level: Level, *, section: str = "Response", judgement: bool = False) -> Case:
    return Case(
        id=identity,
        level=level,
        judgement=judgement,
        requirement="A runtime sets no timeout on next: the environment can be frozen for long.",
        page="runtimes-api",
        section=section,
        needs=(),
        slow=None,
        module="",
        function="",
    )


def suite_case(identity: str, page: str) -> SuiteCase:
    facts = dataclasses.asdict(make_case(identity, Level.MUST, section="hello"))
    return SuiteCase(**{**facts, "page": page})


def passed(identity: str = "RT-060-response-basic", level: Level = Level.MUST) -> CaseResult:
    return CaseResult(make_case(identity, level), State.PASSED, 0.5)


def failed(
    identity: str = "RT-005-long-poll-65s", level: Level = Level.MUST, *, judgement: bool = False
) -> CaseResult:
    return CaseResult(
        make_case(identity, level, section="Finding the API and next", judgement=judgement),
        State.FAILED,
        60.1,
        expected="one GET next, still open after 65 s",
        seen="closed by the runtime after 60.0 s",
        evidence=Evidence(
            transcript="→ GET /2018-06-01/runtime/invocation/next                             0.003\n"
            "✕ connection closed by peer                                          60.003",
            log="cURL error 28: timed out",
        ),
    )


def known(identity: str, reason: str = "", level: Level = Level.MUST) -> CaseResult:
    return dataclasses.replace(failed(identity, level), known_failing=reason)


def passes_now(identity: str, reason: str = "") -> CaseResult:
    return dataclasses.replace(passed(identity), known_failing=reason)


def errored(identity: str = "RT-061-framing") -> CaseResult:
    return CaseResult(make_case(identity, Level.MUST), State.ERRORED, 1.0, reason="the engine went away")


def unsupported(identity: str = "RT-087-non-object-events") -> CaseResult:
    return CaseResult(
        make_case(identity, Level.MUST),
        State.UNSUPPORTED,
        0.0,
        reason="a web application takes HTTP events only",
    )


def skipped(identity: str = "RT-006-long-poll-130s") -> CaseResult:
    return CaseResult(make_case(identity, Level.MUST), State.SKIPPED, 0.0, reason="slow: run it with --soak")


def report(
    *results: CaseResult, strict: bool = False, interrupted: bool = False, seconds: float = 47.0
) -> Report:
    verdict = conforms(results, strict=strict) and not interrupted
    return Report(
        dataclasses.replace(HEADER, strict=strict),
        results,
        Footer(seconds, conforms=verdict, interrupted=interrupted),
    )


HOSTILE = "<script>alert(1)</script> ]]> --> \x00\x1b[31m\ud800￾ %0A::error::x | `\"'&amp;\r\n"
"""What a log of an image that means harm could hold."""


def hostile() -> Report:
    """A report whose every text is hostile, and whose evidence is large."""
    one = dataclasses.replace(
        make_case("RT-005-long-poll-65s", Level.MUST, section=HOSTILE), requirement=HOSTILE, page=HOSTILE
    )
    large = HOSTILE + "x" * 1_000_000 + "\n" + HOSTILE * 100
    result = CaseResult(
        one,
        State.FAILED,
        1.0,
        expected=HOSTILE,
        seen=HOSTILE,
        evidence=Evidence(transcript=large, log=large),
    )
    wrong = dataclasses.replace(errored(), reason=HOSTILE)
    header = dataclasses.replace(
        HEADER, subject=HOSTILE, image_id=HOSTILE, platform=HOSTILE, probe=HOSTILE, box=HOSTILE, tool=HOSTILE
    )
    return Report(header, (result, wrong), Footer(2.0, conforms=False))
