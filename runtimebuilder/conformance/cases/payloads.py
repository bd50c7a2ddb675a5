"""What events and results may hold: RT-075 to RT-090."""

from __future__ import annotations

import json

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import Command, Environment, do
from runtimebuilder.conformance.expectation import require, shown
from runtimebuilder.conformance.probes.codec import HTTP_STREAM_DELIMITER
from runtimebuilder.emulator.exchange import Route
from runtimebuilder.emulator.invocation import OutcomeKind

SECTION = "Payloads"

_SPECIMENS = (
    "é",
    "漢字",
    "🙂",
    "line\u2028separator\u2029",
    "\ufeffmark",
    "right to left \u202e\u05d0",
    "\u00e9 and e\u0301",  # the same letter composed and decomposed: nobody normalises
)
DEPTHS = (512, 513, 1000, 10_000)


@case(
    "RT-075-unicode",
    Level.MUST,
    judgement=True,
    requirement="Text of any script comes back equal, raw or escaped, and is not normalised.",
    page="runtimes-api",
    section=SECTION,
)
def test_unicode(warm: Environment) -> None:
    for text in _SPECIMENS:
        warm.require_echo(text)
        warm.require_echo({text: [text]})


@case(
    "RT-076-escaped-NUL",
    Level.MUST,
    judgement=True,
    requirement="A string with \\u0000 in it comes back whole.",
    page="runtimes-api",
    section=SECTION,
)
def test_escaped_nul(warm: Environment) -> None:
    warm.require_echo("a\0b")


@case(
    "RT-077-lone-surrogate",
    Level.SHOULD,
    judgement=True,
    requirement="Text with half a surrogate pair is replaced or reported as an error; the process goes on.",
    page="runtimes-api",
    section=SECTION,
)
def test_lone_surrogate(warm: Environment) -> None:
    sent = warm.send(Command('{"do":"echo","value":"\\ud800"}'))
    outcome = warm.outcome(sent)
    if outcome.kind is OutcomeKind.RESPONSE:
        seen = shown(outcome.body)
        head = outcome.body.partition(HTTP_STREAM_DELIMITER)[0] if outcome.is_streamed else outcome.body
        require(_is_json(head), expected="a response that is UTF-8 and JSON, or an error", seen=seen)
    warm.require_same_process(because="after half a surrogate pair")


@case(
    "RT-078-invalid-utf8-result",
    Level.MUST,
    judgement=True,
    requirement=(
        "A result of bytes that are not UTF-8 is reported as an error or sent as something else than JSON."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.BYTES,),
)
def test_invalid_utf8_result(fresh: Environment) -> None:
    outcome = fresh.outcome(fresh.send(do("bytes")))
    media = (outcome.exchange.header("Content-Type") or "").lower()
    claims_json = "json" in media or not media
    require(
        outcome.kind is OutcomeKind.ERROR or not claims_json or _is_json(outcome.body),
        expected="an error, or a response that does not claim to be JSON",
        seen=f"{shown(outcome.body)} as {media or 'nothing in particular'}",
    )
    fresh.require_echo("goes on", because="after a result that is not UTF-8")


@case(
    "RT-079-null-result",
    Level.SHOULD,
    judgement=True,
    requirement="A handler that returns nothing makes the response `null`.",
    page="runtimes-api",
    section=SECTION,
)
def test_null_result(warm: Environment) -> None:
    text = warm.result_text(warm.send(do("nothing")))
    require(text.strip() == "null", expected="the response null", seen=shown(text))


@case(
    "RT-080-scalars",
    Level.SHOULD,
    judgement=True,
    requirement="A result that is a string, a number or a truth value is sent as such, also an empty one.",
    page="runtimes-api",
    section=SECTION,
)
def test_scalars(warm: Environment) -> None:
    for value in ("", 0, False, 1.5, "x"):
        seen = warm.ask(do("echo", value=value))
        right = seen == value and isinstance(seen, bool) is isinstance(value, bool)
        require(right, expected=f"{shown(value)} echoed", seen=shown(seen))


@case(
    "RT-081-empty-object-vs-list",
    Level.SHOULD,
    judgement=True,
    requirement="An empty object stays an object and an empty list a list.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.ANY_EVENT,),
)
def test_empty_object_vs_list(warm: Environment) -> None:
    for event in (b"{}", b"[]", b'{"object":{},"list":[]}'):
        value = warm.value(warm.send(event=event))
        require(value == json.loads(event), expected=f"{event.decode()} echoed", seen=shown(value))


@case(
    "RT-082-big-integer",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "Integers of more than 53 bits are kept; one of more than 64 bits may become a floating-point number."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAW_EVENT,),
)
def test_big_integer(warm: Environment) -> None:
    for number, exact in ((9_007_199_254_740_993, True), (-9_223_372_036_854_775_807, True), (2**64, False)):
        seen = warm.ask(Command(f'{{"do":"echo","value":{number}}}'))
        right = seen == number and isinstance(seen, int if exact else (int, float))
        require(right, expected=f"{number} echoed", seen=shown(seen))


