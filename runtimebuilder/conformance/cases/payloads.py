"""What events and results may hold: RT-075 to RT-090."""

from __future__ import annotations

import json

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import Command, Environment, do
from runtimebuilder.conformance.expectation import require, shown
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


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
