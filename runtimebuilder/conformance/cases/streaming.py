"""Streamed responses on the wire, and errors in them: ST-01 to ST-10."""

from __future__ import annotations

import json
from typing import Any

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import ANSWER_LIMIT, Command, Environment, do
from runtimebuilder.conformance.expectation import fail, require, shown, unsupported
from runtimebuilder.conformance.probes.codec import HTTP_STREAM_DELIMITER as DELIMITER
from runtimebuilder.emulator.exchange import Exchange, Route
from runtimebuilder.emulator.invocation import (
    ERROR_BODY_TRAILER,
    ERROR_TYPE_TRAILER,
    MODE_HEADER,
    Outcome,
    OutcomeKind,
    StreamError,
)

SECTION = "Streaming"
HTTP_TYPE = "application/vnd.awslambda.http-integration-response"
_PAUSE = 0.5  # seconds between two writes


def stream(*steps: dict[str, object], **more: object) -> Command:
    """The probe's command to write these steps."""
    return do("stream", steps=steps, **more)


def require_stream(environment: Environment, command: Command, *, within: float = ANSWER_LIMIT) -> Outcome:
    """Require a response to this command, announced as a stream."""
    outcome = environment.outcome(environment.send(command), within)
    _is_known(outcome)
    require(
        outcome.kind is OutcomeKind.RESPONSE and outcome.is_streamed,
        expected=f"a streamed response to {shown(command.text, 60)}",
        seen=f"{outcome.kind}, {MODE_HEADER}: {shown(outcome.exchange.header(MODE_HEADER))}: {shown(outcome.body)}",
    )
    return outcome


def payload_of(outcome: Outcome) -> bytes:
    """What the handler wrote: the body, for HTTP responses what follows their prelude."""
    if media_type(outcome.exchange) != HTTP_TYPE:
        return outcome.body
    prelude, delimiter, payload = outcome.body.partition(DELIMITER)
    require(delimiter, expected="a prelude and 8 NUL bytes before the payload", seen=shown(prelude))
    return payload


def media_type(exchange: Exchange) -> str:
    """The Content-Type without parameters, in lower case."""
    return (exchange.header("Content-Type") or "").partition(";")[0].strip().lower()


@case(
    "ST-01-mode-header",
    Level.MUST,
    requirement=f"A streamed response has the header {MODE_HEADER} with the value `streaming`, in lower case.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM,),
)
def test_mode_header(warm: Environment) -> None:
    sent = warm.send(stream({"text": "one"}, {"text": "two"}))
    if not warm.wait_for(lambda found: any(_is_answer(one) for one in found), ANSWER_LIMIT):
        fail(expected="a response", seen="none")
    seen = [one.header(MODE_HEADER) for one in warm.posts(Route.RESPONSE, sent.request_id)]
    require(seen[:1] == ["streaming"], expected=f"{MODE_HEADER}: streaming", seen=shown(seen))


@case(
    "ST-02-chunked",
    Level.MUST,
    requirement="A streamed response is sent with Transfer-Encoding: chunked and without Content-Length.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM,),
)
def test_chunked(warm: Environment) -> None:
    posted = require_stream(warm, stream({"text": "one"}, {"text": "two"})).exchange
    coding, length = posted.header("Transfer-Encoding"), posted.header("Content-Length")
    require(
        (coding or "").lower() == "chunked" and length is None,
        expected="Transfer-Encoding: chunked, no Content-Length",
        seen=f"Transfer-Encoding: {shown(coding)}, Content-Length: {shown(length)}",
    )


@case(
    "ST-03-incremental",
    Level.MUST,
    requirement="What a handler writes is sent when it writes it, not when it writes more.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM,),
)
def test_incremental(warm: Environment) -> None:
    outcome = require_stream(warm, stream({"text": "first"}, {"pause": _PAUSE}, {"text": "second"}))
    payload = payload_of(outcome)
    require(payload == b"firstsecond", expected="'firstsecond'", seen=shown(payload))
    before = len(outcome.body) - len("second")
    gap = _arrival(outcome.exchange, before + 1) - _arrival(outcome.exchange, before)
    require(
        gap > _PAUSE / 2,
        expected=f"the first write sent at once, the second one {_PAUSE:g} s later",
        seen=f"{gap:.3f} s between the two",
    )


@case(
    "ST-04-first-byte-opens",
    Level.MUST,
    requirement="A handler that raises before it writes anything is reported to /error, as one that does not stream.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM, Need.RAISE),
)
def test_first_byte_opens(warm: Environment) -> None:
    sent = warm.send(stream({"raise": "nothing was written"}, {"text": "never"}))
    outcome = warm.outcome(sent)
    _is_known(outcome)
    require(outcome.kind is OutcomeKind.ERROR, expected="a POST to /error", seen=f"a {outcome.kind}")
    message = _object(outcome.body).get("errorMessage")
    require(
        "nothing was written" in str(message), expected="the exception's errorMessage", seen=shown(message)
    )
    warm.require_next(outcome.exchange.number, when="the error")
    posts = warm.posts(Route.RESPONSE, sent.request_id)
    require(not posts, expected="no POST to /response", seen=f"{len(posts)} POSTs")


