"""Handlers that raise, and the POST of their errors: RT-110 to RT-125, RT-136."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import PROMPTLY, Environment, do
from runtimebuilder.conformance.expectation import fail, require, shown
from runtimebuilder.emulator.exchange import Exchange, Route
from runtimebuilder.emulator.faults import Reply
from runtimebuilder.emulator.invocation import OutcomeKind

SECTION = "Errors"
ERROR_TYPE_HEADER = "Lambda-Runtime-Function-Error-Type"
_MEDIA = ("application/vnd.aws.lambda.error+json", "application/json")
_STORM = 3
HUGE = 10_000_000  # bytes of a message
LIMIT = 6 * 1024 * 1024  # bytes of what can be posted


@case(
    "RT-110-handler-throws",
    Level.MUST,
    requirement=(
        "An exception of the handler is posted to /error for that id, and the same process asks for "
        "the next event."
    ),
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_handler_throws(fresh: Environment) -> None:
    posted = _raise(fresh, "something went wrong")
    require(posted.method == "POST", expected="POST to /error", seen=posted.method)
    fresh.require_next(posted.number, when="the error")
    fresh.require_echo("warm", because="by the same process after an exception")
    found = fresh.box.wait_exit(0)
    require(found is None, expected="the same process", seen="it ended")
    require(
        len(fresh.posts(Route.ERROR, str(posted.request_id))) == 1,
        expected="one POST to /error",
        seen="several POSTs",
    )


@case(
    "RT-111-body-shape",
    Level.SHOULD,
    requirement=(
        "The error is an object with the strings errorMessage and errorType and a list of strings stackTrace."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_body_shape(warm: Environment) -> None:
    body = _error_object(_raise(warm, "the message"))
    expected = "errorMessage and errorType: strings; stackTrace: a list of strings"
    trace = body.get("stackTrace")
    right = isinstance(trace, list) and all(isinstance(line, str) for line in trace)
    texts = all(isinstance(body.get(name), str) for name in ("errorMessage", "errorType"))
    require(right and texts, expected=expected, seen=shown(body))


@case(
    "RT-112-body-minimal",
    Level.MUST,
    judgement=True,
    requirement="errorMessage and errorType are there and are strings; the message is the exception's.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_body_minimal(warm: Environment) -> None:
    body = _error_object(_raise(warm, "the message"))
    for name in ("errorMessage", "errorType"):
        require(isinstance(body.get(name), str), expected=f"a string {name}", seen=shown(body.get(name)))
    require(
        "the message" in body["errorMessage"],
        expected="the exception's message in errorMessage",
        seen=shown(body["errorMessage"]),
    )
    require(body["errorType"], expected="an errorType that is not empty", seen="''")


@case(
    "RT-113-error-content-type",
    Level.SHOULD,
    requirement=(
        "The error is posted as application/vnd.aws.lambda.error+json, or at least as application/json."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_error_content_type(warm: Environment) -> None:
    seen = _raise(warm, "typed").header("Content-Type")
    media = (seen or "").partition(";")[0].strip().lower()
    require(media in _MEDIA, expected=f"Content-Type: {_MEDIA[0]}", seen=shown(seen))


@case(
    "RT-114-error-type-header",
    Level.SHOULD,
    requirement="The error's type is also in the header Lambda-Runtime-Function-Error-Type.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_error_type_header(warm: Environment) -> None:
    seen = _raise(warm, "typed").header(ERROR_TYPE_HEADER)
    require(seen, expected=f"{ERROR_TYPE_HEADER}: a type", seen=shown(seen))


@case(
    "RT-115-error-type-form",
    Level.SHOULD,
    requirement="The type in the header has the form Function.Reason or Runtime.Reason.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_error_type_form(warm: Environment) -> None:
    seen = _raise(warm, "typed").header(ERROR_TYPE_HEADER) or ""
    right = re.fullmatch(r"(Function|Runtime)\.[A-Z][A-Za-z0-9_]+", seen)
    require(right, expected=f"{ERROR_TYPE_HEADER}: Function.Reason", seen=shown(seen))


@case(
    "RT-117-message-escapes",
    Level.MUST,
    judgement=True,
    requirement=(
        "A message with quotes, line breaks, control characters and emoji makes a body that is valid JSON."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_message_escapes(warm: Environment) -> None:
    message = 'a "quote" \\ back\nnew line\ttab \x01 control \U0001f642'
    body = _error_object(_raise(warm, message))
    require(
        message in str(body.get("errorMessage")),
        expected=f"errorMessage with {shown(message)}",
        seen=shown(body.get("errorMessage")),
    )


@case(
    "RT-118-message-not-utf8",
    Level.SHOULD,
    judgement=True,
    requirement="An error is reported also when its message is not UTF-8.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_message_not_utf8(fresh: Environment) -> None:
    outcome = fresh.outcome(fresh.send(do("raise", message_hex="61ff62")))
    seen = f"{outcome.kind}: {shown(outcome.body)}"
    require(outcome.kind is OutcomeKind.ERROR, expected="POST to /error", seen=seen)
    body = _error_object(outcome.exchange)
    require(isinstance(body.get("errorMessage"), str), expected="a string errorMessage", seen=shown(body))
    fresh.require_same_process(because="after a message that is not UTF-8")


@case(
    "RT-119-header-injection",
    Level.MUST,
    judgement=True,
    requirement=(
        "Line breaks and odd characters in an error's type or message never make another header, and "
        "the error is sent."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.TYPED_RAISE,),
)
def test_header_injection(fresh: Environment) -> None:
    evil = "Bad\r\nX-Injected: yes\x7f\u6f22"
    posted = _raise(fresh, evil, evil)
    require(
        posted.header("X-Injected") is None,
        expected="no header from the text of an error",
        seen=f"X-Injected: {posted.header('X-Injected')}",
    )
    strange = [
        (name, value)
        for name, value in posted.request_headers
        if any(not " " <= char <= "~" for char in value)
    ]
    require(not strange, expected="printable ASCII in every header", seen=shown(strange))
    _error_object(posted)
    fresh.require_echo("goes on", because="after an error with line breaks")


@case(
    "RT-120-huge-message",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "A message of 10 MB is cut, so that the error stays below the limit and the invoke is answered."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_huge_message(fresh: Environment) -> None:
    outcome = fresh.outcome(fresh.send(do("raise", message="0123456789", times=HUGE // 10)))
    seen = f"{outcome.kind}: {len(outcome.exchange.request_body)} bytes"
    right = outcome.kind is OutcomeKind.ERROR and len(outcome.exchange.request_body) < LIMIT
    require(right, expected=f"an error of less than {LIMIT} bytes", seen=seen)
    _error_object(outcome.exchange)
    fresh.require_same_process(because="after a huge message")


@case(
    "RT-123-error-then-ok",
    Level.MUST,
    judgement=True,
    requirement="The result after an error is clean: nothing of the error is left in it.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_error_then_ok(fresh: Environment) -> None:
    _raise(fresh, "first")
    sent = fresh.send(do("echo", value="second"))
    value = fresh.value(sent)
    require(value == "second", expected="'second'", seen=shown(value))
    posted = fresh.posts(Route.RESPONSE, sent.request_id)[0]
    left = posted.header(ERROR_TYPE_HEADER)
    require(left is None, expected=f"no {ERROR_TYPE_HEADER} on a response", seen=shown(left))


@case(
    "RT-124-error-403-400",
    Level.MUST,
    judgement=True,
    requirement=(
        "When the error is refused with 403 or 400 the runtime goes on with next or exits, without "
        "endless retries."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_error_403_400(fresh: Environment) -> None:
    for status, refusal in (
        ("403", Reply.forbidden("RuntimeResponseSentState", "InvocationErrorResponse", apply=True)),
        ("400", Reply.bad_request_id(apply=True)),
    ):
        if not fresh.box.is_running():
            fresh.box.restart()
            fresh.ready()
        fresh.api.script(Route.ERROR, *[refusal] * 100, Reply.accepted(apply=False))
        posted = _raise(fresh, f"refused with {status}")
        fresh.goes_on_or_exits(posted.number, when=status)
        posts = len(fresh.posts(Route.ERROR, str(posted.request_id)))
        require(posts <= _STORM, expected=f"the error posted at most {_STORM} times", seen=f"{posts} POSTs")


@case(
    "RT-125-error-500",
    Level.MUST,
    requirement="When the error is answered with 500 the runtime exits promptly.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAISE,),
)
def test_error_500(fresh: Environment) -> None:
    fresh.api.script(Route.ERROR, *[Reply.server_error(apply=True)] * 100)
    fresh.send(do("raise", message="lost"))
    fresh.exit_within(PROMPTLY, after="the answer 500 to an error")


@case(
    "RT-136-stdout-is-not-response",
    Level.MUST,
    requirement="What the handler prints is log only: the response is its result.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.PRINT,),
)
def test_stdout_is_not_response(warm: Environment) -> None:
    text = json.dumps({"printed": str(uuid.uuid4())})
    value = warm.ask(do("print", stdout=text + "\n", stderr="to the log\n"))
    require(value is None, expected="null, the result", seen=shown(value))
    require(warm.logs_in_time(text), expected=f"{text} in the container's log", seen=shown(warm.log()))


def _raise(environment: Environment, message: str, error_type: str | None = None) -> Exchange:
    """Let the handler raise; require POST to /error. The exchange, answered or not."""
    fields = {"message": message} | ({"type": error_type} if error_type else {})
    outcome = environment.outcome(environment.send(do("raise", **fields)))
    require(
        outcome.kind is OutcomeKind.ERROR,
        expected="POST to /error for an exception of the handler",
        seen=f"{outcome.kind}: {shown(outcome.body)}",
    )
    return outcome.exchange


def _error_object(posted: Exchange) -> dict[str, Any]:
    try:
        body = json.loads(posted.request_body)
    except ValueError as problem:
        fail(expected="an error that is JSON", seen=f"{problem}: {shown(posted.request_body)}")
    if not isinstance(body, dict):
        fail(expected="an error that is a JSON object", seen=shown(body))
    return body
