"""What a handler starts beside itself, and what dies of too much memory: RT-094, RT-130, RT-133."""

from __future__ import annotations

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.cases.process_ends import SECTION, SHORT
from runtimebuilder.conformance.environment import Environment, do
from runtimebuilder.conformance.expectation import CaseBroken, require, shown, unsupported
from runtimebuilder.emulator.exchange import Route
from runtimebuilder.sandbox.outcome import InvokeResult

WORK = 4.0  # seconds that background work takes
TOO_MUCH = 300  # MB, in a box of 128
SECONDS = 8  # the function's timeout

_OUT_OF_MEMORY = (b"signal: killed", b"Runtime.OutOfMemory")


@case(
    "RT-094-background-after-response",
    Level.SHOULD,
    requirement="A runtime does not wait for what a handler left running: it answers, and asks for the next event.",
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_background_after_response(fresh: Environment) -> None:
    sent = fresh.send(do("background", seconds=WORK, path="/tmp/background"))  # noqa: S108 - in the box
    fresh.value(sent)
    begun = next(one for one in fresh.exchanges(Route.NEXT) if one.request_id == sent.request_id)
    posted = fresh.posts(Route.RESPONSE, sent.request_id)[0]
    fresh.require_next(posted.number, when="the response", within=WORK + 5)
    asked = fresh.exchanges(Route.NEXT)[-1]
    took = asked.started - (begun.answered or begun.started)
    require(
        took < WORK,
        expected=f"GET next while work of {WORK:g} s goes on in the background",
        seen=f"GET next {took:.1f} s after the event",
    )


@case(
    "RT-130-oom-kill",
    Level.MUST,
    judgement=True,
    requirement="When memory runs out the invoke ends at once, whoever is killed: the handler's process or its child.",
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_oom_kill(fresh: Environment) -> None:
    result = fresh.invoke(do("allocate", mb=TOO_MUCH), timeout=SECONDS)
    if result.kind == "response":
        _refuse_unsupported(result)
        if str(TOO_MUCH * 1024 * 1024).encode() in result.body:
            raise CaseBroken(
                f"the box was to have {fresh.box.limits.memory_mb} MB, but the handler got {TOO_MUCH}"
            )
    ended = result.kind == "error" or any(words in result.body for words in _OUT_OF_MEMORY)
    require(ended, expected="the end of the process (signal: killed), or POST to /error", seen=_told(result))
    _require_next(fresh, "after a handler that took too much memory")
    result = fresh.invoke(do("child-allocate", mb=TOO_MUCH), timeout=SECONDS)
    _refuse_unsupported(result)
    expected = "an answer, or the end of the process, when a child of the handler took too much memory"
    require(result.kind in ("response", "error", "exit"), expected=expected, seen=_told(result))
    _require_next(fresh, "after a child that took too much memory")


@case(
    "RT-133-child-processes-on-timeout",
    Level.MUST,
    judgement=True,
    requirement="After a timeout no port, socket or pid file of the old processes is in the way of the new ones.",
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.HANG,),
)
def test_child_processes_on_timeout(fresh: Environment) -> None:
    fresh.ask(do("daemon", seconds=60))
    result = fresh.invoke(do("hang", seconds=60), timeout=SHORT)
    # A runtime may give up by itself shortly before the deadline and say so (RT-132).
    require(
        result.kind in ("timeout", "error"), expected="no result of a handler that hangs", seen=_told(result)
    )
    _require_next(fresh, "after a timeout with a process of the handler's left over")


def _require_next(environment: Environment, because: str) -> None:
    result = environment.invoke(do("echo", value="again"), timeout=SECONDS)
    require(
        result.kind == "response" and b"again" in result.body,
        expected=f"the next invoke answered {because}",
        seen=_told(result),
    )


def _refuse_unsupported(result: InvokeResult) -> None:
    if b"unsupported" in result.body:
        unsupported("the probe does not know this command")


def _told(result: InvokeResult) -> str:
    return f"{result.kind}: {shown(result.body)}"
