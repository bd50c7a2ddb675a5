"""The unbroken miniature passes the whole suite: what the suite demands can be done."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtimebuilder.conformance.case import builtin_cases
from runtimebuilder.conformance.report.result import State
from runtimebuilder.conformance.run import VerifyOptions, verify
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.resources import volumes_with_label
from runtimebuilder.sandbox.run import LABEL
from tests.integration.conformance.conftest import Judge

# They differ in nothing but how long they take; the shortest of them runs.
LONG_POLLS = ("RT-005", "RT-006", "RT-007")
COMMAND = Path(sys.executable).parent / "runtimebuilder"


@pytest.fixture(scope="module")
def long_poll(miniature: str) -> Iterator[subprocess.Popen[str]]:
    """The case that takes 65 s, in a process of its own beside the other tests of this module."""
    process = subprocess.Popen(
        [COMMAND, "verify", miniature, "--case", "RT-005"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.usefixtures("long_poll")
def test_every_case_passes(judge: Judge, miniature: str) -> None:
    report = judge(miniature)
    wrong = [
        f"{result.case.id}: {result.state}: expected {result.expected}, seen {result.seen} {result.reason or ''}"
        for result in report.results
        if result.state not in (State.PASSED, State.SKIPPED)
    ]
    assert not wrong, "\n".join(wrong)
    skipped = [result.case.number for result in report.results if result.state is State.SKIPPED]
    assert skipped == [one.number for one in builtin_cases() if one.slow]
    assert report.conforms


def test_the_other_slow_cases_pass(judge: Judge, miniature: str) -> None:
    slow = [one.number for one in builtin_cases() if one.slow and one.number not in LONG_POLLS]
    report = judge(miniature, *slow)
    assert report.count(State.PASSED) == len(slow), [result.seen for result in report.results]


def test_every_section_passes_through_the_gateway_link(judge: Judge, miniature: str) -> None:
    report = judge(miniature, "RT-00[13]*", "RT-03*", "RT-06*", "RT-13*", "RT-15*", link="gateway")
    assert report.count(State.PASSED) == len(report.results) > 20
    assert "gateway" in report.header.box


@pytest.mark.parametrize("link", ["namespace", "gateway", "host"])
def test_a_verdict_is_the_same_through_each_link(judge: Judge, miniature: str, link: str) -> None:
    mutant = {"MUTATION": "response-twice"}
    report = judge(
        miniature, "RT-001", "RT-003", "RT-060", "RT-061", "RT-087", "RT-150", link=link, env=mutant
    )
    assert [result.case.number for result in report.results if result.state is State.FAILED] == ["RT-060"]
    assert report.count(State.PASSED) == 5
    assert {"namespace": "127.0.0.1:9001", "gateway": "gateway", "host": "host.docker"}[
        link
    ] in report.header.box


def test_the_65_seconds_of_a_long_poll_are_held(long_poll: subprocess.Popen[str]) -> None:
    output, _ = long_poll.communicate(timeout=120)
    assert "all 1 passed" in output, output
    assert long_poll.returncode == 0


def test_nothing_is_left_in_the_engine(engine: Engine, miniature: str) -> None:
    def ours() -> set[str]:
        labels = [image.labels[LABEL] for image in engine.images_with_label(LABEL)]
        labels += [volume for volume, _ in volumes_with_label(engine, LABEL)]
        return {label for label in labels if f"{os.getpid()}-" in label}

    before = ours()  # of the run that the tests share
    report = verify(engine, miniature, VerifyOptions(cases=("RT-06[0-3]*", "IM-*")))
    assert report.count(State.PASSED) > 5
    assert ours() <= before
