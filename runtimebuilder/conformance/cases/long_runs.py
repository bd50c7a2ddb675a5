"""What shows only after a while: RT-005 to RT-007, RT-045. They run when they are asked for."""

from __future__ import annotations

import time

from runtimebuilder.conformance.case import Level, case
from runtimebuilder.conformance.environment import ANSWER_LIMIT, Environment, do
from runtimebuilder.conformance.expectation import require, shown, unsupported
from runtimebuilder.emulator.exchange import Exchange, Route
from runtimebuilder.sandbox.usage import Usage

SECTION = "Finding the API and next"
INVOKES = 1000
BATCH = 100
GROWTH = 1.05
MINUTES = 15

_LOOK = 5.0  # seconds between two looks at a process that waits
_IDLE = 0.02  # of one processor: more is a busy loop
_SLACK = 4 * 1024 * 1024  # bytes: less is noise of an allocator
_FEW = 8  # descriptors or threads that may come and go


@case(
    "RT-005-long-poll-65s",
    Level.MUST,
    requirement="A runtime sets no timeout on next: the environment can be frozen for long.",
    page="runtimes-api",
    section=SECTION,
    slow="holds next for 65 s",
)
def test_long_poll_65s(fresh: Environment) -> None:
    _hold_next(fresh, 65)


@case(
    "RT-006-long-poll-130s",
    Level.MUST,
    requirement="A runtime sets no timeout on next, nor has its HTTP client one of 60, 100 or 120 seconds.",
    page="runtimes-api",
    section=SECTION,
    slow="holds next for 130 s",
)
def test_long_poll_130s(fresh: Environment) -> None:
    _hold_next(fresh, 130)


@case(
    "RT-007-long-poll-15min",
    Level.SHOULD,
    judgement=True,
    requirement="A runtime that waits for a quarter of an hour computes nothing, does not grow, and serves on.",
    page="runtimes-api",
    section=SECTION,
    slow="holds next for 15 minutes",
)
def test_long_poll_15min(fresh: Environment) -> None:
    _hold_next(fresh, MINUTES * 60)


@case(
    "RT-045-soak-1000",
    Level.SHOULD,
    judgement=True,
    requirement="Over 1,000 invokes file descriptors, threads and memory stay as they are, to 5 %.",
    page="gettingstarted-limits",
    section=SECTION,
    slow="1,000 invokes",
)
def test_soak_1000(fresh: Environment) -> None:
    seen: list[Usage] = []
    for begun in range(0, INVOKES, BATCH):
        numbers = range(begun, begun + BATCH)
        sent = [fresh.send(do("echo", value=number), timeout=BATCH * ANSWER_LIMIT) for number in numbers]
        for number, invocation in enumerate(sent, begun):
            answer = fresh.value(invocation)
            require(answer == number, expected=f"{number} echoed", seen=shown(answer))
        seen.append(_usage(fresh))
        for what in ("descriptors", "threads", "processes"):
            first, now = (getattr(one, what) for one in (seen[0], seen[-1]))
            limit = max(first * GROWTH, first + _FEW)
            told = f"{now} after {begun + BATCH} invokes"
            require(
                now <= limit, expected=f"about as many {what} as after {BATCH} invokes: {first}", seen=told
            )
    # A heap grows until it is collected: what it was in the first half it may be at the end.
    half = len(seen) // 2
    most, least = max(one.resident for one in seen[:half]), min(one.resident for one in seen[-3:])
    require(
        least <= most * GROWTH + _SLACK,
        expected=f"no more than {_mb(most)} resident, as in the first {half * BATCH} invokes, and 5 %",
        seen=f"{_mb(least)} after {INVOKES} invokes",
    )


def _hold_next(environment: Environment, seconds: int) -> None:
    """Require one GET next, open for so long and by a process that rests, and then an answer to an event."""
    first = environment.exchanges(Route.NEXT)[0]
    expected = f"one GET next, still open after {seconds} s"

    def given_up(found: tuple[Exchange, ...]) -> bool:
        nexts = [one for one in found if one.route is Route.NEXT]
        return len(nexts) > 1 or nexts[0].peer_closed is not None

    begun = time.monotonic()
    before = environment.box.usage()
    while (left := begun + seconds - time.monotonic()) > 0:
        gone = environment.wait_for(given_up, min(_LOOK, left))
        require(not gone, expected=expected, seen=_given_up(environment, first))
        require(environment.box.is_running(), expected=expected, seen="the process ended")
        _require_rest(before, environment.box.usage(), time.monotonic() - begun)
    environment.require_echo("late", because=f"after {seconds} s")


def _given_up(environment: Environment, first: Exchange) -> str:
    nexts = environment.exchanges(Route.NEXT)
    told = [
        f"closed by the runtime after {one.peer_closed - one.started:.1f} s"
        for one in nexts
        if one.peer_closed
    ]
    told += [f"another GET next after {one.started - first.started:.1f} s" for one in nexts[1:]]
    return ", ".join(told)


def _require_rest(before: Usage | None, now: Usage | None, seconds: float) -> None:
    """Require that a waiting process computes next to nothing and does not grow; where that can be seen."""
    if before is None or now is None:
        return
    computed = now.cpu - before.cpu
    require(
        computed <= seconds * _IDLE + 0.3,
        expected="a process that rests while it waits",
        seen=f"{computed:.1f} s of computing in {seconds:.0f} s",
    )
    require(
        now.resident <= before.resident * GROWTH + _SLACK,
        expected=f"{_mb(before.resident)} resident, as when it began to wait, and 5 %",
        seen=f"{_mb(now.resident)} after {seconds:.0f} s",
    )


def _usage(environment: Environment) -> Usage:
    found = environment.box.usage()
    if found is None:
        unsupported("what a process uses can only be seen on the engine's own machine, by root")
    return found


def _mb(size: int) -> str:
    return f"{size / 1024**2:.1f} MB"
