"""Errors that are not quite as usual: RT-116, RT-121, RT-122."""

from __future__ import annotations

import json

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.cases.errors import SECTION
from runtimebuilder.conformance.environment import Environment, do
from runtimebuilder.conformance.expectation import fail, require, shown, unsupported
from runtimebuilder.emulator.exchange import Exchange
from runtimebuilder.emulator.invocation import OutcomeKind

XRAY_HEADER = "Lambda-Runtime-Function-XRay-Error-Cause"
XRAY_LIMIT = 1024 * 1024
SECONDS = 10  # the function's timeout

_XRAY_MEMBERS = {"working_directory": str, "exceptions": list, "paths": list}


@case(
    "RT-116-xray-cause",
    Level.MAY,
    requirement=(
        "A runtime may send an error's cause for X-Ray in a header: JSON with working_directory, exceptions "
        "and paths, less than 1 MB."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_xray_cause(warm: Environment) -> None:
    seen = _raised(warm, message="traced").header(XRAY_HEADER)
    if seen is None:
        unsupported(f"the runtime sends no {XRAY_HEADER}")
    expected = f"{XRAY_HEADER}: JSON with {', '.join(_XRAY_MEMBERS)}"
    try:
        cause = json.loads(seen)
    except ValueError:
        fail(expected=expected, seen=shown(seen))
    right = isinstance(cause, dict) and all(
        isinstance(cause.get(name), kind) for name, kind in _XRAY_MEMBERS.items()
    )
    require(right, expected=expected, seen=shown(seen))
    huge = _raised(warm, message="x", times=2 * XRAY_LIMIT).header(XRAY_HEADER) or ""
    require(
        len(huge) < XRAY_LIMIT,
        expected=f"{XRAY_HEADER} of less than 1 MB, or none",
        seen=f"{len(huge)} bytes",
    )


@case(
    "RT-121-non-exception-throw",
    Level.SHOULD,
    judgement=True,
    requirement="What is thrown need not be an ordinary exception: text or nothing is reported with an errorType too.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_non_exception_throw(fresh: Environment) -> None:
    for what in ("text", "null"):
        result = fresh.invoke(do("raise-odd", what=what), timeout=SECONDS)
        if result.kind == "response" and b"unsupported" in result.body:
            unsupported("the probe does not know this command")
        expected = f"POST to /error with an errorType when {what} is thrown"
        require(result.kind == "error", expected=expected, seen=f"{result.kind}: {shown(result.body)}")
        try:
            told = result.json()
        except ValueError:
            fail(expected=expected, seen=shown(result.body))
        kind = told.get("errorType") if isinstance(told, dict) else None
        require(isinstance(kind, str) and kind, expected=expected, seen=shown(told))


@case(
    "RT-122-chained-cause",
    Level.MAY,
    judgement=True,
    requirement="Of an exception with a cause the outer one is the error; the cause may be in the stack trace.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_chained_cause(warm: Environment) -> None:
    posted = _raised(warm, message="the order failed", cause="the card was refused")
    try:
        message = json.loads(posted.request_body)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        fail(expected="an error with errorMessage", seen=shown(posted.request_body))
    expected = "errorMessage of the outer exception, 'the order failed'"
    require(
        isinstance(message, str) and "the order failed" in message, expected=expected, seen=shown(message)
    )


def _raised(environment: Environment, **fields: object) -> Exchange:
    outcome = environment.outcome(environment.send(do("raise", **fields)))
    require(
        outcome.kind is OutcomeKind.ERROR,
        expected="POST to /error for an exception of the handler",
        seen=f"{outcome.kind}: {shown(outcome.body)}",
    )
    return outcome.exchange
