"""Responses that come in pieces: what is seen of them while they come, and how the emulator can disturb them."""

from __future__ import annotations

import base64
import threading
import time

import pytest

from runtimebuilder.emulator import Emulator, Invocation, OutcomeKind, Reply, Route, answers
from runtimebuilder.emulator.faults import RequestPace
from runtimebuilder.emulator.recording import Exchange
from tests.unit.emulator.wire import NEXT, Client, response_path

MODE = "Lambda-Runtime-Function-Response-Mode: streaming"
TYPE = "Lambda-Runtime-Function-Error-Type"
BODY = "Lambda-Runtime-Function-Error-Body"


def begin(emulator: Emulator, client: Client, *headers: str) -> Invocation:
    """Take an event and send the head of a streamed response to it."""
    invocation = Invocation.of("event")
    emulator.queue(invocation)
    assert client.get(NEXT).status == 200
    lines = [f"POST {response_path(invocation.request_id)} HTTP/1.1", "Host: x", *headers]
    client.send("\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode())
    return invocation


def chunk(client: Client, data: bytes) -> None:
    client.send(b"%x\r\n%b\r\n" % (len(data), data))


def test_the_first_byte_is_told_while_the_stream_goes_on(emulator: Emulator, client: Client) -> None:
    invocation = begin(emulator, client, MODE)
    assert emulator.wait_first_byte(invocation.request_id, 0.02) is None
    chunk(client, b"one")
    first = emulator.wait_first_byte(invocation.request_id, 3)
    assert first is not None
    assert emulator.wait_outcome(invocation.request_id, 0) is None
    chunk(client, b"two")
    client.send(b"0\r\n\r\n")
    assert client.read().status == 202
    outcome = emulator.wait_outcome(invocation.request_id, 3)
    assert outcome is not None
    assert (outcome.kind, outcome.body, outcome.is_streamed) == (OutcomeKind.RESPONSE, b"onetwo", True)
    assert outcome.stream_error is None
    assert outcome.exchange.request_chunks[0] == (first, 3)
    assert emulator.wait_first_byte(invocation.request_id, 0) == first


def test_nobody_waits_for_the_first_byte_of_another_invocation(emulator: Emulator, client: Client) -> None:
    begin(emulator, client, MODE)
    chunk(client, b"one")
    assert emulator.wait_first_byte("another", 0.02) is None


@pytest.mark.parametrize(
    ("text", "body"),
    [
        (base64.b64encode(b'{"errorMessage":"a\\nb"}').decode(), b'{"errorMessage":"a\\nb"}'),
        ("not base64!", None),
    ],
)
def test_an_error_in_the_trailers_leaves_the_response_a_success(
    emulator: Emulator, client: Client, text: str, body: bytes | None
) -> None:
    invocation = begin(emulator, client, MODE, f"Trailer: {TYPE}, {BODY}")
    chunk(client, b"begun")
    client.send(f"0\r\n{TYPE}: Function.Oops\r\n{BODY}: {text}\r\n\r\n".encode())
    assert client.read().status == 202
    outcome = emulator.wait_outcome(invocation.request_id, 3)
    assert outcome is not None
    assert (outcome.kind, outcome.body) == (OutcomeKind.RESPONSE, b"begun")
    assert outcome.stream_error is not None
    assert (outcome.stream_error.type, outcome.stream_error.body) == ("Function.Oops", body)


def test_trailers_of_a_response_that_is_no_stream_mean_nothing(emulator: Emulator, client: Client) -> None:
    invocation = begin(emulator, client)
    client.send(f"0\r\n{TYPE}: Function.Oops\r\n\r\n".encode())
    assert client.read().status == 202
    outcome = emulator.wait_outcome(invocation.request_id, 3)
    assert outcome is not None
    assert not outcome.is_streamed
    assert outcome.stream_error is None


def test_a_slow_reader_makes_the_writer_wait(emulator: Emulator, client: Client) -> None:
    emulator.script(Route.RESPONSE, Reply.slow_reader(100_000, 0.5))
    invocation = begin(emulator, client, MODE)
    size = 16 * 1024 * 1024  # more than the kernel buffers
    begun = time.monotonic()
    chunk(client, b"x" * size)
    waited = time.monotonic() - begun
    client.send(b"0\r\n\r\n")
    assert client.read().status == 202
    outcome = emulator.wait_outcome(invocation.request_id, 3)
    assert outcome is not None
    assert outcome.exchange.request_length == size
    assert waited > 0.3
    assert slowly_read(outcome.exchange, 0.4) < 1_000_000
    assert outcome.exchange.fault == "request read at 100000 bytes/s for 0.5 s"


def slowly_read(exchange: Exchange, seconds: float) -> int:
    """Bytes of the body that were read in the first seconds of the exchange."""
    return sum(size for when, size in exchange.request_chunks if when < exchange.started + seconds)


def test_a_reader_is_slow_for_one_request_only(emulator: Emulator, client: Client) -> None:
    emulator.script(Route.RESPONSE, Reply.slow_reader(10, 0.1))
    for _ in range(2):
        invocation = begin(emulator, client, MODE)
        chunk(client, b"x" * 1000)
        client.send(b"0\r\n\r\n")
        assert client.read().status == 202
    last = emulator.recording.exchanges(Route.RESPONSE)[-1]
    assert (last.request_id, last.fault) == (invocation.request_id, None)


@pytest.mark.parametrize(("rate", "seconds"), [(0, 1.0), (1, 0.0)])
def test_a_pace_that_makes_no_sense_is_refused(rate: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="pace"):
        RequestPace(rate, seconds)


def test_streams_have_a_limit_of_their_own(
    emulator: Emulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answers.STREAM_LIMIT == 200 * 1024 * 1024
    monkeypatch.setattr(answers, "STREAM_LIMIT", 1000)
    for size, status in ((1000, 202), (1001, 413)):
        invocation = begin(emulator, client, MODE)
        chunk(client, b"x" * size)
        client.send(b"0\r\n\r\n")
        assert client.read().status == status
    outcome = emulator.wait_outcome(invocation.request_id, 3)
    assert outcome is not None
    assert outcome.kind is OutcomeKind.TOO_LARGE
    assert "1001 bytes) exceeded maximum allowed payload size (1000 bytes)" in outcome.json()["errorMessage"]


def test_many_small_chunks_are_recorded_as_they_were_read(emulator: Emulator, client: Client) -> None:
    invocation = begin(emulator, client, MODE)

    def write() -> None:
        for _ in range(200):
            chunk(client, b"x" * 10)
        client.send(b"0\r\n\r\n")

    writer = threading.Thread(target=write)
    writer.start()
    assert client.read().status == 202
    writer.join()
    outcome = emulator.wait_outcome(invocation.request_id, 3)
    assert outcome is not None
    assert outcome.body == b"x" * 2000
    times = [when for when, _ in outcome.exchange.request_chunks]
    assert times == sorted(times)
    assert sum(size for _, size in outcome.exchange.request_chunks) == 2000
