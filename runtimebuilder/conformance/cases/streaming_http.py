"""Streams for HTTP callers, and what a stream may hold: ST-11 to ST-15."""

from __future__ import annotations

import json
from typing import Any

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.cases.streaming import (
    HTTP_TYPE,
    SECTION,
    media_type,
    payload_of,
    require_stream,
    stream,
)
from runtimebuilder.conformance.environment import Environment
from runtimebuilder.conformance.expectation import fail, require, shown
from runtimebuilder.conformance.probes.codec import HTTP_STREAM_DELIMITER as DELIMITER
from runtimebuilder.conformance.probes.probe import Probe
from runtimebuilder.emulator.invocation import Outcome, OutcomeKind

_HTTP = {"statusCode": 201, "headers": {"x-probe": "yes"}, "cookies": ["a=1; Path=/", "b=2"]}
_ANY_BYTES = b"before" + DELIMITER + bytes(range(256)) + bytes(20) + b"after"


@case(
    "ST-11-http-prelude",
    Level.MUST,
    requirement=(
        f"A stream with status, headers and cookies is sent as {HTTP_TYPE}: a JSON object with them, 8 NUL bytes, "
        "the payload."
    ),
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.HTTP_STREAM,),
)
def test_http_prelude(warm: Environment) -> None:
    outcome = require_stream(warm, stream({"text": "the payload"}, http=_HTTP))
    seen = outcome.exchange.header("Content-Type")
    require(
        media_type(outcome.exchange) == HTTP_TYPE, expected=f"Content-Type: {HTTP_TYPE}", seen=shown(seen)
    )
    prelude = _prelude_of(outcome)
    headers = {str(name).lower(): value for name, value in dict(prelude.get("headers") or {}).items()}
    told = (prelude.get("statusCode"), headers.get("x-probe"), prelude.get("cookies"))
    require(told == (201, "yes", _HTTP["cookies"]), expected=shown(_HTTP), seen=shown(prelude))
    payload = payload_of(outcome)
    require(payload == b"the payload", expected="the payload after it", seen=shown(payload))


@case(
    "ST-12-prelude-no-nul",
    Level.MUST,
    requirement="NUL characters in a header or cookie are escaped: before the delimiter there is no NUL byte.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.HTTP_STREAM,),
)
def test_prelude_no_nul(warm: Environment) -> None:
    cookie = "a=" + "\0" * 9
    sent = warm.send(stream({"text": "the payload"}, http={**_HTTP, "cookies": [cookie]}))
    outcome = warm.outcome(sent)
    if outcome.kind is not OutcomeKind.RESPONSE:
        return  # refused, which keeps it out of the prelude as well
    cookies = _prelude_of(outcome).get("cookies")
    # A language that has no such cookies leaves it out.
    require(cookies in ([cookie], [], None), expected=f"cookies: {[cookie]!r}", seen=shown(cookies))
    payload = payload_of(outcome)
    require(payload == b"the payload", expected="the payload after 8 NUL bytes", seen=shown(payload))


@case(
    "ST-13-prelude-once",
    Level.MUST,
    requirement="Prelude and delimiter come once, before the first byte of the payload, however many writes follow.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.HTTP_STREAM,),
)
def test_prelude_once(warm: Environment) -> None:
    outcome = require_stream(warm, stream({"text": "write ", "times": 20}, {"text": "end"}, http=_HTTP))
    _prelude_of(outcome)
    times = outcome.body.count(DELIMITER)
    require(times == 1, expected="8 NUL bytes once", seen=f"{times} times")
    payload = payload_of(outcome)
    require(payload == b"write " * 20 + b"end", expected="the payload, whole", seen=shown(payload))


@case(
    "ST-14-empty-stream",
    Level.SHOULD,
    judgement=True,
    requirement="A stream without any write is an empty response, with its prelude and delimiter for an HTTP caller.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM,),
)
def test_empty_stream(warm: Environment, probe: Probe) -> None:
    payload = payload_of(require_stream(warm, stream()))
    require(payload == b"", expected="nothing in the stream", seen=shown(payload))
    if probe.lacks((Need.HTTP_STREAM,)) is None:
        outcome = require_stream(warm, stream(http=_HTTP))
        _prelude_of(outcome)
        payload = payload_of(outcome)
        require(payload == b"", expected="nothing after the delimiter", seen=shown(payload))


@case(
    "ST-15-payload-with-NULs",
    Level.MUST,
    judgement=True,
    requirement="Bytes of any value come through unchanged, 8 NUL bytes in a row among them.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM,),
)
def test_payload_with_nuls(warm: Environment, probe: Probe) -> None:
    steps: tuple[dict[str, object], ...] = ({"text": "x"}, {"hex": _ANY_BYTES.hex()})
    commands = [stream(*steps)]
    if probe.lacks((Need.HTTP_STREAM,)) is None:
        commands.append(stream(*steps, http=_HTTP))
    for command in commands:
        payload = payload_of(require_stream(warm, command))
        require(
            payload == b"x" + _ANY_BYTES,
            expected=f"{len(_ANY_BYTES) + 1} bytes as written",
            seen=shown(payload),
        )


def _prelude_of(outcome: Outcome) -> dict[str, Any]:
    """The prelude, which ends at the first NUL byte."""
    text, _, rest = outcome.body.partition(b"\0")
    try:
        prelude = json.loads(text)
    except ValueError:
        prelude = None
    if not isinstance(prelude, dict) or not rest.startswith(DELIMITER[1:]):
        fail(expected="a JSON object and 8 NUL bytes", seen=shown(outcome.body))
    return prelude
