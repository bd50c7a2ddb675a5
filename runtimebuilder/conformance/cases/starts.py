"""Starts of a process: how long they may take, and one that is cut short: LC-02, LC-03."""

from __future__ import annotations

import time

from runtimebuilder.conformance.case import Level, case
from runtimebuilder.conformance.environment import PROMPTLY, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import require, shown
from runtimebuilder.sandbox.limits import INIT_LIMIT

SECTION = "Lifecycle"
WELL_UNDER = INIT_LIMIT / 2  # seconds
MOMENTS = (0.05, 0.2, 1.0)  # seconds after the start at which a process that is not ready is killed
SECONDS = 20  # the function's timeout


@case(
    "LC-02-init-under-10s",
    Level.SHOULD,
    judgement=True,
    requirement="A runtime with a handler that does nothing asks for its first event well within 10 s: in 5 s.",
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_init_under_10s(environments: Environments) -> None:
    opened = environments.open()
    opened.start()
    started = time.monotonic()  # the engine's own time is not the runtime's
    opened.ready()
    seconds = time.monotonic() - started
    require(seconds < WELL_UNDER, expected=f"GET next within {WELL_UNDER:g} s", seen=f"after {seconds:.1f} s")


@case(
    "LC-03-suppressed-init",
    Level.MUST,
    requirement=(
        "A process that was killed while it started leaves nothing behind that keeps the next one from starting "
        "with the first event."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_suppressed_init(environments: Environments) -> None:
    opened = environments.open()
    for moment in MOMENTS:
        opened.start()
        was_ready = opened.api.wait_ready(moment)
        opened.box.kill()
        opened.exit_within(PROMPTLY, after="SIGKILL")
        if was_ready:
            break
    result = opened.invoke(do("echo", value="started again"), timeout=SECONDS)
    require(
        result.kind == "response" and b"started again" in result.body,
        expected="the event answered by the process that was started for it",
        seen=f"{result.kind}: {shown(result.body)}",
    )
