"""Deliveries and replies: each fault as the runtime sees it on the wire, and as the recording tells it."""

from __future__ import annotations

import time

import pytest

from runtimebuilder.emulator import Delivery, Emulator, Invocation, OutcomeKind, Reply, Route
from tests.unit.emulator.conftest import Connect
from tests.unit.emulator.wire import INIT_ERROR, NEXT, Client, error_path, response_path


def give(emulator: Emulator, client: Client, delivery: Delivery | None = None) -> Invocation:
    invocation = Invocation.of("event")
    emulator.queue(invocation, delivery)
    assert client.get(NEXT).status == 200
    return invocation


def test_a_chunked_event_has_no_length(emulator: Emulator, client: Client) -> None:
    emulator.queue(Invocation.of(b"x" * 10_000), Delivery(framing="chunked"))
    got = client.get(NEXT)
    assert got.header("Transfer-Encoding") == "chunked"
    assert got.header("Content-Length") is None
    assert [len(piece) for piece in got.pieces] == [4096, 4096, 1808]
    assert got.body == b"x" * 10_000
    assert client.get(NEXT).status == 200  # the connection is fit for more


def test_a_dripped_event_is_split_inside_characters(emulator: Emulator, client: Client) -> None:
    emulator.queue(Invocation.of("é🙂"), Delivery(framing="chunked", drip=(1, 0.01)))
    begun = time.monotonic()
    got = client.get(NEXT)
    assert time.monotonic() - begun >= 0.08
    assert got.pieces == (b'"', b"\xc3", b"\xa9", b"\xf0", b"\x9f", b"\x99", b"\x82", b'"')
    assert emulator.recording.exchanges()[0].fault == "event sent chunked, dripped 1 bytes every 0.01 s"


def test_a_sized_event_can_be_dripped_too(emulator: Emulator, client: Client) -> None:
    emulator.queue(Invocation.of(b"0123456789"), Delivery(drip=(5, 0.03)))
    begun = time.monotonic()
    got = client.get(NEXT)
    assert time.monotonic() - begun >= 0.06
    assert (got.body, got.header("Content-Length"), got.pieces) == (b"0123456789", "10", ())


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("canonical", "Lambda-Runtime-Aws-Request-Id"),
        ("lower", "lambda-runtime-aws-request-id"),
        ("upper", "LAMBDA-RUNTIME-AWS-REQUEST-ID"),
        ("mixed", "lAmBdA-RuNtImE-AwS-ReQuEsT-Id"),
    ],
)
def test_header_names_in_each_case(emulator: Emulator, client: Client, case: str, name: str) -> None:
    emulator.queue(Invocation.of(1), Delivery(header_case=case))  # type: ignore[arg-type]  # parametrized
    got = client.get(NEXT)
    assert name in got.names
    assert len({name.lower() for name in got.names}) == len(got.names) == 6


def test_extra_headers_can_be_many_and_repeated(emulator: Emulator, client: Client) -> None:
    extra = (*((f"X-Unknown-{number}", "v") for number in range(30)), ("X-Twice", "1"), ("X-Twice", "2"))
    emulator.queue(Invocation.of(1), Delivery(extra_headers=extra))
    got = client.get(NEXT)
    assert tuple(pair for pair in got.headers if pair[0].startswith("X-")) == extra
    assert got.body == b"1"


def test_headers_can_be_64_kb_large(emulator: Emulator, client: Client) -> None:
    big = ("X-Big", "v" * 65_536)
    emulator.queue(Invocation.of(1, client_context="c" * 65_536), Delivery(extra_headers=(big,)))
    got = client.get(NEXT)
    assert got.header("X-Big") == big[1]
    assert got.header("Lambda-Runtime-Client-Context") == "c" * 65_536
    assert got.body == b"1"


def test_headers_can_be_left_out_by_names_in_any_case(emulator: Emulator, client: Client) -> None:
    omitted = frozenset({"lambda-runtime-aws-request-id", "Content-Type"})
    emulator.queue(Invocation.of(1), Delivery(omit_headers=omitted))
    assert client.get(NEXT).names == (
        "Lambda-Runtime-Deadline-Ms",
        "Lambda-Runtime-Invoked-Function-Arn",
        "Date",
        "Content-Length",
    )


def test_an_event_can_close_its_connection(emulator: Emulator, connect: Connect) -> None:
    client = connect()
    emulator.queue(Invocation.of(1), Delivery(connection_close=True))
    got = client.get(NEXT)
    assert (got.header("Connection"), got.body) == ("close", b"1")
    assert client.rest() == b""


def test_an_event_can_be_late(emulator: Emulator, client: Client) -> None:
    emulator.queue(Invocation.of(1), Delivery(delay=0.08))
    begun = time.monotonic()
    assert client.get(NEXT).status == 200
    assert time.monotonic() - begun >= 0.08


