"""The life of an emulator: listeners, threads, many at once, a clean end."""

from __future__ import annotations

import concurrent.futures
import gc
import os
import socket
import threading
from pathlib import Path

import pytest

from runtimebuilder.emulator import Emulator, Invocation
from tests.unit.emulator.wire import NEXT, Client, response_path

OPEN_FILES = Path("/proc/self/fd")


def test_it_listens_at_loopback_on_a_port_of_the_kernels_choice(emulator: Emulator) -> None:
    host, port = emulator.address
    assert host == "127.0.0.1"
    assert port > 0
    assert emulator.endpoint == f"127.0.0.1:{port}"


def test_it_takes_listeners_that_others_have_opened() -> None:
    one, two = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.2", 0))
    ports = [one.getsockname(), two.getsockname()]
    with Emulator([one, two]) as emulator:
        assert emulator.address == ports[0]
        for address in ports:
            with socket.create_connection(address, timeout=1) as sock:
                sock.sendall(b"GET /2018-06-01/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert sock.makefile("rb").read().endswith(b"pong")
    assert one.fileno() == two.fileno() == -1


def test_the_end_closes_every_connection_and_the_thread() -> None:
    before = set(threading.enumerate())
    with Emulator() as emulator:
        assert set(threading.enumerate()) > before
        waiting, idle = Client(emulator), Client(emulator)
        waiting.ask("GET", NEXT)
        assert emulator.wait_ready(1)
        assert idle.get("/2018-06-01/ping").status == 200
    with waiting, idle:
        assert waiting.rest() == idle.rest() == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(emulator.address, timeout=1)
    assert set(threading.enumerate()) <= before


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="needs /proc")
def test_nothing_stays_open() -> None:
    gc.collect()
    before = len(os.listdir(OPEN_FILES))  # noqa: PTH208 - the descriptors are counted, not visited
    for _ in range(5):
        with Emulator() as emulator:
            clients = [Client(emulator) for _ in range(5)]
            for client in clients:
                client.ask("GET", NEXT)
            emulator.wait_ready(1)
        for client in clients:
            client.sock.close()
    gc.collect()
    assert len(os.listdir(OPEN_FILES)) == before  # noqa: PTH208 - as above


def test_closing_twice_and_closing_what_never_started_is_fine() -> None:
    emulator = Emulator()
    emulator.close()
    emulator.close()
    with pytest.raises(RuntimeError, match="starts once"):
        emulator.start()


def test_it_starts_once(emulator: Emulator) -> None:
    with pytest.raises(RuntimeError, match="starts once"):
        emulator.start()


def test_invocations_may_be_queued_before_the_start() -> None:
    emulator = Emulator()
    emulator.queue(Invocation.of("early"))
    with emulator, Client(emulator) as client:
        assert client.get(NEXT).body == b'"early"'


def test_what_is_known_can_be_read_after_the_end() -> None:
    invocation = Invocation.of(1)
    with Emulator() as emulator, Client(emulator) as client:
        emulator.queue(invocation)
        client.get(NEXT)
        client.post(response_path(invocation.request_id), b"2")
    outcome = emulator.wait_outcome(invocation.request_id, 0)
    assert outcome is not None
    assert outcome.body == b"2"
    assert len(emulator.recording.exchanges()) == 2
    assert emulator.state == "RuntimeResponseSentState"


def test_many_emulators_serve_at_once() -> None:
    def work(number: int) -> list[bytes]:
        bodies = []
        with Emulator() as emulator, Client(emulator) as client:
            for turn in range(20):
                invocation = Invocation.of([number, turn])
                emulator.queue(invocation)
                event = client.get(NEXT).body
                client.post(response_path(invocation.request_id), event)
                outcome = emulator.wait_outcome(invocation.request_id, 2)
                bodies.append(b"" if outcome is None else outcome.body)
        return bodies

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for number, bodies in enumerate(pool.map(work, range(8))):
            assert bodies == [f"[{number},{turn}]".encode() for turn in range(20)]


def test_a_defect_of_the_emulator_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("made up")

    emulator = Emulator()
    monkeypatch.setattr(emulator._api, "begin", broken)
    emulator.start()
    with Client(emulator) as client:
        client.ask("GET", NEXT)
        assert client.rest() == b""
    with pytest.raises(RuntimeError, match="the emulator failed") as failed:
        emulator.close()
    assert isinstance(failed.value.__cause__, ZeroDivisionError)


def test_a_mistake_in_a_call_is_raised_to_the_caller(emulator: Emulator) -> None:
    with pytest.raises(AttributeError):
        emulator.queue("not an invocation")  # type: ignore[arg-type]  # on purpose
    assert emulator.state == "Started"
