"""Requests that are read without h11: the same as h11 reads, and the same in the recording and on the wire."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import re
import socket

import h11
import pytest

from runtimebuilder.emulator import Emulator, Exchange, Invocation
from runtimebuilder.emulator import connection as connection_module
from runtimebuilder.emulator.connection import Connection
from runtimebuilder.emulator.plain import PlainRequest, read_plain
from runtimebuilder.emulator.recording import Recording
from runtimebuilder.emulator.runtime_api import RuntimeApi
from tests.unit.emulator.wire import INIT_ERROR, NEXT, Client, error_path, response_path

PLAIN = [
    b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhOsT:   127.0.0.1:9001 \t\r\nUser-Agent: a/1 (b)\r\n\r\n",
    b"POST /2018-06-01/runtime/init/error?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PUT /x HTTP/1.1\r\nHost: x\r\nX-Empty:\r\nX-Twice: 1\r\nX-Twice: 2\r\nX-Bytes: \xc3\xa9\xff\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nab\r\n\r\nGE",
]
NOT_PLAIN = [
    b"",
    b"GET",
    b"GET / HTTP/1.1\r\nHost: x\r\n",  # not whole
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{}",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}GET",  # more than one
    b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",  # no Host
    b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"GET / HTTP/1.1\nHost: x\n\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \xb2\r\n\r\n{}",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Folded: a\r\n b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Control: a\x01\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
]


def by_h11(data: bytes) -> PlainRequest | None:
    """What h11 makes of these bytes, if that is one request and nothing else."""
    parser = h11.Connection(h11.SERVER)
    parser.receive_data(data)
    try:
        head, body, end = parser.next_event(), b"", parser.next_event()
        if isinstance(end, h11.Data):
            body, end = bytes(end.data), parser.next_event()
    except h11.RemoteProtocolError:
        return None
    if not isinstance(head, h11.Request) or not isinstance(end, h11.EndOfMessage) or parser.trailing_data[0]:
        return None
    fields = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items()
    )
    return PlainRequest(
        head.method.decode(),
        head.target.decode(),
        data[: len(data) - len(body)],
        fields,
        body,
        any(name.lower() == "content-length" for name, _ in fields),
    )


@pytest.mark.parametrize("data", PLAIN)
def test_a_plain_request_is_read_as_h11_reads_it(data: bytes) -> None:
    assert read_plain(data) == by_h11(data) is not None


@pytest.mark.parametrize("data", NOT_PLAIN)
def test_what_is_not_plain_is_left_to_h11(data: bytes) -> None:
    assert read_plain(data) is None


def test_no_damage_makes_a_request_plain_that_h11_reads_otherwise() -> None:
    chance = random.Random(3)  # noqa: S311 - no secret, and the same every time
    both = 0
    for _ in range(4000):
        data = bytearray(chance.choice(PLAIN + NOT_PLAIN[1:]))
        for _ in range(chance.randint(1, 2)):
            place = chance.randrange(len(data))
            piece = chance.choice(
                [b"", b"\r\n", b" ", b":", b"\t", b"\0", b"\x7f", b"\xe9", b"0", b"A", b"a"]
            )
            data[place : place + chance.randint(0, 2)] = piece
            data = data or bytearray(b"x")
        mine = read_plain(bytes(data))
        if mine is not None:
            both += 1
            assert mine == by_h11(bytes(data)), bytes(data)
    assert both > 100  # the damage is small enough for this to say something


def conversation(emulator: Emulator) -> list[bytes]:
    """Requests of all kinds, each sent in one piece, and their answers."""
    seen = []
    with Client(emulator) as client:

        def ask(method: str, path: str, body: bytes | None = None, *headers: str) -> None:
            client.ask(method, path, body, *headers)
            got = client.read()
            seen.append(re.sub(rb"Date: [^\r]*", b"Date: now", got.raw_head) + got.body)

        def give(request_id: str, event: object) -> None:
            emulator.queue(Invocation(request_id, Invocation.of(event).event, 1_800_000_000_000))

        ask("GET", "/2018-06-01/ping")
        ask("GET", "/nowhere")
        ask("GET", INIT_ERROR)
        ask("POST", response_path("nobody"), b"{}")
        give("one", {"a": "é" * 1000})
        ask("GET", NEXT, None, "User-Agent: test/1", "X-Bytes: \xe9")
        ask("GET", NEXT)
        ask("POST", INIT_ERROR, b"{}")
        ask("POST", response_path("one"), b'"result"', "Content-Type: application/json")
        ask("POST", response_path("one"), b'"result"')
        give("a%2Fb", None)
        client.ask("GET", NEXT)
        assert emulator.recording.wait_for(lambda exchanges: exchanges[-1].answered is not None, 3)
        seen.append(client.read().body)
        ask("POST", error_path("a%252Fb"), b"{}", "Lambda-Runtime-Function-Error-Type: Function.X")
        client.ask("GET", NEXT)  # waits
        assert emulator.wait_ready(3)
        give("three", 3)
        seen.append(client.read().body)
        ask("POST", response_path("three"), b"{}", "Lambda-Runtime-Function-Response-Mode: buffered")
        ask("GET", NEXT)
    return seen


def without_times(exchange: Exchange) -> Exchange:
    return dataclasses.replace(
        exchange,
        started=0.0,
        received=exchange.received and 1.0,
        answered=exchange.answered and 2.0,
        peer_closed=exchange.peer_closed and 3.0,
        request_chunks=tuple((0.0, size) for _, size in exchange.request_chunks),
        response_headers=tuple(
            (name, "now" if name == "Date" else value) for name, value in exchange.response_headers
        ),
    )


def test_both_ways_leave_the_same_answers_and_the_same_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[PlainRequest | None] = []

    def spying(data: bytes) -> PlainRequest | None:
        reads.append(read_plain(data))
        return reads[-1]

    results = []
    for way in (spying, lambda _data: None):
        monkeypatch.setattr(connection_module, "read_plain", way)
        with Emulator() as emulator:
            answers = conversation(emulator)
            exchanges = [without_times(one) for one in emulator.recording.exchanges()]
            results.append((answers, exchanges, str(emulator.state)))
    plain, through_h11 = results
    assert plain[0] == through_h11[0]
    assert plain[1] == through_h11[1]
    assert plain[2] == through_h11[2]
    assert sum(one is not None for one in reads) > 10


def test_a_request_that_comes_while_its_connection_is_closed_is_no_exchange() -> None:
    async def scene(near: socket.socket, far: socket.socket) -> int:
        loop = asyncio.get_running_loop()
        recording = Recording()
        connection = Connection(near, RuntimeApi(recording), recording, answer_expect=True)
        serving = asyncio.ensure_future(connection.serve())
        far.send(PLAIN[0].replace(b"/runtime/invocation/next", b"/ping"))
        assert (await loop.sock_recv(far, 1000)).endswith(b"pong")

        def close_it() -> None:
            connection.end(reset=False)
            serving.cancel()

        far.send(PLAIN[0])
        loop.call_soon(close_it)  # the loop finds both to do, this one first
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        return len(recording.exchanges())

    near, far = socket.socketpair()
    with near, far:
        near.settimeout(0)
        far.settimeout(0)
        assert asyncio.run(scene(near, far)) == 1


def test_a_large_answer_that_the_socket_does_not_take_at_once_arrives_whole(emulator: Emulator) -> None:
    event = b"x" * 5_000_000
    emulator.queue(Invocation.of(event))
    with Client(emulator) as client:
        client.get("/2018-06-01/ping")
        client.ask("GET", NEXT)
        assert client.read().body == event
        assert client.get("/2018-06-01/ping").body == b"pong"
    assert emulator.recording.wait_for(lambda seen: seen[1].answered is not None, 3)


def test_an_answer_to_a_peer_that_went_at_once_is_told_as_unanswered(emulator: Emulator) -> None:
    emulator.queue(Invocation.of(b"x" * 5_000_000))
    client = Client(emulator)
    client.get("/2018-06-01/ping")
    client.ask("GET", NEXT)
    assert client.sock.recv(10)
    client.reset()
    assert emulator.recording.wait_for(lambda seen: len(seen) == 2 and seen[1].peer_closed is not None, 3)
    assert emulator.recording.exchanges()[1].answered is None
