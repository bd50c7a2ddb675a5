"""Environments that are frozen between two events: LC-10, LC-11."""

from __future__ import annotations

import time

from runtimebuilder.conformance.case import Level, case
from runtimebuilder.conformance.environment import ANSWER_LIMIT, Environment, do
from runtimebuilder.conformance.expectation import require, shown
from runtimebuilder.emulator.exchange import Route

SECTION = "Lifecycle"
FROZEN = 1.5  # seconds
AFTERWARDS = 0.4  # seconds in which timers go off that fell due in the freezer
WORK = 0.5  # seconds that the handler's background work takes
_FILE = "/tmp/probe-background"  # noqa: S108 - in the box


@case(
    "LC-10-freeze-thaw-clock",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "A runtime that was frozen between two events goes on in silence: the jump of the clock sets off no "
        "errors and no requests."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_freeze_thaw_clock(fresh: Environment) -> None:
    fresh.require_echo("before the freezer")
    fresh.require_next(fresh.exchanges(Route.RESPONSE)[-1].number, when="its answer")
    fresh.box.freeze()
    time.sleep(FROZEN)
    requests, printed = len(fresh.exchanges()), len(fresh.log())
    fresh.box.thaw()
    time.sleep(AFTERWARDS)
    said = fresh.log()[printed:].strip()
    require(not said, expected="nothing printed when it was thawed", seen=shown(said))
    asked = len(fresh.exchanges()) - requests
    require(asked == 0, expected="the same GET next still open", seen=f"{asked} more requests")
    fresh.require_echo("after the freezer", because=f"after {FROZEN:g} s in the freezer")


@case(
    "LC-11-freeze-while-background",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "What goes on in the background when an environment is frozen goes on after it, and every event is "
        "answered once under its own id."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_freeze_while_background(fresh: Environment) -> None:
    begun = fresh.send(do("background", seconds=WORK, path=_FILE))
    fresh.value(begun)
    fresh.require_next(fresh.posts(Route.RESPONSE, begun.request_id)[-1].number, when="its answer")
    fresh.box.freeze()
    meanwhile = fresh.send(do("echo", value="meanwhile"))
    time.sleep(1.0)
    fresh.box.thaw()
    value = fresh.value(meanwhile)
    require(value == "meanwhile", expected="the event that came meanwhile answered", seen=shown(value))
    end = time.monotonic() + WORK + ANSWER_LIMIT
    while (seen := fresh.ask(do("read", path=_FILE))) != "done":
        require(time.monotonic() < end, expected="the background work done", seen=shown(seen))
        time.sleep(0.1)
    for sent in (begun, meanwhile):
        posts = len(fresh.posts(Route.RESPONSE, sent.request_id))
        require(posts == 1, expected="one answer to each event", seen=f"{posts} to one of them")
