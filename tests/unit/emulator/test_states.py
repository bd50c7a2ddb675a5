"""Every state and every request: the transitions of the catalogue's §6.2, answers byte for byte."""

from __future__ import annotations

import re

import pytest

from runtimebuilder.emulator import Emulator, Invocation
from tests.unit.emulator.conftest import Connect
from tests.unit.emulator.wire import INIT_ERROR, NEXT, Client, error_path, response_path

MODE = "Lambda-Runtime-Function-Response-Mode: buffered"


def in_state(emulator: Emulator, connect: Connect, state: str) -> str:
    """Bring the environment there as a runtime would; the id of the invocation that is out."""
    client = connect()
    if state == "InitError":
        client.post(INIT_ERROR)
    if state in ("Started", "InitError"):
        return "made-up"
    invocation = Invocation.of("event")
    emulator.queue(invocation)
    client.get(NEXT)
    if state == "RuntimeResponseSentState":
        client.post(response_path(invocation.request_id))
    elif state == "InvocationResponse":
        client.post(response_path(invocation.request_id), b"{}", MODE)
    elif state == "InvocationErrorResponse":
        client.ask("POST", error_path(invocation.request_id), b"x" * 6_291_557)
        assert client.rest() == b""
    assert emulator.state == state
    return invocation.request_id


def answer(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nDate: now\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


OK = answer("202 Accepted", b'{"status":"OK"}\n')
BAD_ID = answer("400 Bad Request", b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}\n')


def refused(source: str, target: str) -> bytes:
    text = (
        f'{{"errorMessage":"State transition from {source} to {target} failed for runtime. '
        'Error: State transition is not allowed","errorType":"InvalidStateTransition"}\n'
    )
    return answer("403 Forbidden", text.encode())


def asked(client: Client, what: str, request_id: str) -> bytes:
    """The answer's bytes, with `now` in place of the date."""
    if what == "next":
        got = client.get(NEXT)
    else:
        paths = {
            "response": response_path(request_id),
            "error": error_path(request_id),
            "init-error": INIT_ERROR,
        }
        got = client.post(paths[what])
    return re.sub(rb"Date: [^\r]*", b"Date: now", got.raw_head) + got.body


SENT, RESPONDING, REPORTING = "RuntimeResponseSentState", "InvocationResponse", "InvocationErrorResponse"


@pytest.mark.parametrize(
    ("state", "what", "wanted"),
    [
        ("Started", "response", BAD_ID),
        ("Started", "error", BAD_ID),
        ("Started", "init-error", OK),
        ("InitError", "next", refused("InitError", "Ready")),
        ("InitError", "response", BAD_ID),
        ("InitError", "error", BAD_ID),
        ("InitError", "init-error", refused("InitError", "InitError")),
        ("Running", "response", OK),
        ("Running", "error", OK),
        ("Running", "init-error", refused("Running", "InitError")),
        (SENT, "response", refused(SENT, RESPONDING)),
        (SENT, "error", refused(SENT, REPORTING)),
        (SENT, "init-error", refused(SENT, "InitError")),
        (RESPONDING, "next", refused(RESPONDING, "Ready")),
        (RESPONDING, "response", refused(RESPONDING, RESPONDING)),
        (RESPONDING, "error", refused(RESPONDING, REPORTING)),
        (REPORTING, "next", refused(REPORTING, "Ready")),
        (REPORTING, "response", refused(REPORTING, RESPONDING)),
        (REPORTING, "error", refused(REPORTING, REPORTING)),
    ],
)
def test_each_request_in_each_state(
    emulator: Emulator, connect: Connect, state: str, what: str, wanted: bytes
) -> None:
    request_id = in_state(emulator, connect, state)
    seen = asked(connect(), what, request_id)
    assert seen == wanted
    if b" 403 " in wanted or wanted == BAD_ID:
        assert emulator.state == state


def test_an_event_that_is_out_is_given_again_with_the_same_bytes(
    emulator: Emulator, connect: Connect
) -> None:
    request_id = in_state(emulator, connect, "Running")
    first, second = (asked(connect(), "next", request_id) for _ in range(2))
    assert first == second
    assert request_id.encode() in first
    assert first.endswith(b'\r\n\r\n"event"')


@pytest.mark.parametrize("state", ["Started", SENT])
def test_next_waits_where_there_is_no_event(emulator: Emulator, connect: Connect, state: str) -> None:
    in_state(emulator, connect, state)
    waiting = connect()
    waiting.ask("GET", NEXT)
    assert emulator.wait_ready(3)
    assert emulator.recording.exchanges()[-1].answered is None
