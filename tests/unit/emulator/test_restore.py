"""The Runtime API of a SnapStart environment over real sockets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from runtimebuilder.emulator import Emulator, Initialization, Invocation, Route, State
from runtimebuilder.emulator.restore import CREDENTIALS_TOKEN
from tests.unit.emulator.conftest import Connect
from tests.unit.emulator.wire import INIT_ERROR, NEXT, Client

RESTORE_NEXT = "/2018-06-01/runtime/restore/next"
RESTORE_ERROR = "/2018-06-01/runtime/restore/error"
CREDENTIALS = "/2021-04-23/credentials"
LONG = 10.0  # seconds: only what is wrong takes so long


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(initialization=Initialization.SNAP_START) as running:
        yield running


def restored(emulator: Emulator, client: Client) -> None:
    """Bring the environment to Restoring."""
    client.ask("GET", RESTORE_NEXT)
    assert emulator.wait_restore(LONG)
    assert emulator.restore()
    assert client.read().status == 200


@pytest.mark.parametrize("initialization", [Initialization.ON_DEMAND, Initialization.MANAGED])
def test_elsewhere_the_routes_do_not_exist(initialization: Initialization) -> None:
    with Emulator(initialization=initialization) as emulator, Client(emulator) as client:
        assert client.get(RESTORE_NEXT).status == 404
        assert client.post(RESTORE_ERROR).status == 404
        assert client.get(CREDENTIALS).status == 404
        assert emulator.state == State.STARTED
        with pytest.raises(RuntimeError, match="SnapStart environments only"):
            emulator.restore()


def test_restore_next_waits_for_the_restore(emulator: Emulator, client: Client) -> None:
    assert not emulator.wait_restore(0)
    client.ask("GET", RESTORE_NEXT)
    assert emulator.wait_restore(LONG)
    assert emulator.state == "RestoreReady"
    assert not emulator.wait_ready(0)
    assert emulator.recording.exchanges(Route.RESTORE_NEXT)[0].answered is None
    assert emulator.restore()
    got = client.read()
    assert (got.status, got.body) == (200, b"")
    assert emulator.state == "Restoring"
    assert not emulator.restore()


def test_after_the_restore_events_are_handed_out(emulator: Emulator, client: Client) -> None:
    restored(emulator, client)
    emulator.queue(Invocation.of({"a": 1}))
    assert client.get(NEXT).json() == {"a": 1}


def test_a_runtime_without_hooks_goes_straight_to_next(emulator: Emulator, client: Client) -> None:
    client.ask("GET", NEXT)
    assert emulator.wait_ready(LONG)


def test_restore_next_comes_before_the_first_next_only(emulator: Emulator, connect: Connect) -> None:
    connect().ask("GET", NEXT)
    assert emulator.wait_ready(LONG)
    got = connect().get(RESTORE_NEXT)
    assert got.status == 403
    assert "State transition from Ready to RestoreReady failed" in got.json()["errorMessage"]


def test_next_is_refused_while_the_snapshot_is_taken(emulator: Emulator, connect: Connect) -> None:
    connect().ask("GET", RESTORE_NEXT)
    assert emulator.wait_restore(LONG)
    got = connect().get(NEXT)
    assert got.status == 403
    assert "from RestoreReady to Ready" in got.json()["errorMessage"]


@pytest.mark.parametrize("path", [RESTORE_ERROR, INIT_ERROR])
def test_a_restore_can_fail_once(emulator: Emulator, client: Client, path: str) -> None:
    restored(emulator, client)
    assert client.post(path, b'{"errorType":"A"}').status == 202
    assert emulator.state == State.RESTORE_ERROR
    failed = emulator.restore_error()
    assert failed is not None
    assert failed.request_body == b'{"errorType":"A"}'
    assert emulator.init_error() is None
    again = client.post(RESTORE_ERROR)
    assert again.status == 403
    assert "from RuntimeRestoreErrorState to RuntimeRestoreErrorState" in again.json()["errorMessage"]
    assert client.get(NEXT).status == 403


def test_restore_error_before_a_restore_is_refused(emulator: Emulator, client: Client) -> None:
    got = client.post(RESTORE_ERROR)
    assert got.status == 403
    assert "from Started to RuntimeRestoreErrorState" in got.json()["errorMessage"]
    assert emulator.restore_error() is None


def test_a_hook_that_fails_before_the_snapshot_is_an_init_error(emulator: Emulator, client: Client) -> None:
    assert client.post(INIT_ERROR, b'{"errorType":"B"}').status == 202
    assert emulator.init_error() is not None
    assert client.get(RESTORE_NEXT).status == 403


def test_an_abandoned_restore_next_may_be_asked_again(emulator: Emulator, connect: Connect) -> None:
    first = connect()
    first.ask("GET", RESTORE_NEXT)
    assert emulator.wait_restore(LONG)
    first.reset()
    assert emulator.recording.wait_for(lambda found: found[0].peer_closed is not None, LONG)
    assert not emulator.wait_restore(0)
    restored(emulator, connect())


def test_a_new_process_begins_before_the_snapshot(emulator: Emulator, connect: Connect) -> None:
    waiting = connect()
    waiting.ask("GET", RESTORE_NEXT)
    assert emulator.wait_restore(LONG)
    emulator.restart_environment()
    with contextlib.suppress(ConnectionResetError):
        assert waiting.rest() == b""
    assert emulator.state == State.STARTED
    restored(emulator, connect())


def test_a_wrong_method_is_told(emulator: Emulator, client: Client) -> None:
    got = client.post(RESTORE_NEXT)
    assert (got.status, got.header("Allow")) == (405, "GET")
    assert emulator.state == State.STARTED
    assert client.get(RESTORE_ERROR).header("Allow") == "POST"


def test_credentials_are_told_to_who_has_the_token(emulator: Emulator, client: Client) -> None:
    assert emulator.state == State.STARTED
    assert client.get(CREDENTIALS).status == 404
    client.ask("GET", CREDENTIALS, None, f"Authorization: {CREDENTIALS_TOKEN}")
    got = client.read()
    assert sorted(got.json()) == ["AccessKeyId", "Expiration", "SecretAccessKey", "Token"]