def test_a_delivery_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        Delivery(drip=(0, 0.1))


def test_canned_replies_come_in_order_and_then_all_is_as_before(emulator: Emulator, client: Client) -> None:
    emulator.queue(Invocation.of(1))
    emulator.script(Route.NEXT, Reply(204), Reply(200), Reply.server_error())
    assert [client.get(NEXT).status for _ in range(4)] == [204, 200, 500, 200]
    faults = [exchange.fault for exchange in emulator.recording.exchanges(Route.NEXT)]
    assert faults == ["canned answer 204", "canned answer 200", "canned answer 500", None]


def test_a_reply_is_for_its_route_only(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    emulator.script(Route.ERROR, Reply.server_error())
    assert client.post(response_path(invocation.request_id)).status == 202
    assert client.post(error_path(invocation.request_id)).status == 500


def test_the_services_own_refusals_as_replies(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    emulator.script(
        Route.RESPONSE,
        Reply.bad_request_id(),
        Reply.forbidden("A", "B"),
        Reply.too_large(),
        Reply.bad_mode(),
        Reply.server_error(),
        Reply.accepted(apply=False),
    )
    got = [client.post(response_path(invocation.request_id)) for _ in range(6)]
    assert [answer.status for answer in got] == [400, 403, 413, 400, 500, 202]
    assert [answer.json().get("errorType") for answer in got] == [
        "InvalidRequestID",
        "InvalidStateTransition",
        "RequestEntityTooLarge",
        "InvalidFunctionResponseMode",
        "InternalServerError",
        None,
    ]
    assert all(answer.header("Content-Type") == "application/json" for answer in got)
    assert emulator.state == "Running"
    assert emulator.wait_outcome(invocation.request_id, 0) is None


def test_a_reply_can_differ_while_the_request_counts(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    emulator.script(Route.RESPONSE, Reply(200, b"garbage", apply=True))
    got = client.post(response_path(invocation.request_id), b"1")
    assert (got.status, got.body) == (200, b"garbage")
    outcome = emulator.wait_outcome(invocation.request_id, 1)
    assert outcome is not None
    assert (outcome.kind, outcome.body) == (OutcomeKind.RESPONSE, b"1")
    assert emulator.state == "RuntimeResponseSentState"


def test_the_emulators_own_answer_can_have_another_form(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    form = Reply(
        202,
        own_answer=True,
        framing="chunked",
        drip=(5, 0.001),
        header_case="upper",
        extra_headers=(("X-One", "1"), ("X-One", "2")),
    )
    emulator.script(Route.RESPONSE, form)
    got = client.post(response_path(invocation.request_id))
    assert (got.status, got.body) == (202, b'{"status":"OK"}\n')
    assert [len(piece) for piece in got.pieces] == [5, 5, 5, 1]
    assert got.names == ("CONTENT-TYPE", "X-ONE", "X-ONE", "DATE", "TRANSFER-ENCODING")
    assert emulator.wait_outcome(invocation.request_id, 1) is not None
    assert emulator.recording.exchanges(Route.RESPONSE)[0].fault == (
        "answer sent chunked, dripped 5 bytes every 0.001 s, header names in upper case, 2 extra headers"
    )


def test_a_canned_answer_can_be_dripped(emulator: Emulator, client: Client) -> None:
    emulator.script(Route.NEXT, Reply(500, b"0123456789", drip=(4, 0.001), extra_headers=(("X-Odd", "1"),)))
    got = client.get(NEXT)
    assert (got.status, got.body, got.header("Content-Length"), got.header("X-Odd")) == (
        500,
        b"0123456789",
        "10",
        "1",
    )


@pytest.mark.parametrize("status", [200, 204])
def test_an_answer_can_be_empty(emulator: Emulator, client: Client, status: int) -> None:
    emulator.script(Route.NEXT, Reply(status, headers=()))
    got = client.get(NEXT)
    assert (got.status, got.body) == (status, b"")
    assert got.header("Content-Length") == ("0" if status == 200 else None)


def test_a_reply_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="drip"):
        Reply(200, drip=(0, 0.1))


def test_a_wrong_length_can_be_told(emulator: Emulator, client: Client) -> None:
    emulator.script(Route.NEXT, Reply(200, b"abc", (("Content-Length", "10"),), connection_close=True))
    client.ask("GET", NEXT)
    assert b"Content-Length: 10\r\n" in (raw := client.rest())
    assert raw.endswith(b"\r\n\r\nabc")


def test_a_redirect_keeps_its_location(emulator: Emulator, client: Client) -> None:
    emulator.script(Route.NEXT, Reply(307, headers=(("Location", "http://127.0.0.1:1/"),)))
    assert client.get(NEXT).header("Location") == "http://127.0.0.1:1/"


def test_an_accepted_answer_can_be_held_while_the_outcome_is_known(
    emulator: Emulator, client: Client
) -> None:
    invocation = give(emulator, client)
    emulator.script(Route.RESPONSE, Reply.accepted(delay=0.2))
    client.ask("POST", response_path(invocation.request_id), b"1")
    outcome = emulator.wait_outcome(invocation.request_id, 1)
    assert outcome is not None
    assert outcome.exchange.answered is None
    assert client.read().status == 202
    seen = emulator.recording.exchanges(Route.RESPONSE)[0]
    assert seen.answered is not None
    assert seen.received is not None
    assert seen.answered - seen.received >= 0.2


def test_a_late_reply_is_the_emulators_own(emulator: Emulator, client: Client) -> None:
    emulator.script(Route.INIT_ERROR, Reply.late(0.05), Reply.late(0.05))
    begun = time.monotonic()
    assert client.post(INIT_ERROR).status == 202
    assert client.post(INIT_ERROR).status == 403
    assert time.monotonic() - begun >= 0.1
    assert emulator.recording.exchanges()[0].fault == "answer held 0.05 s"


def test_a_reply_can_close_its_connection(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    emulator.script(Route.RESPONSE, Reply(202, connection_close=True, own_answer=True))
    got = client.post(response_path(invocation.request_id))
    assert (got.status, got.header("Connection"), got.body) == (202, "close", b'{"status":"OK"}\n')
    assert client.rest() == b""


def test_a_cut_of_nothing_closes_without_an_answer(emulator: Emulator, client: Client) -> None:
    emulator.script(Route.NEXT, Reply.cut(delay=0.03))
    client.ask("GET", NEXT)
    assert client.rest() == b""
    seen = emulator.recording.exchanges()[0]
    assert (seen.status, seen.answered, seen.peer_closed) == (None, None, None)
    assert seen.fault == "answer held 0.03 s, connection cut after 0 bytes of the answer"
    assert emulator.state == "Started"


def test_a_cut_can_be_a_reset(emulator: Emulator, client: Client) -> None:
    emulator.script(Route.NEXT, Reply.cut(reset=True))
    client.ask("GET", NEXT)
    with pytest.raises(ConnectionResetError):
        client.rest()


def test_an_event_can_be_cut_in_the_middle_and_is_given_again(emulator: Emulator, connect: Connect) -> None:
    emulator.script(Route.NEXT, Reply.cut(40, apply=True))
    emulator.queue(Invocation.of("event"))
    first = connect()
    first.ask("GET", NEXT)
    raw = first.rest()
    assert raw == b"HTTP/1.1 200 OK\r\nContent-Type: application/json"[:40]
    assert connect().get(NEXT).body == b'"event"'


@pytest.mark.parametrize("reset", [True, False])
def test_a_request_can_be_cut_in_its_body(emulator: Emulator, connect: Connect, reset: bool) -> None:
    client = connect()
    invocation = give(emulator, client)
    emulator.script(Route.RESPONSE, Reply.cut_request(1000, reset=reset))
    head = f"POST {response_path(invocation.request_id)} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"
    client.send(head.encode() + b"x" * 500)
    assert emulator.recording.wait_for(lambda seen: len(seen) == 2 and seen[1].request_length == 500, 1)
    client.send(b"x" * 600)
    if reset:
        with pytest.raises(ConnectionResetError):
            client.rest()
    else:
        assert client.rest() == b""
    seen = emulator.recording.exchanges(Route.RESPONSE)[0]
    assert seen.fault == f"connection {'reset' if reset else 'closed'} after 1100 bytes of the request's body"
    assert (seen.received, seen.status) == (None, None)
    assert emulator.state == "Running"
    assert connect().post(response_path(invocation.request_id)).status == 202


def test_idle_connections_can_be_closed(emulator: Emulator, connect: Connect) -> None:
    idle, waiting = connect(), connect()
    assert idle.get("/2018-06-01/ping").status == 200
    waiting.ask("GET", NEXT)
    assert emulator.wait_ready(1)
    assert emulator.close_idle_connections() == 1
    assert idle.rest() == b""
    assert [note.text for note in emulator.recording.notes()] == ["idle connection closed by the emulator"]
    emulator.queue(Invocation.of(1))
    assert waiting.read().status == 200


def test_a_waiting_next_can_be_cut_at_will(emulator: Emulator, connect: Connect) -> None:
    waiting = connect()
    waiting.ask("GET", NEXT)
    assert emulator.wait_ready(1)
    assert emulator.cut_waiting_next() == 1
    with pytest.raises(ConnectionResetError):
        waiting.rest()
    assert emulator.state == "Started"
    assert emulator.recording.exchanges()[0].fault == "connection reset while the request waited"
    emulator.queue(Invocation.of(1))
    assert connect().get(NEXT).status == 200
