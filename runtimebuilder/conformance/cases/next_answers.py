"""How events and their headers are read: RT-011 to RT-031."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import Environment, context_field, do
from runtimebuilder.conformance.expectation import require, shown
from runtimebuilder.emulator.answers import HeaderCase
from runtimebuilder.emulator.exchange import Route
from runtimebuilder.emulator.faults import Delivery
from runtimebuilder.emulator.invocation import OutcomeKind

SECTION = "Events and their headers"
TOLERANCE_MS = 50
CLIENT_CONTEXT = 48 * 1024  # bytes
IDENTITY = 16 * 1024

_LONG_TEXT = "chunk after chunk " * 1200  # more than one read, more than one segment
_UNICODE = "é漢🙂"


@case(
    "RT-011-chunked-event",
    Level.MUST,
    judgement=True,
    requirement="An event that comes with Transfer-Encoding: chunked and no Content-Length is put together.",
    page="runtimes-api",
    section=SECTION,
)
def test_chunked_event(warm: Environment) -> None:
    value = warm.ask(do("echo", value=_LONG_TEXT), delivery=Delivery(framing="chunked", drip=(4096, 0.0)))
    require(value == _LONG_TEXT, expected=f"{len(_LONG_TEXT)} characters echoed", seen=shown(value))


@case(
    "RT-012-sized-event",
    Level.MUST,
    judgement=True,
    requirement="An event that comes with a Content-Length is read to that length.",
    page="runtimes-api",
    section=SECTION,
)
def test_sized_event(warm: Environment) -> None:
    value = warm.ask(do("echo", value=_LONG_TEXT), delivery=Delivery(framing="sized", drip=(4096, 0.001)))
    require(value == _LONG_TEXT, expected=f"{len(_LONG_TEXT)} characters echoed", seen=shown(value))


@case(
    "RT-013-dripped-event",
    Level.MUST,
    judgement=True,
    requirement="An event that arrives byte by byte is complete, also where a character is split.",
    page="runtimes-api",
    section=SECTION,
)
def test_dripped_event(warm: Environment) -> None:
    command = do("echo", value=_UNICODE)
    pause = min(0.01, 1.0 / len(warm.event_of(command)))
    value = warm.ask(command, within=10, delivery=Delivery(framing="chunked", drip=(1, pause)))
    require(value == _UNICODE, expected=f"{_UNICODE!r} echoed", seen=shown(value))


@case(
    "RT-014-header-case",
    Level.MUST,
    judgement=True,
    requirement="Header names are recognised in lower, upper and mixed case.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.CONTEXT,),
)
def test_header_case(warm: Environment) -> None:
    cases: tuple[HeaderCase, ...] = ("lower", "upper", "mixed")
    for letters in cases:
        arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{letters}"
        seen = warm.ask(do("context"), delivery=Delivery(header_case=letters), function_arn=arn)
        require(
            context_field(seen, "function_arn") == arn,
            expected=f"the headers of the event recognised in {letters} case",
            seen=shown(seen),
        )


@case(
    "RT-015-unknown-headers",
    Level.MUST,
    judgement=True,
    requirement="Headers that the runtime does not know, and repeated ones, are ignored.",
    page="runtimes-api",
    section=SECTION,
)
def test_unknown_headers(warm: Environment) -> None:
    extra = [(f"X-Unknown-{number}", f"value {number}") for number in range(30)]
    extra += [("X-Repeated", "one"), ("X-Repeated", "two"), ("Lambda-Runtime-Future", "x")]
    value = warm.ask(do("echo", value="known"), delivery=Delivery(extra_headers=tuple(extra)))
    require(value == "known", expected="the event handled", seen=shown(value))


@case(
    "RT-016-big-headers",
    Level.SHOULD,
    judgement=True,
    requirement="64 KB of headers are read or reported as an error; the process goes on.",
    page="gettingstarted-limits",
    section=SECTION,
)
def test_big_headers(warm: Environment) -> None:
    context = json.dumps({"custom": {"text": "c" * CLIENT_CONTEXT}, "client": {}, "env": {}})
    identity = json.dumps({"cognitoIdentityId": "i" * IDENTITY, "cognitoIdentityPoolId": "pool"})
    sent = warm.send(do("echo", value="sent"), client_context=context, cognito_identity=identity)
    warm.outcome(sent)
    warm.require_same_process(because=f"after {(len(context) + len(identity)) // 1024} KB of headers")


@case(
    "RT-017-request-id-opaque",
    Level.MUST,
    requirement=(
        "A request id is any text: it comes back in the path, percent-encoded if need be, and is "
        "never parsed."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_request_id_opaque(fresh: Environment) -> None:
    for request_id in (str(uuid.uuid4()), "a", "x" * 64, "50%+a:b"):
        value = fresh.ask(do("echo", value=request_id), request_id=request_id)
        require(value == request_id, expected=f"an answer for the id {request_id!r}", seen=shown(value))
        require(
            len(fresh.posts(Route.RESPONSE, request_id)) == 1,
            expected=f"{request_id!r} in the path of the response",
            seen=shown([one.target for one in fresh.exchanges(Route.RESPONSE)][-1]),
        )


@case(
    "RT-019-deadline-remaining",
    Level.MUST,
    requirement="The handler can tell the time that remains to this invoke's deadline, right to 50 ms.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.CONTEXT,),
)
def test_deadline_remaining(warm: Environment) -> None:
    for timeout in (3, 60, 10):  # seconds: a value kept from the invoke before would be far off
        before = time.time()
        seen = context_field(warm.ask(do("context"), timeout=timeout), "remaining_ms")
        took_ms = (time.time() - before) * 1000
        least, most = timeout * 1000 - took_ms - TOLERANCE_MS, timeout * 1000 + TOLERANCE_MS
        require(
            least <= seen <= most,
            expected=f"{least:.0f} to {most:.0f} ms remaining of {timeout} s",
            seen=f"{seen} ms",
        )


@case(
    "RT-021-deadline-as-text",
    Level.MUST,
    requirement="The deadline is decimal milliseconds since 1970, a number of more than 32 bits.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.CONTEXT,),
)
def test_deadline_as_text(warm: Environment) -> None:
    sent = warm.send(do("context"))
    seen = context_field(warm.value(sent), "deadline_ms")
    require(seen == sent.deadline_ms, expected=f"deadline_ms {sent.deadline_ms}", seen=shown(seen))


@case(
    "RT-022-arn-per-invoke",
    Level.MUST,
    requirement=(
        "The function ARN is that of this invoke: it changes with the alias or version that was called."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.CONTEXT,),
)
def test_arn_per_invoke(warm: Environment) -> None:
    for qualifier in ("live", "7", "live"):
        arn = f"arn:aws:lambda:eu-west-1:123456789012:function:probe:{qualifier}"
        seen = context_field(warm.ask(do("context"), function_arn=arn), "function_arn")
        require(seen == arn, expected=arn, seen=shown(seen))


@case(
    "RT-023-client-context",
    Level.SHOULD,
    requirement="The client context of an invoke reaches the handler, parsed; without one there is none.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.CONTEXT,),
)
def test_client_context(warm: Environment) -> None:
    for sent in ({"custom": {"shop": "blue"}, "env": {"locale": "en"}}, {"custom": {"shop": "red"}}):
        seen = warm.ask(do("context"), client_context=json.dumps(sent))
        # AWS's own clients give an object, of which the probe tells the custom part.
        right = context_field(seen, "client_context") in (sent, sent["custom"])
        require(right, expected=f"the client context {shown(sent)}", seen=shown(seen["client_context"]))
    _require_none(warm.ask(do("context")), "client_context")


@case(
    "RT-024-cognito-identity",
    Level.SHOULD,
    requirement="The Cognito identity of an invoke reaches the handler, parsed; without one there is none.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.CONTEXT,),
)
def test_cognito_identity(warm: Environment) -> None:
    sent = {"cognitoIdentityId": "eu-west-1:one", "cognitoIdentityPoolId": "eu-west-1:pool"}
    seen = warm.ask(do("context"), cognito_identity=json.dumps(sent))
    # AWS's own clients give an object, of which the probe tells the identity's id.
    right = context_field(seen, "cognito_identity") in (sent, sent["cognitoIdentityId"])
    require(right, expected=f"the identity {shown(sent)}", seen=shown(seen["cognito_identity"]))
    _require_none(warm.ask(do("context")), "cognito_identity")


@case(
    "RT-025-bad-context-json",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "A client context that is not JSON is an error of that invoke or counts as none; the runtime goes on."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_bad_context_json(fresh: Environment) -> None:
    sent = fresh.send(do("context"), client_context="{")
    if fresh.outcome(sent).kind is OutcomeKind.RESPONSE:
        _require_none(fresh.value(sent), "client_context")
    fresh.require_same_process(because="after a client context that is not JSON")


@case(
    "RT-026-non-ascii-header",
    Level.SHOULD,
    judgement=True,
    requirement="Bytes beyond ASCII in a header do not end the process.",
    page="runtimes-api",
    section=SECTION,
)
def test_non_ascii_header(fresh: Environment) -> None:
    fresh.outcome(fresh.send(do("echo", value="sent"), client_context='{"custom":{"name":"\u00e9\u6f22"}}'))
    fresh.require_same_process(because="after a header with bytes beyond ASCII")


@case(
    "RT-027-tenant-id",
    Level.SHOULD,
    judgement=True,
    requirement="The tenant id of an invoke reaches the handler, and is not kept for the next one.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.CONTEXT,),
)
def test_tenant_id(warm: Environment) -> None:
    for tenant in ("blue", "red"):
        seen = context_field(warm.ask(do("context"), tenant_id=tenant), "tenant_id")
        require(seen == tenant, expected=f"the tenant id {tenant}", seen=shown(seen))
    _require_none(warm.ask(do("context")), "tenant_id")


@case(
    "RT-028-trace-set",
    Level.MUST,
    requirement="_X_AMZN_TRACE_ID holds the trace id of the invoke, byte for byte, while the handler runs.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.TRACE,),
)
def test_trace_set(warm: Environment) -> None:
    trace = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0;Lineage=1:a87bd80c:0"
    seen = _trace(warm, trace)
    require(seen == trace, expected=trace, seen=shown(seen))


@case(
    "RT-029-trace-changes",
    Level.MUST,
    requirement="_X_AMZN_TRACE_ID follows the invoke: it is never the value of an earlier one.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.TRACE,),
)
def test_trace_changes(warm: Environment) -> None:
    for number in range(3):
        trace = f"Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e70{number};Sampled={number % 2}"
        seen = _trace(warm, trace)
        require(seen == trace, expected=trace, seen=shown(seen))


@case(
    "RT-030-trace-absent",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "Without a trace id _X_AMZN_TRACE_ID is not set or empty: the value of the invoke before is gone."
    ),
    page="configuration-envvars",
    section=SECTION,
    needs=(Need.TRACE,),
)
def test_trace_absent(warm: Environment) -> None:
    trace = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1"
    seen = _trace(warm, trace)
    require(seen == trace, expected=trace, seen=shown(seen))
    _require_none(warm.ask(do("context")), "trace_id")


def _trace(environment: Environment, trace: str) -> object:
    context = environment.ask(do("context"), trace_id=trace)
    return context_field(context, "trace_id")


def _require_none(context: Any, name: str) -> None:
    """Require that a field the probe tells is null or empty."""
    if isinstance(context, dict) and name in context:
        require(not context[name], expected=f"no {name}", seen=shown(context[name]))
