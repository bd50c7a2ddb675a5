"""Starts that end while the handler is being loaded: RT-164, RT-165."""

from __future__ import annotations

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.cases.start_failures import SECTION, START_LIMIT
from runtimebuilder.conformance.environment import do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import fail, require, shown
from runtimebuilder.conformance.probes.probe import SLOW_LOAD_SECONDS, Probe
from runtimebuilder.emulator.exchange import Route


@case(
    "RT-164-exit-at-import",
    Level.MUST,
    requirement=(
        "When loading the handler ends the process, it ends: without a GET next, with or without a report."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.EXITS_AT_LOAD,),
)
def test_exit_at_import(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.faulty[Need.EXITS_AT_LOAD])
    environment.start()
    asked = environment.wait_for(lambda found: any(one.route is Route.NEXT for one in found), START_LIMIT)
    require(not asked, expected="no GET next of a handler that exits while it is loaded", seen="GET next")
    found = environment.exit_within(START_LIMIT, after="the start of a handler that exits")
    require(not found.is_success, expected="a failing exit", seen=found.describe())


@case(
    "RT-165-init-hang",
    Level.MUST,
    requirement=(
        "A start that is killed while the handler is being loaded leaves nothing behind that stops "
        "the next one."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.SLOW_LOAD,),
    slow="loads a handler of 3 s twice",
)
def test_init_hang(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.faulty[Need.SLOW_LOAD])
    environment.start()
    ended = environment.box.wait_exit(SLOW_LOAD_SECONDS / 2)
    if ended is not None:
        fail(expected="a handler that takes long to load", seen=ended.describe())
    environment.box.kill()
    environment.exit_within(START_LIMIT, after="its kill")
    result = environment.invoke(do("echo", value="second"), timeout=START_LIMIT)
    right = result.kind == "response" and b"second" in result.body
    require(right, expected="the event served by a second start", seen=f"{result.kind}: {shown(result.body)}")
