"""Processes that a runtime or its handler starts: LC-17, LC-22."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import Environment, do
from runtimebuilder.conformance.expectation import require, shown, unsupported
from runtimebuilder.engine.containers import Process

SECTION = "Lifecycle"
ROUNDS, CHILDREN = 5, 20
_REAPED = 2.0  # seconds in which a process that has ended has to be gone
_FAMILY = 100  # processes that are looked at, at most


@case(
    "LC-17-process-group",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "What a runtime starts does not turn into a daemon: it stays a descendant of the runtime, or in the process "
        "group or session of one, and ends with it."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.SPAWN,),
)
def test_process_group(fresh: Environment) -> None:
    fresh.ask(do("daemon", seconds=20))
    found = fresh.box.processes()
    family = _family(found, fresh.box.container.state().pid)
    groups, sessions = {one.group for one in family}, {one.session for one in family}
    apart = [one for one in found if one.group not in groups and one.session not in sessions]
    seen = ", ".join(shown(one.command, 40) for one in apart)
    require(not apart, expected=f"all {len(found)} processes in reach of the runtime", seen=f"not: {seen}")


@case(
    "LC-22-zombie-free",
    Level.SHOULD,
    judgement=True,
    requirement="A handler's 100 short child processes end with the status they gave, and leave no zombies behind.",
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.SPAWN,),
)
def test_zombie_free(fresh: Environment) -> None:
    for _ in range(ROUNDS):
        seen = fresh.ask(do("spawn", count=CHILDREN), within=30)
        require(seen == CHILDREN, expected=f"{CHILDREN} children ended with their status", seen=shown(seen))
    first = _first_process(fresh)
    end = time.monotonic() + _REAPED
    while zombies := sum(state == "Z" for state in _states_below(fresh, first)):
        require(
            time.monotonic() < end,
            expected=f"no zombies {_REAPED:g} s after the children's end",
            seen=f"{zombies} zombies",
        )
        time.sleep(0.1)


def _family(found: Sequence[Process], first: int) -> list[Process]:
    """The first process, which has this number, and all that descends from it."""
    family, grows = [one for one in found if one.pid == first], True
    while grows:
        numbers = {one.pid for one in family}
        more = [one for one in found if one.parent in numbers and one.pid not in numbers]
        family += more
        grows = bool(more)
    return family


def _first_process(environment: Environment) -> str:
    """The runtime's first process, by its number in the box: the last of the handler's ancestors."""
    told = environment.ask(do("context"))
    pid = str(told.get("pid", "self")) if isinstance(told, dict) else "self"
    # The process that told its number may have ended with its event; then whoever reads now is asked.
    found = _stat(environment, pid) or _stat(environment, "self")
    for _ in range(_FAMILY):
        if found is None or found[2] == "0":
            break
        found = _stat(environment, found[2])
    if found is None:
        unsupported("the handler cannot read its ancestors in /proc")
    return found[0]


def _states_below(environment: Environment, first: str) -> Iterator[str]:
    """The state letters of all that descends from a process."""
    waiting, seen = [first], 0
    while waiting and seen < _FAMILY:
        number = waiting.pop()
        children = environment.ask(do("read", path=f"/proc/{number}/task/{number}/children"))
        if children is None and number == first:
            unsupported("the handler cannot read in /proc which children a process has")
        for child in (children or "").split():
            seen += 1
            waiting.append(child)
            found = _stat(environment, child)
            if found is not None:  # it may have gone meanwhile
                yield found[1]


def _stat(environment: Environment, number: str) -> tuple[str, str, str] | None:
    """Number, state and parent of a process as the handler sees it; None when it is not there."""
    stat = environment.ask(do("read", path=f"/proc/{number}/stat"))
    if stat is None:
        return None
    state, parent = stat[stat.rindex(")") + 1 :].split()[:2]
    return stat.split(maxsplit=1)[0], state, parent
