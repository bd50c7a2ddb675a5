"""What connections do: keeping alive, pipelining, framing, peers that go, requests that are none."""

from __future__ import annotations

import time

import pytest

from runtimebuilder.emulator import Emulator, Invocation, Reply, Route
from tests.unit.emulator.conftest import Connect
from tests.unit.emulator.wire import INIT_ERROR, NEXT, Client, response_path

PING = "/2018-06-01/ping"


def test_a_connection_is_kept_and_counted_once(emulator: Emulator, connect: Connect) -> None:
    client = connect()
    for _ in range(3):
        assert client.get(PING).status == 200
    connect().get(PING)
    assert emulator.recording.connections == 2
    assert [exchange.connection for exchange in emulator.recording.exchanges()] == [1, 1, 1, 2]
    assert [exchange.number for exchange in emulator.recording.exchanges()] == [1, 2, 3, 4]


def test_a_peer_that_wants_the_connection_closed_gets_it_closed(client: Client) -> None:
    client.ask("GET", PING, None, "Connection: close")
    assert client.read().body == b"pong"
    assert client.rest() == b""


def test_requests_may_come_before_the_answers(client: Client) -> None:
    client.ask("GET", PING)
    client.ask("POST", INIT_ERROR, b"{}")
    client.ask("GET", NEXT)
    assert [client.read().status for _ in range(3)] == [200, 202, 403]


def test_requests_may_share_a_packet(emulator: Emulator, client: Client) -> None:
    ping = f"GET {PING} HTTP/1.1\r\nHost: x\r\n\r\n"
    post = f"POST {INIT_ERROR} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
    client.send(f"{ping}{post}abc{ping}".encode())
    assert [client.read().status for _ in range(3)] == [200, 202, 200]
    seen = emulator.recording.exchanges()
    assert [exchange.request_head.decode() for exchange in seen] == [ping, post, ping]
    assert seen[1].request_body == b"abc"


def test_a_request_that_follows_a_waiting_next_waits_its_turn(emulator: Emulator, client: Client) -> None:
    client.ask("GET", NEXT)
    client.ask("GET", PING)
    assert emulator.wait_ready(1)
    emulator.queue(Invocation.of("event"))
    assert client.read().body == b'"event"'
    assert client.read().body == b"pong"


def test_a_head_may_come_byte_by_byte(emulator: Emulator, client: Client) -> None:
    raw = f"GET {PING} HTTP/1.1\r\nhOsT: x\r\nX-Odd:  spaced \r\n\r\n".encode()
    for place in range(len(raw)):
        client.send(raw[place : place + 1])
    assert client.read().body == b"pong"
    seen = emulator.recording.exchanges()[0]
    assert seen.request_head == raw
    assert seen.request_headers == (("hOsT", "x"), ("X-Odd", "spaced"))
    assert (seen.method, seen.target, seen.http_version) == ("GET", PING, "1.1")


def test_a_chunked_body_is_put_together_and_its_trailers_kept(emulator: Emulator, client: Client) -> None:
    head = f"POST {INIT_ERROR} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n"
    client.send(head.encode())
    client.send(b"3\r\nabc\r\n")
    assert emulator.recording.wait_for(lambda seen: bool(seen) and seen[0].request_length == 3, 1)
    client.send(b"2\r\nde\r\n0\r\nX-End: done\r\n\r\n")
    assert client.read().status == 202
    seen = emulator.recording.exchanges()[0]
    assert (seen.request_body, seen.request_framing) == (b"abcde", "chunked")
    assert [size for _, size in seen.request_chunks] == [3, 2]
    assert seen.request_trailers == (("X-End", "done"),)
    assert seen.trailer("x-end") == "done"


def test_arrival_times_tell_when_each_part_of_a_body_came(emulator: Emulator, client: Client) -> None:
    client.send(f"POST {INIT_ERROR} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab".encode())
    assert emulator.recording.wait_for(lambda seen: bool(seen) and seen[0].request_length == 2, 1)
    time.sleep(0.06)
    client.send(b"cd")
    client.read()
    seen = emulator.recording.exchanges()[0]
    (first, first_size), (second, second_size) = seen.request_chunks
    assert (first_size, second_size) == (2, 2)
    assert second - first >= 0.06
    assert seen.received is not None
    assert seen.answered is not None
    assert seen.started <= first < second <= seen.received <= seen.answered


