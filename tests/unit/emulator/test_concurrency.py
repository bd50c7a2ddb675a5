"""The Runtime API of Lambda Managed Instances over real sockets: several invocations out at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from runtimebuilder.emulator import Emulator, Initialization, Invocation, OutcomeKind, Reply, Route, State
from runtimebuilder.emulator.answers import RESPONSE_LIMIT
from runtimebuilder.emulator.concurrency import ERROR_LIMIT
from tests.unit.emulator.conftest import Connect
from tests.unit.emulator.wire import INIT_ERROR, NEXT, Client, error_path, response_path

BAD_ID = b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}\n'
LATE = b'{"errorMessage":"Invoke timeout","errorType":"InvokeTimeout"}\n'
LONG = 10.0  # seconds: only what is wrong takes so long


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(initialization=Initialization.MANAGED) as running:
        yield running


def waiting(emulator: Emulator, count: int) -> None:
    """Wait until so many GET next wait."""
    assert emulator.recording.wait_for(
        lambda found: sum(one.received is not None and one.answered is None for one in found) == count, LONG
    )
    assert emulator.wait_ready(LONG)


def give(emulator: Emulator, client: Client, event: object = None) -> Invocation:
    invocation = Invocation.of(event)
    emulator.queue(invocation)
    assert client.get(NEXT).status == 200
    return invocation


def test_each_waiting_next_gets_an_event_of_its_own(emulator: Emulator, connect: Connect) -> None:
    clients = [connect() for _ in range(3)]
    for client in clients:
        client.ask("GET", NEXT)
    waiting(emulator, 3)
    sent = [Invocation.of(number) for number in range(3)]
    for invocation in sent:
        emulator.queue(invocation)
    got = {client.read().header("Lambda-Runtime-Aws-Request-Id") for client in clients}
    assert got == {invocation.request_id for invocation in sent}
    assert emulator.state == State.RUNNING


def test_events_wait_for_a_worker_in_their_order(emulator: Emulator, client: Client) -> None:
    for number in range(3):
        emulator.queue(Invocation.of(number))
    assert [client.get(NEXT).json() for _ in range(3)] == [0, 1, 2]


def test_answers_may_come_in_any_order(emulator: Emulator, connect: Connect) -> None:
    clients = [connect() for _ in range(3)]
    sent = [give(emulator, client, number) for number, client in enumerate(clients)]
    for client, invocation in reversed(list(zip(clients, sent, strict=True))):
        body = invocation.request_id.encode()
        assert client.post(response_path(invocation.request_id), body).status == 202
    for invocation in sent:
        outcome = emulator.wait_outcome(invocation.request_id, LONG)
        assert outcome is not None
        assert outcome.kind is OutcomeKind.RESPONSE
        assert outcome.body == invocation.request_id.encode()


def test_one_waiting_worker_is_enough_to_be_ready(emulator: Emulator, client: Client) -> None:
    assert emulator.state == "Started"
    client.ask("GET", NEXT)
    assert emulator.wait_ready(LONG)
    assert emulator.state == "Ready"


def test_an_answer_can_be_given_once(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    assert client.post(response_path(invocation.request_id), b"1").status == 202
    again = client.post(response_path(invocation.request_id), b"2")
    assert (again.status, again.body) == (400, BAD_ID)
    assert client.post(error_path("nobody")).status == 400
    outcome = emulator.wait_outcome(invocation.request_id, LONG)
    assert outcome is not None
    assert outcome.body == b"1"


@pytest.mark.parametrize("path", [response_path, error_path])
def test_the_first_late_answer_is_told_so(emulator: Emulator, client: Client, path: object) -> None:
    invocation = give(emulator, client)
    emulator.fail_invocation(invocation.request_id)
    target = path(invocation.request_id)  # type: ignore[operator]  # a function of wire's
    first = client.post(target)
    assert (first.status, first.body) == (410, LATE)
    assert client.post(target).body == BAD_ID
    assert emulator.wait_outcome(invocation.request_id, 0) is None
    assert give(emulator, client).request_id != invocation.request_id


def test_one_late_invocation_is_nothing_to_the_others(emulator: Emulator, connect: Connect) -> None:
    late, other = connect(), connect()
    lost, kept = give(emulator, late), give(emulator, other)
    emulator.fail_invocation(lost.request_id)
    assert other.post(response_path(kept.request_id)).status == 202
    assert late.post(response_path(lost.request_id)).status == 410


def test_a_queued_event_that_is_given_up_goes_to_nobody(emulator: Emulator, client: Client) -> None:
    lost, kept = Invocation.of("lost"), Invocation.of("kept")
    emulator.queue(lost)
    emulator.queue(kept)
    emulator.fail_invocation(lost.request_id)
    assert client.get(NEXT).json() == "kept"


def test_a_large_error_is_refused_and_a_smaller_one_taken(emulator: Emulator, connect: Connect) -> None:
    client = connect()
    invocation = give(emulator, client)
    refused = client.post(error_path(invocation.request_id), b"x" * (ERROR_LIMIT + 1))
    assert refused.status == 413
    assert refused.header("Connection") == "close"
    assert refused.json()["errorType"] == "RequestEntityTooLarge"
    assert emulator.wait_outcome(invocation.request_id, 0) is None
    assert connect().post(error_path(invocation.request_id), b"x" * ERROR_LIMIT).status == 202
    outcome = emulator.wait_outcome(invocation.request_id, LONG)
    assert outcome is not None
    assert outcome.kind is OutcomeKind.ERROR


def test_a_large_response_ends_the_invocation(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    assert client.post(response_path(invocation.request_id), b"x" * (RESPONSE_LIMIT + 1)).status == 413
    outcome = emulator.wait_outcome(invocation.request_id, LONG)
    assert outcome is not None
    assert outcome.kind is OutcomeKind.TOO_LARGE
    assert client.post(error_path(invocation.request_id)).status == 400


def test_a_wrong_mode_leaves_the_invocation_open(emulator: Emulator, client: Client) -> None:
    invocation = give(emulator, client)
    target = response_path(invocation.request_id)
    assert client.post(target, b"1", "Lambda-Runtime-Function-Response-Mode: buffered").status == 400
    assert client.post(target, b"1").status == 202


def test_an_init_error_ends_the_environment(emulator: Emulator, connect: Connect) -> None:
    assert connect().post(INIT_ERROR, b"x" * (ERROR_LIMIT + 1)).status == 413
    client = connect()
    assert client.post(INIT_ERROR).status == 202
    assert emulator.state == State.INIT_ERROR
    got = client.get(NEXT)
    assert got.status == 403
    assert got.json()["errorMessage"].endswith("Error: state transition is not allowed")
    assert "from InitError to Ready" in got.json()["errorMessage"]


def test_an_init_error_after_the_init_is_refused(emulator: Emulator, connect: Connect) -> None:
    connect().ask("GET", NEXT)
    assert emulator.wait_ready(LONG)
    got = connect().post(INIT_ERROR)
    assert got.status == 403
    assert "from Ready to InitError" in got.json()["errorMessage"]


def test_a_worker_that_has_gone_gets_no_event(emulator: Emulator, connect: Connect) -> None:
    gone, there = connect(), connect()
    gone.ask("GET", NEXT)
    waiting(emulator, 1)
    gone.reset()
    emulator.queue(Invocation.of("event"))
    assert there.get(NEXT).json() == "event"


def test_a_new_process_starts_over(emulator: Emulator, connect: Connect) -> None:
    idle, busy = connect(), connect()
    invocation = give(emulator, busy)
    idle.ask("GET", NEXT)
    waiting(emulator, 1)
    emulator.restart_environment()
    with contextlib.suppress(ConnectionResetError):
        assert idle.rest() == b""
    assert emulator.state == State.STARTED
    assert connect().post(response_path(invocation.request_id)).status == 400
    assert give(emulator, connect(), "new").event == b'"new"'


def test_scripts_hold_here_too_until_they_are_ended(emulator: Emulator, client: Client) -> None:
    emulator.script(Route.NEXT, *[Reply.server_error()] * 100)
    assert client.get(NEXT).status == 500
    emulator.end_script(Route.NEXT)
    give(emulator, client)
    assert client.get("/2018-06-01/ping").body == b"pong"


def test_extensions_are_offered_the_end_and_no_event(emulator: Emulator, connect: Connect) -> None:
    register, client = "/2020-01-01/extension/register", connect()
    name = "Lambda-Extension-Name: inside"
    refused = client.post(register, b'{"events":["INVOKE"]}', name)
    assert refused.status == 403
    assert refused.json()["errorType"] == "Extension.InvalidEventType"
    registered = client.post(register, b'{"events":[]}', name)
    assert registered.status == 200
    emulator.queue(Invocation.of("event"))
    worker = connect()
    worker.ask("GET", NEXT)
    waiting(emulator, 1)  # the extension is not ready yet
    identifier = f"Lambda-Extension-Identifier: {registered.header('Lambda-Extension-Identifier')}"
    client.ask("GET", "/2020-01-01/extension/event/next", None, identifier)
    assert worker.read().json() == "event"
    assert connect().post(register, b'{"events":[]}', "Lambda-Extension-Name: late").status == 403
