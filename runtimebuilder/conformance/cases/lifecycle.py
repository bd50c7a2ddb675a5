"""Lives of a process and of its environment: RT-008, RT-009, LC-06 to LC-20."""

from __future__ import annotations

import time
import uuid

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import PROMPTLY, Environment, context_field, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import require, shown
from runtimebuilder.emulator.exchange import Route

SECTION = "Lifecycle"
FROZEN = 3.0  # seconds
SECONDS = 10  # the function's timeout where it is not the point
SHORT = 1  # ... and where it is


@case(
    "RT-008-freeze-in-next",
    Level.MUST,
    requirement=(
        "A runtime that was frozen while next waited goes on waiting: time that has passed is no timeout."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_freeze_in_next(fresh: Environment) -> None:
    fresh.box.freeze()
    time.sleep(FROZEN)
    fresh.box.thaw()
    time.sleep(0.3)  # for what a runtime does that takes the freeze for a timeout
    _require_one_next(fresh)
    fresh.require_echo("thawed", because=f"after {FROZEN:g} s in the freezer")


@case(
    "RT-009-freeze-then-data-waiting",
    Level.MUST,
    requirement="An event that came while the runtime was frozen is handled once it is thawed.",
    page="runtimes-api",
    section=SECTION,
)
def test_freeze_then_data_waiting(fresh: Environment) -> None:
    fresh.box.freeze()
    sent = fresh.send(do("echo", value="waiting"))
    time.sleep(FROZEN)
    _require_one_next(fresh)
    fresh.box.thaw()
    value = fresh.value(sent)
    require(value == "waiting", expected="the event handled after the thaw", seen=shown(value))
    nexts = [one for one in fresh.exchanges(Route.NEXT) if one.request_id == sent.request_id]
    require(len(nexts) == 1, expected="one GET next for it", seen=f"{len(nexts)}")


@case(
    "LC-06-restart-after-crash",
    Level.MUST,
    requirement=(
        "After a crash a new process serves in the same environment, where /tmp is as the old one left it."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_restart_after_crash(fresh: Environment) -> None:
    text = _write_to_tmp(fresh)
    fresh.send(do("sleep", seconds=5))
    time.sleep(0.2)  # it is in the middle of it
    fresh.box.kill()
    fresh.exit_within(PROMPTLY, after="SIGKILL")
    fresh.box.restart()
    fresh.ready()
    _require_in_tmp(fresh, text, because="after a crash")


@case(
    "LC-07-restart-after-timeout",
    Level.MUST,
    requirement=(
        "After a timeout a new process serves in the same environment, where /tmp is as the old one left it."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.HANG,),
)
def test_restart_after_timeout(fresh: Environment) -> None:
    text = _write_to_tmp(fresh)
    fresh.invoke(do("hang", seconds=30), timeout=SHORT)
    result = fresh.invoke(do("echo", value="again"), timeout=SECONDS)
    right = result.kind == "response" and b"again" in result.body
    require(right, expected="the next event served", seen=f"{result.kind}: {shown(result.body)}")
    _require_in_tmp(fresh, text, because="after a timeout")


@case(
    "LC-15-sigterm-handling",
    Level.SHOULD,
    judgement=True,
    requirement="A runtime that waits for an event ends promptly on SIGTERM: with 0 or by the signal.",
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_sigterm_handling(fresh: Environment) -> None:
    fresh.box.kill("SIGTERM")
    found = fresh.exit_within(PROMPTLY, after="SIGTERM")
    require(found.code in (0, 143), expected="exit 0, or by SIGTERM", seen=found.describe())


@case(
    "LC-18-tmp-persists",
    Level.MUST,
    requirement="What a handler writes to /tmp is there for the next event, and not in another environment.",
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_tmp_persists(fresh: Environment, environments: Environments) -> None:
    text = _write_to_tmp(fresh)
    _require_in_tmp(fresh, text, because="for the next event")
    other = environments.open().started_and_ready()
    seen = other.ask(do("read", path=_FILE))
    require(seen is None, expected="nothing of it in another environment", seen=shown(seen))


@case(
    "LC-19-warm-globals",
    Level.SHOULD,
    requirement="What a handler keeps in memory is there for the next event of the same process.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.PROCESS,),
)
def test_warm_globals(warm: Environment) -> None:
    first = warm.ask(do("counter"))
    for number in (1, 2, 3):
        seen = warm.ask(do("counter"))
        require(seen == first + number, expected=f"the counter at {first + number}", seen=shown(seen))


@case(
    "LC-20-handler-exception-keeps-warm",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "An exception of the handler does not end the process: the next event is served by the same one."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(
        Need.RAISE,
        Need.PROCESS,
        Need.CONTEXT,
    ),
)
def test_exception_keeps_warm(fresh: Environment) -> None:
    before = context_field(fresh.ask(do("context")), "pid")
    fresh.outcome(fresh.send(do("raise", message="no reason to end")))
    fresh.require_same_process(because="after an exception")
    after = context_field(fresh.ask(do("context")), "pid")
    require(after == before, expected=f"process {before}", seen=f"process {after}")


_FILE = "/tmp/probe-was-here"  # noqa: S108 - in the box


def _write_to_tmp(environment: Environment) -> str:
    text = str(uuid.uuid4())
    written = environment.ask(do("write", path=_FILE, text=text))
    require(written == {"ok": True}, expected=f"{_FILE} written", seen=shown(written))
    return text


def _require_in_tmp(environment: Environment, text: str, *, because: str) -> None:
    seen = environment.ask(do("read", path=_FILE))
    require(seen == text, expected=f"{_FILE} as it was written, {because}", seen=shown(seen))


def _require_one_next(environment: Environment) -> None:
    nexts = environment.exchanges(Route.NEXT)
    gone = [one for one in nexts if one.peer_closed is not None]
    right = len(nexts) == 1 and not gone
    require(right, expected="one GET next, still open", seen=f"{len(nexts)}, {len(gone)} of them given up")