@case(
    "RT-083-floats",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "Finite numbers are kept; what JSON cannot express is reported as an error and never sent as JSON."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAW_EVENT,),
)
def test_floats(warm: Environment) -> None:
    for text in ("1.0", "-0", "0.1", "1e300"):
        seen = warm.ask(Command(f'{{"do":"echo","value":{text}}}'))
        require(seen == float(text), expected=f"{text} echoed", seen=shown(seen))
    outcome = warm.outcome(warm.send(Command('{"do":"echo","value":1e400}')))
    require(
        outcome.kind is OutcomeKind.ERROR or _is_json(outcome.body),
        expected="an error, or a response that is JSON, to a number too large for a double",
        seen=shown(outcome.body),
    )
    warm.require_same_process(because="after a number too large for a double")


@case(
    "RT-084-depth-512-513-1000-10000",
    Level.MUST,
    judgement=True,
    requirement="A deeply nested event is handled or reported as an error; the process is not lost over it.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAW_EVENT,),
)
def test_depth(fresh: Environment) -> None:
    for depth in DEPTHS:
        nested = "[" * depth + "]" * depth
        sent = fresh.send(Command('{"do":"echo","value":' + nested + "}"))
        outcome = fresh.outcome(sent)
        if outcome.kind is OutcomeKind.RESPONSE:
            text = fresh.result_text(sent).replace(" ", "").replace("\n", "")
            require(text == nested, expected=f"{depth} nested lists echoed", seen=shown(text))
        fresh.require_echo(depth, because=f"by the same process after an event of depth {depth}")
    require(fresh.box.is_running(), expected="the process goes on", seen="it ended")


@case(
    "RT-085-duplicate-keys",
    Level.MAY,
    judgement=True,
    requirement="Of two equal keys in an event the last counts, or the event is reported as an error.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.RAW_EVENT,),
)
def test_duplicate_keys(warm: Environment) -> None:
    sent = warm.send(Command('{"do":"echo","value":{"a":1,"a":2}}'))
    if warm.outcome(sent).kind is not OutcomeKind.ERROR:
        seen = warm.value(sent)
        require(seen == {"a": 2}, expected="the last of two equal keys, or an error", seen=shown(seen))
    warm.require_same_process(because="after an event with two equal keys")


@case(
    "RT-086-whitespace-BOM",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "White space around an event does not matter; a byte order mark before it is accepted or reported."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_whitespace_and_mark(warm: Environment) -> None:
    event = warm.event_of(do("echo", value="spaced"))
    seen = warm.value(warm.send(event=b" \t\r\n " + event + b" \r\n"))
    require(seen == "spaced", expected="an event with white space around it handled", seen=shown(seen))
    marked = warm.send(event=b"\xef\xbb\xbf" + event)
    if warm.outcome(marked).kind is not OutcomeKind.ERROR:
        seen = warm.value(marked)
        require(seen == "spaced", expected="the event handled, or an error", seen=shown(seen))
    warm.require_same_process(because="after a byte order mark")


@case(
    "RT-087-non-object-events",
    Level.MUST,
    judgement=True,
    requirement=(
        "An event is any JSON value: the handler gets strings, numbers, lists, null and true as well."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.ANY_EVENT,),
)
def test_non_object_events(warm: Environment) -> None:
    for event in (b'"s"', b"7", b"[1]", b"null", b"true"):
        value = warm.value(warm.send(event=event))
        require(value == json.loads(event), expected=f"the event {event.decode()} echoed", seen=shown(value))


@case(
    "RT-088-invalid-json-event",
    Level.MUST,
    judgement=True,
    requirement="An event that is not JSON is reported as an error of that invoke, and the runtime goes on.",
    page="runtimes-api",
    section=SECTION,
)
def test_invalid_json_event(fresh: Environment) -> None:
    sent = fresh.send(event=b"{")
    outcome = fresh.outcome(sent)
    require(
        outcome.kind is OutcomeKind.ERROR,
        expected="POST to /error for the event `{`",
        seen=f"{outcome.kind}: {shown(outcome.body)}",
    )
    fresh.require_echo("goes on", because="after an event that is not JSON")
    started = fresh.exchanges(Route.INIT_ERROR)
    require(not started, expected="no init/error", seen=f"{len(started)} POSTs to init/error")


@case(
    "RT-089-empty-event",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "An empty event is taken as null or reported as an error of that invoke, and the runtime goes on."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_empty_event(fresh: Environment) -> None:
    outcome = fresh.outcome(fresh.send(event=b""))
    seen = f"{outcome.kind}: {shown(outcome.body)}"
    require(outcome.kind is not OutcomeKind.TOO_LARGE, expected="a response or an error", seen=seen)
    fresh.require_same_process(because="after an empty event")


@case(
    "RT-090-event-content-type",
    Level.SHOULD,
    requirement=(
        "An event is JSON whatever its Content-Type says; another type may make it plain text for the "
        "handler."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_event_content_type(warm: Environment) -> None:
    for media in ("text/plain", "application/json; charset=utf-8", None):
        command = do("echo", value="typed")
        seen = warm.ask(command, content_type=media)
        right = seen in ("typed", command.text)
        require(right, expected=f"the event handled with Content-Type {media}", seen=shown(seen))


def _is_json(body: bytes) -> bool:
    """Whether this is JSON as RFC 8259 has it: Python's own parser takes NaN and Infinity too."""
    try:
        json.loads(body, parse_constant=_refuse)
    except ValueError:
        return False
    return True


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
