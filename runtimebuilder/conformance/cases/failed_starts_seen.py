"""What the caller of a function is told whose start fails: RT-169."""

from __future__ import annotations

from runtimebuilder.conformance.case import Level, case
from runtimebuilder.conformance.cases.start_failures import SECTION
from runtimebuilder.conformance.environment import do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import fail, require, shown
from runtimebuilder.conformance.probes.probe import Probe

SECONDS = 20  # the function's timeout


@case(
    "RT-169-unreported-crash",
    Level.SHOULD,
    judgement=True,
    requirement="Who invokes a function that cannot start is told the reason, not that the runtime has exited.",
    page="runtimes-custom",
    section=SECTION,
)
def test_unreported_crash(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.missing_handler)
    result = environment.invoke(do("echo", value="never"), timeout=SECONDS)
    expected = "what the runtime posted to /init/error: an error with a reason"
    require(result.kind == "init_error", expected=expected, seen=f"{result.kind}: {shown(result.body)}")
    try:
        told = result.json()
    except ValueError:
        fail(expected=expected, seen=shown(result.body))
    reason = told.get("errorMessage") if isinstance(told, dict) else None
    require(isinstance(reason, str) and reason, expected=expected, seen=shown(told))
