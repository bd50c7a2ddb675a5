"""The Runtime API over real sockets: every route, refusal and transition (catalogue §6.1 to §6.3)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from runtimebuilder.emulator import Emulator, Invocation, OutcomeKind, Route
from runtimebuilder.emulator.answers import RESPONSE_LIMIT
from tests.unit.emulator.conftest import Connect
from tests.unit.emulator.wire import INIT_ERROR, NEXT, Client, error_path, response_path

BAD_ID = b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}\n'
OK = b'{"status":"OK"}\n'
JSON = "application/json"


def forbidden(source: str, target: str) -> bytes:
    return (
        f'{{"errorMessage":"State transition from {source} to {target} failed for runtime. Error: '
        'State transition is not allowed","errorType":"InvalidStateTransition"}\n'
    ).encode()


def give(emulator: Emulator, client: Client, event: object = None, **fields: str) -> Invocation:
    """Bring the environment to Running."""
    invocation = Invocation.of(event, **fields)  # type: ignore[arg-type]  # every field given here is a str
    emulator.queue(invocation)
    assert client.get(NEXT).status == 200
    return invocation


def test_next_hands_out_a_queued_event_with_its_headers(emulator: Emulator, client: Client) -> None:
    invocation = Invocation.of({"é": 1})
    emulator.queue(invocation)
    got = client.get(NEXT)
    assert got.status == 200
    assert got.body == '{"é":1}'.encode()
    assert got.names == (
        "Content-Type",
        "Lambda-Runtime-Aws-Request-Id",
        "Lambda-Runtime-Deadline-Ms",
        "Lambda-Runtime-Invoked-Function-Arn",
        "Date",
        "Content-Length",
    )
    assert got.header("Content-Type") == JSON
    assert got.header("Lambda-Runtime-Aws-Request-Id") == invocation.request_id
    assert got.header("Lambda-Runtime-Deadline-Ms") == str(invocation.deadline_ms)
    assert got.header("Lambda-Runtime-Invoked-Function-Arn") == invocation.function_arn


def test_next_carries_the_optional_headers_an_invocation_has(emulator: Emulator, client: Client) -> None:
    give(
        emulator,
        client,
        trace_id="Root=1-5e;Sampled=0",
        client_context='{"client":"é"}',
        cognito_identity='{"identityId":"x"}',
        tenant_id="blue",
    )
    sent = emulator.recording.exchanges(Route.NEXT)[0]
    assert sent.response_header("lambda-runtime-trace-id") == "Root=1-5e;Sampled=0"
    assert sent.response_header("lambda-runtime-client-context") == '{"client":"é"}'
    assert sent.response_header("lambda-runtime-cognito-identity") == '{"identityId":"x"}'
    assert sent.response_header("lambda-runtime-aws-tenant-id") == "blue"


def test_header_values_go_out_as_raw_utf8(emulator: Emulator, client: Client) -> None:
    emulator.queue(Invocation.of(None, client_context="é漢"))
    assert b"Lambda-Runtime-Client-Context: \xc3\xa9\xe6\xbc\xa2\r\n" in client.get(NEXT).raw_head


def test_next_waits_until_there_is_an_event(emulator: Emulator, client: Client) -> None:
    client.ask("GET", NEXT)
    assert emulator.wait_ready(1)
    assert emulator.state == "Ready"
    emulator.queue(Invocation.of(7))
    assert client.read().body == b"7"
    assert emulator.state == "Running"


def test_events_go_out_in_the_order_of_their_queueing(emulator: Emulator, client: Client) -> None:
    invocations = [Invocation.of(number) for number in range(5)]
    for invocation in invocations:
        emulator.queue(invocation)
    for number, invocation in enumerate(invocations):
        assert client.get(NEXT).body == str(number).encode()
        assert client.post(response_path(invocation.request_id)).status == 202


@pytest.mark.parametrize("event", [b"", b"{", b"\xff\x00", b'"\xe2\x80\xa8"'])
def test_events_are_bytes_not_json(emulator: Emulator, client: Client, event: bytes) -> None:
    emulator.queue(Invocation.of(event))
    assert client.get(NEXT).body == event


def test_a_response_is_accepted_and_is_the_outcome(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    got = client.post(response_path(invocation.request_id), b'{"a":[1]}', "Content-Type: application/json")
    assert (got.status, got.header("Content-Type"), got.body) == (202, JSON, OK)
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", got.header("Date") or "")
    outcome = emulator.wait_outcome(invocation.request_id, 1)
    assert outcome is not None
    assert (outcome.kind, outcome.body, outcome.json()) == (OutcomeKind.RESPONSE, b'{"a":[1]}', {"a": [1]})
    assert outcome.exchange.header("content-type") == JSON
    assert outcome.exchange.answered is not None
    assert emulator.state == "RuntimeResponseSentState"


def test_an_error_is_accepted_and_is_the_outcome(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    body = b'{"errorMessage":"m","errorType":"T"}'
    got = client.post(
        error_path(invocation.request_id), body, "Lambda-Runtime-Function-Error-Type: Runtime.T"
    )
    assert (got.status, got.body) == (202, OK)
    outcome = emulator.wait_outcome(invocation.request_id, 1)
    assert outcome is not None
    assert (outcome.kind, outcome.body) == (OutcomeKind.ERROR, body)
    assert outcome.exchange.header("lambda-runtime-function-error-type") == "Runtime.T"
    assert emulator.state == "RuntimeResponseSentState"


def test_an_unanswered_invocation_has_no_outcome(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    begun = time.monotonic()
    assert emulator.wait_outcome(invocation.request_id, 0.05) is None
    assert 0.05 <= time.monotonic() - begun < 10


def test_init_error_is_accepted_once(emulator: Emulator, client: Client) -> None:
    assert emulator.init_error() is None
    got = client.post(INIT_ERROR, b'{"errorMessage":"no"}')
    assert (got.status, got.body) == (202, OK)
    reported = emulator.init_error()
    assert reported is not None
    assert reported.request_body == b'{"errorMessage":"no"}'
    assert emulator.state == "InitError"
    second = client.post(INIT_ERROR)
    assert (second.status, second.body) == (403, forbidden("InitError", "InitError"))
    third = client.get(NEXT)
    assert (third.status, third.body) == (403, forbidden("InitError", "Ready"))
    assert emulator.init_error() == reported


def test_a_second_next_gets_the_same_event_again_at_once(emulator: Emulator, connect: Connect) -> None:
    first = connect()
    invocation = give(emulator, first, "same")
    emulator.queue(Invocation.of("other"))
    again = connect().get(NEXT)
    assert (again.body, again.header("Lambda-Runtime-Aws-Request-Id")) == (b'"same"', invocation.request_id)


def test_two_waiting_nexts_get_the_same_event(emulator: Emulator, connect: Connect) -> None:
    one, two = connect(), connect()
    one.ask("GET", NEXT)
    two.ask("GET", NEXT)
    assert emulator.recording.wait_for(lambda seen: len(seen) == 2, 1)
    time.sleep(0.02)  # both heads are in; the second may not have begun to wait
    emulator.queue(Invocation.of("shared"))
    assert one.read().body == two.read().body == b'"shared"'


@pytest.mark.parametrize("path_of", [response_path, error_path])
@pytest.mark.parametrize("request_id", ["", "made-up", "00000000-0000-0000-0000-000000000000"])
def test_unknown_ids_are_refused_whatever_the_state(
    emulator: Emulator, client: Client, path_of: Callable[[str], str], request_id: str
) -> None:
    for state in ("Started", "Running", "RuntimeResponseSentState", "InitError"):
        emulator.restart_environment()
        if state == "InitError":
            client.post(INIT_ERROR)
        elif state != "Started":
            invocation = give(emulator, client)
            if state == "RuntimeResponseSentState":
                client.post(response_path(invocation.request_id))
        assert emulator.state == state
        got = client.post(path_of(request_id))
        assert (got.status, got.header("Content-Type"), got.body) == (400, JSON, BAD_ID)
        assert emulator.state == state


def test_the_id_of_an_earlier_invocation_is_unknown(emulator: Emulator, client: Client) -> None:
    earlier = give(emulator, client)
    client.post(response_path(earlier.request_id))
    give(emulator, client)
    assert client.post(response_path(earlier.request_id)).body == BAD_ID


@pytest.mark.parametrize(
    ("path_of", "target"),
    [(response_path, "InvocationResponse"), (error_path, "InvocationErrorResponse")],
)
def test_an_answered_invocation_takes_no_second_answer(
    emulator: Emulator, client: Client, path_of: Callable[[str], str], target: str
) -> None:
    invocation = give(emulator, client)
    assert client.post(response_path(invocation.request_id), b"1").status == 202
    got = client.post(path_of(invocation.request_id), b"2")
    assert (got.status, got.body) == (403, forbidden("RuntimeResponseSentState", target))
    outcome = emulator.wait_outcome(invocation.request_id, 1)
    assert outcome is not None
    assert outcome.body == b"1"


def test_init_error_after_init_is_refused(emulator: Emulator, client: Client) -> None:
    give(emulator, client)
    got = client.post(INIT_ERROR)
    assert (got.status, got.body) == (403, forbidden("Running", "InitError"))
    assert emulator.init_error() is None


def test_the_largest_response_is_accepted(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    assert client.post(response_path(invocation.request_id), b"x" * RESPONSE_LIMIT).status == 202
    outcome = emulator.wait_outcome(invocation.request_id, 1)
    assert outcome is not None
    assert (outcome.kind, len(outcome.body)) == (OutcomeKind.RESPONSE, 6_291_556)


def test_one_byte_more_is_refused_and_fails_the_invocation(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    got = client.post(response_path(invocation.request_id), b"x" * (RESPONSE_LIMIT + 1))
    assert (got.status, got.reason) == (413, "Request Entity Too Large")
    assert got.body == (
        b'{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).",'
        b'"errorType":"RequestEntityTooLarge"}\n'
    )
    outcome = emulator.wait_outcome(invocation.request_id, 1)
    assert outcome is not None
    assert outcome.kind is OutcomeKind.TOO_LARGE
    assert outcome.json()["errorType"] == "Function.ResponseSizeTooLarge"
    assert outcome.exchange.request_length == 6_291_557
    late = client.post(error_path(invocation.request_id))
    assert late.body == forbidden("RuntimeResponseSentState", "InvocationErrorResponse")
    give(emulator, client)


def test_an_error_above_the_limit_gets_no_answer_and_sticks(emulator: Emulator, connect: Connect) -> None:
    client = connect()
    invocation = give(emulator, client)
    client.ask("POST", error_path(invocation.request_id), b"x" * (RESPONSE_LIMIT + 1))
    assert client.rest() == b""
    got = connect().get(NEXT)
    assert (got.status, got.body) == (403, forbidden("InvocationErrorResponse", "Ready"))
    assert emulator.wait_outcome(invocation.request_id, 0) is None


@pytest.mark.parametrize("mode", ["Streaming", "buffered", "STREAMING", ""])
def test_a_mode_that_is_not_streaming_is_refused_and_sticks(
    emulator: Emulator, client: Client, mode: str
) -> None:
    invocation = give(emulator, client)
    path = response_path(invocation.request_id)
    got = client.post(path, b"1", f"Lambda-Runtime-Function-Response-Mode: {mode}")
    assert got.status == 400
    assert got.body == (
        b'{"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}\n'
    )
    assert client.get(NEXT).body == forbidden("InvocationResponse", "Ready")
    assert client.post(path).body == forbidden("InvocationResponse", "InvocationResponse")


def test_a_streamed_response_may_be_larger(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    body = b"x" * (RESPONSE_LIMIT + 1)
    got = client.post(
        response_path(invocation.request_id), body, "Lambda-Runtime-Function-Response-Mode: streaming"
    )
    assert got.status == 202
    outcome = emulator.wait_outcome(invocation.request_id, 1)
    assert outcome is not None
    assert (outcome.kind, len(outcome.body)) == (OutcomeKind.RESPONSE, len(body))


def test_the_state_moves_with_the_head_of_a_response(emulator: Emulator, connect: Connect) -> None:
    slow, other = connect(), connect()
    invocation = give(emulator, slow)
    path = response_path(invocation.request_id)
    slow.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n1".encode())
    assert emulator.recording.wait_for(lambda seen: len(seen) == 2 and seen[1].request_length == 1, 1)
    assert emulator.state == "InvocationResponse"
    assert other.get(NEXT).body == forbidden("InvocationResponse", "Ready")
    assert other.post(path).body == forbidden("InvocationResponse", "InvocationResponse")
    slow.send(b"2")
    assert slow.read().status == 202
    outcome = emulator.wait_outcome(invocation.request_id, 1)
    assert outcome is not None
    assert outcome.body == b"12"


def test_a_truncated_response_gets_no_answer_and_sticks(emulator: Emulator, connect: Connect) -> None:
    client = connect()
    invocation = give(emulator, client)
    path = response_path(invocation.request_id)
    client.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123".encode())
    client.sock.shutdown(1)
    assert client.rest() == b""
    assert connect().get(NEXT).body == forbidden("InvocationResponse", "Ready")
    seen = emulator.recording.exchanges(Route.RESPONSE)[0]
    assert (seen.request_body, seen.received, seen.answered, seen.status) == (b"123", None, None, None)
    assert seen.peer_closed is not None


def test_a_given_up_invocation_takes_no_answer_and_has_no_outcome(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    emulator.fail_invocation(invocation.request_id)
    got = client.post(response_path(invocation.request_id))
    assert (got.status, got.body) == (400, BAD_ID)
    assert emulator.wait_outcome(invocation.request_id, 0) is None
    follower = give(emulator, client)
    assert client.post(response_path(follower.request_id)).status == 202


def test_an_answer_that_is_under_way_when_its_invocation_is_given_up_is_refused(
    emulator: Emulator, client: Client
) -> None:
    invocation = give(emulator, client)
    path = response_path(invocation.request_id)
    client.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n1".encode())
    assert emulator.recording.wait_for(lambda seen: len(seen) == 2 and seen[1].request_length == 1, 1)
    emulator.fail_invocation(invocation.request_id)
    client.send(b"2")
    assert client.read().body == BAD_ID
    assert emulator.wait_outcome(invocation.request_id, 0) is None


def test_a_queued_invocation_can_be_taken_back(emulator: Emulator, client: Client) -> None:
    first, second = Invocation.of(1), Invocation.of(2)
    emulator.queue(first)
    emulator.queue(second)
    emulator.fail_invocation(first.request_id)
    assert client.get(NEXT).body == b"2"


def test_a_restart_drops_what_was_given_out_and_keeps_what_is_queued(
    emulator: Emulator, connect: Connect
) -> None:
    old = connect()
    given = give(emulator, old, "given")
    emulator.queue(Invocation.of("queued"))
    emulator.restart_environment()
    assert emulator.state == "Started"
    new = connect()
    assert new.get(NEXT).body == b'"queued"'
    assert new.post(response_path(given.request_id)).body == BAD_ID


def test_a_restart_forgets_the_init_error(emulator: Emulator, client: Client) -> None:
    client.post(INIT_ERROR)
    emulator.restart_environment()
    assert emulator.init_error() is None
    assert client.post(INIT_ERROR).status == 202
    assert len(emulator.recording.exchanges(Route.INIT_ERROR)) == 2


def test_a_restart_cuts_a_next_that_waits(emulator: Emulator, connect: Connect) -> None:
    old = connect()
    old.ask("GET", NEXT)
    assert emulator.wait_ready(1)
    emulator.restart_environment()
    assert old.rest() == b""
    assert not emulator.wait_ready(0)
    emulator.queue(Invocation.of("for the new process"))
    assert connect().get(NEXT).body == b'"for the new process"'


def test_the_same_id_can_be_queued_again(emulator: Emulator, client: Client) -> None:
    for body in (b"1", b"2"):
        give(emulator, client, request_id="same")
        client.post(response_path("same"), body)
        outcome = emulator.wait_outcome("same", 1)
        assert outcome is not None
        assert outcome.body == body
