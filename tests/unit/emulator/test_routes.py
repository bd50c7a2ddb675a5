"""What the emulator's addresses are: which paths and methods there are, and what every answer of theirs has."""

from __future__ import annotations

import pytest

from runtimebuilder.emulator import Emulator, Invocation, Route
from tests.unit.emulator.wire import INIT_ERROR, NEXT, Client, Got, error_path, response_path


@pytest.mark.parametrize("request_id", ["a", "x" * 64, "a%b", "a+b", "a:b", "é", "a b"])
def test_ids_are_opaque_and_percent_decoded(emulator: Emulator, client: Client, request_id: str) -> None:
    emulator.queue(Invocation.of(1, request_id=request_id))
    assert client.get(NEXT).header("Lambda-Runtime-Aws-Request-Id") == request_id
    encoded = "".join(f"%{byte:02X}" for byte in request_id.encode())
    assert client.post(response_path(encoded)).status == 202
    assert emulator.recording.exchanges(Route.RESPONSE)[0].request_id == request_id


def test_ping(client: Client) -> None:
    got = client.get("/2018-06-01/ping")
    assert (got.status, got.body, got.header("Content-Type")) == (200, b"pong", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", NEXT + "/"),
        ("GET", "/2018-06-02/runtime/invocation/next"),
        ("GET", "/2018-06-01/runtime/restore/next"),
        ("POST", "/2018-06-01/runtime/restore/error"),
        ("POST", "/2018-06-01/runtime/invocation/x/response/"),
        ("POST", "/2018-06-01/runtime/invocation/x/y/response"),
        ("POST", "/2020-01-01/extension/register/"),
    ],
)
def test_other_paths_are_not_found(client: Client, method: str, path: str) -> None:
    got = client.post(path) if method == "POST" else client.get(path)
    assert (got.status, got.body) == (404, b"404 page not found\n")
    assert got.header("X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", NEXT, "GET"),
        ("POST", "/2018-06-01/ping", "GET"),
        ("PUT", response_path("x"), "POST"),
        ("GET", error_path("x"), "POST"),
        ("DELETE", INIT_ERROR, "POST"),
    ],
)
def test_wrong_methods_are_refused(
    emulator: Emulator, client: Client, method: str, path: str, allowed: str
) -> None:
    client.ask(method, path)
    got = client.read()
    assert (got.status, got.header("Allow"), got.body) == (405, allowed, b"")
    assert emulator.state == "Started"


def test_a_query_does_not_hide_a_route(emulator: Emulator, client: Client) -> None:
    emulator.queue(Invocation.of(1))
    assert client.get(NEXT + "?x=1").status == 200
    assert emulator.recording.exchanges(Route.NEXT)[0].target == NEXT + "?x=1"


def test_all_answers_have_a_date_and_a_length(emulator: Emulator, client: Client) -> None:
    invocation = Invocation.of(None)
    emulator.queue(invocation)
    assert client.get(NEXT).status == 200
    answers: list[Got] = [
        client.get("/2018-06-01/ping"),
        client.get("/nowhere"),
        client.post(NEXT),
        client.post(response_path("x")),
        client.post(INIT_ERROR),
        client.get(NEXT),
        client.post(response_path(invocation.request_id)),
    ]
    assert [got.status for got in answers] == [200, 404, 405, 400, 403, 200, 202]
    assert all(got.header("Date") and got.header("Content-Length") for got in answers)
