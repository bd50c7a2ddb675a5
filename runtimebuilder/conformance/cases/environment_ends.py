"""Ends of an environment and of its process between events: LC-09, LC-12 to LC-14, LC-16."""

from __future__ import annotations

import signal

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import PROMPTLY, Environment, do
from runtimebuilder.conformance.expectation import CaseBroken, fail, require, shown, unsupported
from runtimebuilder.emulator.exchange import Route
from runtimebuilder.emulator.extension import ExtensionEvent
from runtimebuilder.sandbox.outcome import InvokeResult
from runtimebuilder.sandbox.shutdown import INTERNAL_WINDOW, RUNTIME_WINDOW

SECTION = "Lifecycle"
SECONDS = 20  # the function's timeout where it is not the point
SHORT = 1  # ... and where it is
TRIES = 3  # a busy machine may take a window's time: the best of three counts


@case(
    "LC-09-exit-between-invokes",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "When the process ends between two events, its last answer is out already, and a new process serves the "
        "next event."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_exit_between_invokes(fresh: Environment) -> None:
    first = fresh.invoke(do("echo", value="the last one"), timeout=SECONDS)
    _require_served(first, "the last one")
    fresh.box.kill("SIGTERM")
    if fresh.box.wait_exit(PROMPTLY) is None:  # LC-15 says that it should have ended
        fresh.box.kill()
        fresh.exit_within(PROMPTLY, after="SIGKILL")
    second = fresh.invoke(do("echo", value="a new one"), timeout=SECONDS)
    _require_served(second, "a new one")
    counts = [len(fresh.posts(Route.RESPONSE, one.request_id)) for one in (first, second)]
    require(counts == [1, 1], expected="one answer to each event", seen=f"{counts}")


@case(
    "LC-12-sigterm-without-extension",
    Level.MUST,
    requirement=(
        "A runtime without extensions is ended by SIGKILL at once: what a handler printed is out before that, "
        "nothing waits for a clean-up."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.PRINT,),
)
def test_sigterm_without_extension(fresh: Environment) -> None:
    if any(one.is_registered for one in fresh.api.extensions()):
        unsupported("the runtime registers an extension of its own: it is told of the end")
    fresh.ask(do("print", stdout="the last words\n"))
    ended = fresh.box.shutdown()
    if ended is None or ended.exit is None or ended.exit.signal is not signal.SIGKILL:
        raise CaseBroken("the process was not killed at once")
    printed = fresh.logs_in_time("the last words")
    require(printed, expected="what the handler printed in the log", seen=shown(fresh.log()))


@case(
    "LC-13-sigterm-internal-ext",
    Level.SHOULD,
    requirement="With an internal extension the process ends by itself within 500 ms of SIGTERM.",
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_sigterm_internal_ext(fresh: Environment) -> None:
    _require_end(fresh, external=False, window=INTERNAL_WINDOW)


@case(
    "LC-14-sigterm-external-ext",
    Level.SHOULD,
    requirement="With an external extension the process ends by itself within 300 ms of SIGTERM.",
    page="runtimes-extensions-api",
    section=SECTION,
)
def test_sigterm_external_ext(fresh: Environment) -> None:
    _require_end(fresh, external=True, window=RUNTIME_WINDOW)


@case(
    "LC-16-sigterm-during-invoke",
    Level.MUST,
    requirement=(
        "SIGTERM at the deadline of an invoke makes no result of what the handler has not finished, and does not "
        "keep a new process from serving the next event."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.HANG,),
)
def test_sigterm_during_invoke(fresh: Environment) -> None:
    fresh.api.add_extension("suite", (ExtensionEvent.INVOKE,), external=False)
    result = fresh.invoke(do("hang", seconds=30), timeout=SHORT)
    # A runtime may give up by itself shortly before the deadline and say so (RT-132).
    require(
        result.kind in ("timeout", "error"),
        expected="no result of a handler that is still running",
        seen=f"{result.kind}: {shown(result.body)}",
    )
    posts = fresh.posts(Route.RESPONSE, result.request_id)
    require(
        not posts,
        expected="no POST to /response after SIGTERM",
        seen=f"{len(posts)}: {shown(posts[0].request_body) if posts else ''}",
    )
    _require_served(fresh.invoke(do("echo", value="again"), timeout=SECONDS), "again")


def _require_end(environment: Environment, *, external: bool, window: float) -> None:
    """The process serves an event with an extension beside it and ends by itself in the window, or in another try."""
    kind = "external" if external else "internal"
    for left in reversed(range(TRIES)):
        environment.api.add_extension("suite", (ExtensionEvent.INVOKE,), external=external)
        environment.require_echo("served", because=f"with an {kind} extension")
        ended = environment.box.shutdown()
        if ended is None or ended.exit is None:
            fail(expected="the process runs until it is ended", seen="it ended by itself")
        if ended.exit.code in (0, 128 + signal.SIGTERM):
            return
        if left and ended.was_killed:
            environment.started_and_ready()
            continue
        killed = f"killed after {window * 1000:g} ms" if ended.was_killed else ended.exit.describe()
        fail(expected=f"exit 0, or by SIGTERM, within {window * 1000:g} ms", seen=killed)


def _require_served(result: InvokeResult, text: str) -> None:
    right = result.kind == "response" and text.encode() in result.body
    require(right, expected=f"{shown(text)} echoed", seen=f"{result.kind}: {shown(result.body)}")
