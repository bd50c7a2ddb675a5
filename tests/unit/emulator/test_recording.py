"""Reading the recording from another thread, and the wire log it writes."""

from __future__ import annotations

import re
import threading
import time

import pytest

from runtimebuilder.emulator import Emulator, Invocation, Reply, Route
from runtimebuilder.emulator.recording import Recording
from runtimebuilder.emulator.transcript import excerpt
from tests.unit.emulator.conftest import Connect
from tests.unit.emulator.wire import INIT_ERROR, NEXT, Client, response_path


def test_a_snapshot_does_not_change(emulator: Emulator, client: Client) -> None:
    client.ask("GET", NEXT)
    assert emulator.wait_ready(1)
    before = emulator.recording.exchanges()[0]
    emulator.queue(Invocation.of(1))
    client.read()
    after = emulator.recording.exchange(1)
    assert (before.status, before.answered) == (None, None)
    assert after.status == 200
    assert after.answered is not None
    assert after.request_id is not None


def test_exchanges_can_be_chosen_by_route(emulator: Emulator, client: Client) -> None:
    client.get("/2018-06-01/ping")
    client.post(INIT_ERROR)
    client.get("/nowhere")
    routes = [exchange.route for exchange in emulator.recording.exchanges()]
    assert routes == [Route.PING, Route.INIT_ERROR, Route.OTHER]
    assert len(emulator.recording.exchanges(Route.INIT_ERROR)) == 1
    assert len(emulator.recording.exchanges(Route.INIT_ERROR, Route.OTHER)) == 2


def test_numbers_begin_at_one() -> None:
    with pytest.raises(IndexError):
        Recording().exchange(0)


def test_waiting_wakes_at_the_change_that_fulfils_it(emulator: Emulator, client: Client) -> None:
    begun = time.monotonic()
    threading.Timer(0.05, client.ask, ("GET", "/2018-06-01/ping")).start()
    assert emulator.recording.wait_for(lambda seen: any(exchange.status == 200 for exchange in seen), 30)
    assert 0.05 <= time.monotonic() - begun < 10
    client.read()


def test_waiting_ends_at_its_time(emulator: Emulator) -> None:
    begun = time.monotonic()
    assert not emulator.recording.wait_for(lambda seen: len(seen) > 0, 0.05)
    assert 0.05 <= time.monotonic() - begun < 10


def test_what_holds_already_is_not_waited_for(emulator: Emulator) -> None:
    assert emulator.recording.wait_for(lambda seen: not seen, 0)


def test_a_condition_may_read_the_recording_and_the_emulator(emulator: Emulator, client: Client) -> None:
    client.get("/2018-06-01/ping")
    assert emulator.recording.wait_for(
        lambda seen: len(seen) == emulator.recording.connections == 1 and emulator.state == "Started", 1
    )


def lines(emulator: Emulator, **options: int) -> list[str]:
    """The transcript with times, ids and padding taken out."""
    found = []
    for line in emulator.recording.transcript(**options).splitlines():
        text = re.sub(r"\s+\d+\.\d{3}$", "", line)
        found.append(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text))
    return found


def test_the_transcript_of_one_invocation(emulator: Emulator, client: Client) -> None:
    invocation = Invocation.of({"a": 1})
    emulator.queue(invocation)
    client.get(NEXT)
    client.post(response_path(invocation.request_id), b'"\xc3\xa9\n\xff"')
    assert lines(emulator) == [
        "→ GET /2018-06-01/runtime/invocation/next",
        "← 200 OK  request ID",
        '    {"a":1}',
        "→ POST /2018-06-01/runtime/invocation/ID/response  6 bytes",
        '    "é\\n\\xff"',
        "← 202 Accepted",
        '    {"status":"OK"}\\n',
    ]


def test_the_transcript_has_times_in_seconds(emulator: Emulator, client: Client) -> None:
    client.get("/2018-06-01/ping")
    assert re.match(
        r"→ GET /2018-06-01/ping {40,}\d\.\d{3}\n← 200 OK {50,}\d\.\d{3}\n    pong$",
        (emulator.recording.transcript()),
    )