def test_a_request_without_a_body_has_no_framing(emulator: Emulator, client: Client) -> None:
    client.get(PING)
    seen = emulator.recording.exchanges()[0]
    assert (seen.request_framing, seen.request_body, seen.request_chunks) == ("none", b"", ())


def test_a_body_on_next_is_seen(emulator: Emulator, client: Client) -> None:
    emulator.queue(Invocation.of(1))
    client.ask("GET", NEXT, b"body")
    assert client.read().status == 200
    seen = emulator.recording.exchanges()[0]
    assert (seen.request_framing, seen.request_body) == ("sized", b"body")


def expecting(client: Client) -> None:
    client.send(
        f"POST {INIT_ERROR} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n".encode()
    )


def test_who_expects_100_continue_gets_it(client: Client) -> None:
    expecting(client)
    assert client.read().status == 100
    client.send(b"{}")
    assert client.read().status == 202


def test_100_continue_can_be_kept_back() -> None:
    with Emulator(answer_expect=False) as emulator, Client(emulator) as client:
        expecting(client)
        client.sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.read()
        client.send(b"{}")
        assert client.read().status == 202


def test_a_waiting_next_whose_peer_goes_is_noticed(emulator: Emulator, connect: Connect) -> None:
    gone = connect()
    gone.ask("GET", NEXT)
    assert emulator.wait_ready(1)
    gone.sock.close()
    assert emulator.recording.wait_for(lambda seen: seen[0].peer_closed is not None, 1)
    assert not emulator.wait_ready(0)
    assert emulator.state == "Started"
    emulator.queue(Invocation.of("kept"))
    assert connect().get(NEXT).body == b'"kept"'
    first = emulator.recording.exchanges()[0]
    assert (first.request_id, first.status, first.answered) == (None, None, None)


def test_a_peer_that_has_just_gone_does_not_count_as_ready(emulator: Emulator, connect: Connect) -> None:
    for _ in range(30):
        gone = connect()
        gone.ask("GET", NEXT)
        assert emulator.wait_ready(1)
        gone.sock.close()
        assert not emulator.wait_ready(0)


@pytest.mark.parametrize("how", ["close", "reset"])
def test_an_event_is_never_lost_to_a_connection_that_has_just_gone(
    emulator: Emulator, connect: Connect, how: str
) -> None:
    for number in range(30):
        gone = connect()
        gone.ask("GET", NEXT)
        assert emulator.wait_ready(1)
        gone.sock.close() if how == "close" else gone.reset()
        invocation = Invocation.of(number)
        emulator.queue(invocation)  # at once: the loop may not have read the close yet
        survivor = connect()
        assert survivor.get(NEXT).body == str(number).encode()
        assert survivor.post(response_path(invocation.request_id)).status == 202
        survivor.sock.close()
    assert all(exchange.status is None for exchange in emulator.recording.exchanges(Route.NEXT)[::2])


def test_the_state_after_answers_comes_back_when_a_waiting_peer_goes(
    emulator: Emulator, connect: Connect
) -> None:
    client = connect()
    invocation = Invocation.of(1)
    emulator.queue(invocation)
    client.get(NEXT)
    client.post(response_path(invocation.request_id))
    client.ask("GET", NEXT)
    assert emulator.wait_ready(1)
    client.reset()
    assert emulator.recording.wait_for(lambda seen: seen[-1].peer_closed is not None, 1)
    assert emulator.state == "RuntimeResponseSentState"


