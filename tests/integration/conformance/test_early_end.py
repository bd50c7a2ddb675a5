"""A runtime that does not work at all is judged soon, and never as conforming."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from runtimebuilder.conformance.report.result import Report, State
from runtimebuilder.engine.docker import Engine
from runtimebuilder.local.invoke import invoke
from tests.integration.conformance.conftest import Judge

# What stands in the bootstrap's place: it stays, and never speaks; it takes an event, and never answers.
SILENT = r"RUN printf '#!/bin/sh\nexec sleep 600\n' > /var/runtime/bootstrap"
TAKES_ONLY = (
    r"RUN printf '#!/usr/bin/python3\nimport os, time, urllib.request\n"
    r'api = os.environ["AWS_LAMBDA_RUNTIME_API"]\n'
    r'urllib.request.urlopen("http://" + api + "/2018-06-01/runtime/invocation/next").read()\n'
    r"time.sleep(600)\n' > /var/runtime/bootstrap"
)
GONE = "RUN rm /lambda-entrypoint.sh"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        pytest.param(SILENT, "the runtime never asked for an event (see RT-001)", id="silent"),
        pytest.param(TAKES_ONLY, "the runtime never answered an event (see RT-001)", id="takes-only"),
        pytest.param(GONE, "the image could not be started (see RT-001)", id="gone"),
    ],
)
def test_the_rest_is_not_tried(judge: Judge, variant: Callable[[str], str], lines: str, why: str) -> None:
    image = variant(lines)
    started = time.monotonic()
    report = judge(image)
    assert time.monotonic() - started < 150  # half a minute where nothing else runs
    assert not report.conforms
    assert reason(report, "RT-131") == f"not reached: {why}"
    assert report.count(State.ERRORED) == 0
    ran = {result.case.number for result in report.results if result.state in (State.PASSED, State.FAILED)}
    assert {"RT-001", "IM-03", "IM-04"} <= ran  # what can be said of the image is still said
    assert len(ran) < 25


def test_shoulds_alone_do_not_make_it_conform(judge: Judge, variant: Callable[[str], str]) -> None:
    report = judge(variant(SILENT), "RT-037", "RT-062", "RT-111", "RT-112")
    assert [str(result.state) for result in report.results] == ["failed", "failed", "failed", "skipped"]
    assert not report.conforms


@pytest.mark.parametrize(("lines", "asked"), [(SILENT, False), (TAKES_ONLY, True)])
def test_an_invoke_tells_whether_the_runtime_asked_for_an_event(
    engine: Engine, variant: Callable[[str], str], lines: str, asked: bool
) -> None:
    (done,) = invoke(engine, variant(lines), [b"{}"], handler="index.handler", timeout=2.0)
    assert done.result.kind == "timeout"
    assert done.asked is asked


def reason(report: Report, number: str) -> str | None:
    (found,) = (result for result in report.results if result.case.number == number)
    return found.reason