def test_the_transcript_tells_connections_apart_when_there_are_several(
    emulator: Emulator, connect: Connect
) -> None:
    connect().get("/2018-06-01/ping")
    connect().get("/2018-06-01/ping")
    arrows = [line for line in lines(emulator) if "→" in line]
    assert arrows == ["[1] → GET /2018-06-01/ping", "[2] → GET /2018-06-01/ping"]


def test_the_transcript_shows_a_peer_that_closed_and_one_that_waits(
    emulator: Emulator, connect: Connect
) -> None:
    gone = connect()
    gone.ask("GET", NEXT)
    assert emulator.wait_ready(1)
    gone.sock.close()
    assert emulator.recording.wait_for(lambda seen: seen[0].peer_closed is not None, 1)
    connect().ask("GET", NEXT)
    assert emulator.wait_ready(1)
    assert lines(emulator) == [
        "[1] → GET /2018-06-01/runtime/invocation/next",
        "[1] ✕ connection closed by peer",
        "[2] → GET /2018-06-01/runtime/invocation/next",
        "[2] … no answer yet",
    ]


def test_the_transcript_shows_what_was_done_on_purpose(emulator: Emulator, connect: Connect) -> None:
    emulator.script(Route.NEXT, Reply.cut(), Reply.server_error())
    first = connect()
    first.ask("GET", NEXT)
    first.rest()
    connect().get(NEXT)
    emulator.restart_environment()
    assert lines(emulator) == [
        "[1] → GET /2018-06-01/runtime/invocation/next",
        "[1] ✕ closed by the emulator: connection cut after 0 bytes of the answer",
        "[2] → GET /2018-06-01/runtime/invocation/next",
        "[2] ← 500 Internal Server Error  (canned answer 500)",
        '    {"errorMessage":"Internal Server Error","errorType":"InternalServerError"}\\n',
        "· environment restarted",
    ]


def test_the_transcript_shows_trailers_and_truncation(emulator: Emulator, connect: Connect) -> None:
    head = f"POST {INIT_ERROR} HTTP/1.1\r\nHost: x\r\n"
    client = connect()
    client.send(f"{head}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n".encode())
    client.read()
    client.send(f"{head}Content-Length: 9\r\n\r\nabc".encode())
    client.sock.shutdown(1)
    client.rest()
    assert lines(emulator) == [
        "→ POST /2018-06-01/runtime/init/error  1 bytes, chunked",
        "    x",
        "→ trailer A: b",
        "← 202 Accepted",
        '    {"status":"OK"}\\n',
        "→ POST /2018-06-01/runtime/init/error  3 of 9 bytes",
        "    abc",
        "✕ connection closed by peer",
    ]


def test_the_transcript_shows_what_is_not_http(emulator: Emulator, client: Client) -> None:
    client.send(b"\x16\x03\x01\r\n\r\n")
    client.rest()
    found = lines(emulator)
    assert found[0:2] == ["→ not an HTTP request, 7 bytes", "    \\x16\\x03\\x01\\r\\n\\r\\n"]
    assert found[2].startswith("← 400 Bad Request  (refused: ")


def test_bodies_are_shortened(emulator: Emulator, client: Client) -> None:
    client.post(INIT_ERROR, b"x" * 1000)
    assert "    xxxxx… (1000 bytes)" in lines(emulator, body_limit=5)


@pytest.mark.parametrize(
    ("data", "limit", "wanted"),
    [
        (b"abc", 3, "abc"),
        (b"abcd", 3, "abc… (4 bytes)"),
        ("é漢🙂".encode(), 3, "é漢🙂"),
        ("é漢🙂x".encode(), 3, "é漢🙂… (10 bytes)"),
        (b"\xff\x00\x1b[31m", 20, "\\xff\\x00\\x1b[31m"),
        ("a\u202eb".encode(), 9, "a\\u202eb"),
    ],
)
def test_excerpts_print_on_one_line(data: bytes, limit: int, wanted: str) -> None:
    assert excerpt(data, limit) == wanted