def test_one_of_two_waiting_peers_may_go(emulator: Emulator, connect: Connect) -> None:
    gone, stays = connect(), connect()
    gone.ask("GET", NEXT)
    assert emulator.recording.wait_for(lambda seen: len(seen) == 1, 1)  # so that it is the first one recorded
    stays.ask("GET", NEXT)
    assert emulator.recording.wait_for(lambda seen: len(seen) == 2, 1)
    gone.sock.close()
    assert emulator.recording.wait_for(lambda seen: seen[0].peer_closed is not None, 1)
    assert emulator.wait_ready(1)
    emulator.queue(Invocation.of(1))
    assert stays.read().body == b"1"


def test_a_peer_that_goes_while_its_answer_is_held_is_noticed(emulator: Emulator, connect: Connect) -> None:
    client = connect()
    emulator.script(Route.INIT_ERROR, Reply.late(30))
    client.ask("POST", INIT_ERROR, b"{}")
    assert emulator.recording.wait_for(lambda seen: bool(seen) and seen[0].status == 202, 1)
    client.sock.close()
    assert emulator.recording.wait_for(lambda seen: seen[0].peer_closed is not None, 1)
    assert emulator.recording.exchanges()[0].answered is None
    assert emulator.init_error() is not None


def test_an_invocation_that_never_went_out_survives_a_restart(emulator: Emulator, connect: Connect) -> None:
    client = connect()
    emulator.script(Route.NEXT, Reply.late(30))
    emulator.queue(Invocation.of("never sent"))
    client.ask("GET", NEXT)
    assert emulator.recording.wait_for(lambda seen: bool(seen) and seen[0].status == 200, 1)
    client.sock.close()
    emulator.restart_environment()
    assert connect().get(NEXT).body == b'"never sent"'


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # no Host
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_and_recorded(emulator: Emulator, client: Client, raw: bytes) -> None:
    client.send(raw)
    assert client.rest() == (
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
        b"400 Bad Request"
    )
    seen = emulator.recording.exchanges()[0]
    assert (seen.route, seen.method, seen.request_head, seen.status) == (Route.OTHER, "", raw, 400)
    assert seen.fault is not None
    assert seen.fault.startswith("refused: ")


def test_half_a_head_is_recorded(emulator: Emulator, connect: Connect) -> None:
    client = connect()
    client.send(b"GET /2018")
    time.sleep(0.02)
    client.sock.close()
    assert emulator.recording.wait_for(lambda seen: bool(seen) and seen[0].peer_closed is not None, 1)
    assert emulator.recording.exchanges()[0].request_head == b"GET /2018"


def test_a_connection_without_a_request_is_counted_but_no_exchange(
    emulator: Emulator, connect: Connect
) -> None:
    connect().sock.close()
    assert connect().get(PING).status == 200
    assert emulator.recording.connections == 2
    assert len(emulator.recording.exchanges()) == 1


def test_a_broken_chunk_ends_the_connection_without_an_answer(emulator: Emulator, client: Client) -> None:
    client.send(f"POST {INIT_ERROR} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".encode())
    assert client.rest() == b""
    seen = emulator.recording.exchanges()[0]
    assert seen.fault is not None
    assert seen.fault.startswith("the body is not valid HTTP: ")
    assert (seen.received, seen.status) == (None, None)
    assert seen.closed is not None
    assert emulator.state == "Started"


def test_only_so_much_of_a_body_is_kept(
    emulator: Emulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtimebuilder.emulator.recording.KEPT_BODY", 1000)
    client.post(INIT_ERROR, b"x" * 5000)
    seen = emulator.recording.exchanges()[0]
    assert (seen.request_body, seen.request_length) == (b"x" * 1000, 5000)
    assert seen.fault == "only the first 1000 bytes of the body were kept"


def test_an_answer_to_a_peer_that_does_not_read_does_not_stop_the_others(
    emulator: Emulator, connect: Connect
) -> None:
    deaf = connect()
    emulator.queue(Invocation.of(b"x" * 20_000_000))
    deaf.ask("GET", NEXT)
    assert emulator.recording.wait_for(lambda seen: bool(seen) and seen[0].status == 200, 1)
    assert connect().get(PING).status == 200
    assert emulator.recording.exchanges(Route.NEXT)[0].answered is None