@case(
    "ST-05-trailer-announced",
    Level.MUST,
    requirement="The head of a streamed response announces the two trailers of an error, which may follow.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM,),
)
def test_trailer_announced(warm: Environment) -> None:
    posted = require_stream(warm, stream({"text": "one"})).exchange
    values = [value for name, value in posted.request_headers if name.lower() == "trailer"]
    named = {name.strip().lower() for value in values for name in value.split(",")}
    wanted = {ERROR_TYPE_TRAILER.lower(), ERROR_BODY_TRAILER.lower()}
    require(
        wanted <= named,
        expected=f"Trailer: {ERROR_TYPE_TRAILER}, {ERROR_BODY_TRAILER}",
        seen=shown(", ".join(values)),
    )


@case(
    "ST-06-midstream-error",
    Level.MUST,
    requirement=(
        "An exception in the middle of a stream ends it with the trailers of the error's type and of its body in "
        "base64; nothing is posted to /error."
    ),
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM, Need.RAISE),
)
def test_midstream_error(warm: Environment) -> None:
    command = stream({"text": "one"}, {"text": "two"}, {"raise": "half-way"}, {"text": "never"})
    outcome = require_stream(warm, command)
    error = _stream_error(outcome)
    require(error.type, expected=f"{ERROR_TYPE_TRAILER}: a type", seen=shown(error.type))
    body = _error_body(outcome, error)
    require("half-way" in body["errorMessage"], expected="the exception's errorMessage", seen=shown(body))
    payload = payload_of(outcome)
    require(payload == b"onetwo", expected="'onetwo' before the error", seen=shown(payload))
    warm.require_next(outcome.exchange.number, when="the stream")
    errors = warm.posts(Route.ERROR, outcome.request_id)
    require(not errors, expected="no POST to /error", seen=f"{len(errors)} POSTs")


@case(
    "ST-07-trailer-single-line",
    Level.MUST,
    requirement="An error message of several lines is one line in its trailer, and comes back whole.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM, Need.RAISE),
)
def test_trailer_single_line(warm: Environment) -> None:
    message = "\n".join(f"line {number} of a long message" for number in range(10))
    outcome = require_stream(warm, stream({"text": "one"}, {"raise": message}))
    body = _error_body(outcome, _stream_error(outcome))
    require(message in body["errorMessage"], expected=shown(message), seen=shown(body["errorMessage"]))


@case(
    "ST-09-connection-close",
    Level.SHOULD,
    requirement="The connection is closed after a streamed response; the next event is asked for on another one.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM,),
)
def test_connection_close(warm: Environment) -> None:
    posted = require_stream(warm, stream({"text": "one"})).exchange
    warm.ready()
    again = [
        one for one in warm.exchanges() if one.number > posted.number and one.connection == posted.connection
    ]
    require(
        not again,
        expected="no request on the stream's connection after it",
        seen=shown([f"{one.method} {one.target}" for one in again]),
    )


@case(
    "ST-10-content-type-passed",
    Level.SHOULD,
    requirement="The handler's content type is the response's; without one it is application/octet-stream.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM,),
)
def test_content_type_passed(warm: Environment) -> None:
    for given, wanted in (("text/event-stream", "text/event-stream"), (None, "application/octet-stream")):
        more = {} if given is None else {"content_type": given}
        outcome = require_stream(warm, stream({"text": "data: 1\n\n"}, **more))
        if media_type(outcome.exchange) == HTTP_TYPE:  # a web page's type is one of its headers
            seen = _page_type(outcome)
        else:
            seen = outcome.exchange.header("Content-Type") or ""
        right = seen.partition(";")[0].strip().lower() == wanted
        require(right, expected=f"Content-Type: {wanted}", seen=shown(seen))


def _page_type(outcome: Outcome) -> str:
    headers = _object(outcome.body.partition(DELIMITER)[0]).get("headers")
    told = headers.items() if isinstance(headers, dict) else ()
    return next((str(value) for name, value in told if str(name).lower() == "content-type"), "")


def _is_answer(exchange: Exchange) -> bool:
    return exchange.route in (Route.RESPONSE, Route.ERROR)


def _is_known(outcome: Outcome) -> None:
    """A probe that does not know the command answers with an object."""
    if len(outcome.body) < 100 and b'"unsupported"' in outcome.body:
        unsupported("the probe does not know the command stream")


def _arrival(exchange: Exchange, size: int) -> float:
    """When so many bytes of the body had come."""
    for when, length in exchange.request_chunks:
        size -= length
        if size <= 0:
            return when
    return exchange.received or exchange.started


def _stream_error(outcome: Outcome) -> StreamError:
    error = outcome.stream_error
    if error is None:
        fail(
            expected=f"trailers {ERROR_TYPE_TRAILER} and {ERROR_BODY_TRAILER}",
            seen=f"none; the body ends with {shown(outcome.body[-200:])}",
        )
    return error


def _error_body(outcome: Outcome, error: StreamError) -> dict[str, Any]:
    raw = outcome.exchange.trailer(ERROR_BODY_TRAILER)
    require(error.body is not None, expected=f"{ERROR_BODY_TRAILER}: base64", seen=shown(raw))
    body = _object(error.body or b"")
    right = all(isinstance(body.get(name), str) for name in ("errorMessage", "errorType"))
    require(right, expected="errorMessage and errorType: strings", seen=shown(body))
    return body


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        fail(expected="an error that is a JSON object", seen=shown(text))
    return value
