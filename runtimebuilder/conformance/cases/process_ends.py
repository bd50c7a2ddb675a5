"""Handlers that end, kill or outlast their invoke: RT-126 to RT-135."""

from __future__ import annotations

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import PROMPTLY, Environment, do
from runtimebuilder.conformance.expectation import CaseBroken, require, shown, unsupported
from runtimebuilder.conformance.probes.probe import Probe
from runtimebuilder.emulator.exchange import Route
from runtimebuilder.sandbox.outcome import InvokeResult

SECTION = "Ends of the process"
SECONDS = 10  # the function's timeout where it is not the point
SHORT = 1  # ... and where it is
STOPPED = 2  # ... and where a runtime has time to be ahead of it
EARLIEST = 0.45  # of that, before which a handler is not to be given up
LATE = 0.5  # what a handler takes whose invoke is given up meanwhile


@case(
    "RT-126-handler-exit-0",
    Level.MUST,
    requirement=(
        "When the handler exits with 0 the process ends without an answer, and a new one serves the "
        "next event."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.EXIT,),
)
def test_handler_exit_0(fresh: Environment) -> None:
    result = fresh.invoke(do("exit", code=0), timeout=SECONDS)
    _require_exit(fresh, result, "Runtime exited without providing a reason")


@case(
    "RT-127-handler-exit-3",
    Level.MUST,
    requirement="When the handler exits with 3 the process does so: its status is what the caller is told.",
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.EXIT,),
)
def test_handler_exit_3(fresh: Environment) -> None:
    result = fresh.invoke(do("exit", code=3), timeout=SECONDS)
    _require_exit(fresh, result, "exit status 3")


@case(
    "RT-128-exit-reported-first",
    Level.MAY,
    judgement=True,
    requirement="A runtime may post an error before the handler's exit ends it: then once, and for this invoke.",
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.EXIT,),
)
def test_exit_reported_first(fresh: Environment) -> None:
    result = fresh.invoke(do("exit", code=4), timeout=SECONDS)
    fresh.exit_within(PROMPTLY, after="the handler's exit")
    posts = fresh.exchanges(Route.ERROR, Route.RESPONSE)
    allowed = [(), ((Route.ERROR, result.request_id),)]
    require(
        tuple((one.route, one.request_id) for one in posts) in allowed,
        expected="nothing, or one POST to /error for this invoke, before the process ends",
        seen=", ".join(f"{one.method} {one.target}" for one in posts),
    )


@case(
    "RT-129-segfault",
    Level.MUST,
    requirement=(
        "A crash of the process that runs the handler ends this invoke at once, and the next one is served."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.KILL,),
)
def test_segfault(fresh: Environment, probe: Probe) -> None:
    result = fresh.invoke(do("kill", signal="SIGSEGV"), timeout=SECONDS)
    if Need.PROCESS in probe.lacking:  # the handler has a process of its own: the runtime lives to tell
        require(
            result.kind == "error",
            expected="POST to /error when the handler's process has died",
            seen=_told(result),
        )
        _require_next_invoke(fresh, "after a crash")
    else:
        _require_exit(fresh, result, "signal: segmentation fault")


@case(
    "RT-131-handler-hang",
    Level.MUST,
    requirement=(
        "A handler that outlasts the deadline posts no result; after the kill a new process serves "
        "the next event."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.HANG,),
)
def test_handler_hang(fresh: Environment) -> None:
    result = fresh.invoke(do("hang", seconds=30), timeout=SHORT)
    # A runtime may give up by itself shortly before the deadline and say so (RT-132).
    require(
        result.kind in ("timeout", "error"),
        expected="no result of a handler that is still running",
        seen=_told(result),
    )
    _require_next_invoke(fresh, "after a timeout")


@case(
    "RT-132-self-timeout",
    Level.MAY,
    judgement=True,
    requirement="A runtime may stop a handler shortly before the deadline and report that, and then serves on.",
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.HANG,),
)
def test_self_timeout(fresh: Environment) -> None:
    result = fresh.invoke(do("hang", seconds=30), timeout=STOPPED)
    if result.kind != "timeout":
        require(
            result.kind == "error" and result.duration > STOPPED * EARLIEST,
            expected=f"no answer, or an error when at least half of the {STOPPED} s are over",
            seen=f"{_told(result)} after {result.duration:.1f} s",
        )
    _require_next_invoke(fresh, "after a handler that hung")


@case(
    "RT-134-stack-overflow",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "A handler that calls itself without end is reported or ends the process, and the next event "
        "is served."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_stack_overflow(fresh: Environment) -> None:
    result = fresh.invoke(do("recurse"), timeout=SECONDS)
    if result.kind == "response" and b"unsupported" in result.body:
        unsupported("the probe does not know this command")
    right = result.kind in ("error", "exit")
    require(right, expected="POST to /error or the end of the process within the invoke", seen=_told(result))
    _require_next_invoke(fresh, "after endless recursion")


@case(
    "RT-135-late-result",
    Level.MUST,
    judgement=True,
    requirement="A result that comes after its invoke was given up is never given to a newer one.",
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_late_result(fresh: Environment) -> None:
    late = fresh.send(do("sleep", seconds=LATE))
    if not fresh.wait_for(lambda found: any(one.request_id == late.request_id for one in found), 5):
        raise CaseBroken("the event was not handed out")
    fresh.api.fail_invocation(late.request_id)
    newer = fresh.send(do("echo", value="newer"))
    if not fresh.wait_for_next(fresh.exchanges(Route.NEXT)[-1].number, SECONDS):
        fresh.exit_within(PROMPTLY, after="the refusal of a late result")
        fresh.box.restart()
    value = fresh.value(newer)
    require(value == "newer", expected="the newer event answered with its own result", seen=shown(value))
    posts = len(fresh.posts(Route.RESPONSE, late.request_id))
    require(posts <= 1, expected="the late result posted at most once", seen=f"{posts} POSTs")


def _require_exit(environment: Environment, result: InvokeResult, told: str) -> None:
    """The process ended within the invoke without a response; the next invoke gets a new process."""
    require(
        result.kind in ("exit", "error"),  # it may post an error before it goes (RT-128)
        expected="the end of the process within the invoke",
        seen=_told(result),
    )
    if result.kind == "error":
        environment.exit_within(1.0, after="the error it posted")
    else:
        require(told.encode() in result.body, expected=f"the caller told: {told}", seen=shown(result.body))
    _require_next_invoke(environment, "by a new process")


def _require_next_invoke(environment: Environment, because: str) -> None:
    result = environment.invoke(do("echo", value="again"), timeout=SECONDS)
    require(
        result.kind == "response" and b"again" in result.body,
        expected=f"the next invoke answered {because}",
        seen=_told(result),
    )
    answered = environment.exchanges(Route.RESPONSE)
    require(len(answered) == 1, expected="one response in all", seen=f"{len(answered)} responses")


def _told(result: InvokeResult) -> str:
    return f"{result.kind}: {shown(result.body)}"
