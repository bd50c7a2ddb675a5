"""The Extensions API over real sockets: registering, events, errors, every refusal (catalogue §5, §6.5)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import pytest

from runtimebuilder.emulator import Emulator, Invocation, Route
from runtimebuilder.emulator.extension import Extension, ExtensionEvent, ExtensionState
from tests.unit.emulator.conftest import Connect
from tests.unit.emulator.wire import NEXT, Client, Got, response_path

REGISTER = "/2020-01-01/extension/register"
EVENT_NEXT = "/2020-01-01/extension/event/next"
EXT_INIT_ERROR = "/2020-01-01/extension/init/error"
EXT_EXIT_ERROR = "/2020-01-01/extension/exit/error"
IDENTIFIER = "Lambda-Extension-Identifier"
BOTH = b'{"events":["INVOKE","SHUTDOWN"]}'
INVOKE = b'{"events":["INVOKE"]}'


def refusal(kind: str, message: str) -> bytes:
    return f'{{"errorMessage":"{message}","errorType":"Extension.{kind}"}}\n'.encode()


def not_allowed(source: str, target: str, who: str) -> bytes:
    message = f"State transition from {source} to {target} failed for extension {who}. Error: "
    return refusal("InvalidExtensionState", message + "State transition is not allowed")


def register(client: Client, name: str, body: bytes = INVOKE, *headers: str) -> Got:
    return client.post(REGISTER, body, f"Lambda-Extension-Name: {name}", *headers)


def registered(client: Client, name: str = "one", body: bytes = INVOKE) -> str:
    got = register(client, name, body)
    assert got.status == 200, got.body
    return str(got.header(IDENTIFIER))


def ask_event(client: Client, identifier: str) -> None:
    client.ask("GET", EVENT_NEXT, None, f"{IDENTIFIER}: {identifier}")


def only(emulator: Emulator) -> Extension:
    (found,) = emulator.extensions()
    return found


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def wait_state(emulator: Emulator, state: ExtensionState) -> bool:
    return until(lambda: only(emulator).state is state)


def test_registering_gives_an_identifier_and_the_function(emulator: Emulator, client: Client) -> None:
    got = register(client, "watcher")
    assert got.status == 200
    assert got.body == b'{"functionName":"probe","functionVersion":"$LATEST","handler":""}\n'
    assert got.header("Content-Type") == "application/json"
    assert only(emulator) == Extension(
        "watcher",
        str(uuid.UUID(got.header(IDENTIFIER))),
        is_external=False,
        events=(ExtensionEvent.INVOKE,),
        state=ExtensionState.REGISTERED,
        error=None,
    )


def test_the_account_is_told_to_who_accepts_it(client: Client) -> None:
    got = register(client, "watcher", INVOKE, "Lambda-Extension-Accept-Feature: other, accountId")
    assert got.body.startswith(b'{"accountId":"123456789012","functionName":')


def test_only_a_launched_program_is_external_and_may_ask_for_shutdown(
    emulator: Emulator, client: Client
) -> None:
    got = register(client, "inside", BOTH)
    why = "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension"
    assert (got.status, got.body) == (403, refusal("InvalidEventType", why))
    emulator.launch_extension("outside")
    assert not emulator.wait_extension("outside", 0)
    assert register(client, "outside", BOTH).status == 200
    assert emulator.wait_extension("outside", 0)
    assert only(emulator).is_external


@pytest.mark.parametrize(
    ("headers", "body", "answer"),
    [
        ((), INVOKE, refusal("InvalidExtensionName", "Empty extension name")),
        (
            ("Lambda-Extension-Name: a",),
            b'{"events":["SLEEP"]}',
            refusal("InvalidEventType", "SLEEP: ErrorInvalidEventType"),
        ),
        (
            ("Lambda-Extension-Name: a",),
            b"",
            b'{"errorMessage":"unexpected end of JSON input","errorType":"InvalidRequestFormat"}\n',
        ),
        (
            ("Lambda-Extension-Name: a",),
            b"?",
            (
                b'{"errorMessage":"invalid character \'?\' looking for beginning of value",'
                b'"errorType":"InvalidRequestFormat"}\n'
            ),
        ),
        (
            ("Lambda-Extension-Name: a",),
            b"[]",
            (
                b'{"errorMessage":"json: cannot unmarshal array into Go value",'
                b'"errorType":"InvalidRequestFormat"}\n'
            ),
        ),
    ],
)
def test_a_bad_registration_is_refused(
    emulator: Emulator, client: Client, headers: tuple[str, ...], body: bytes, answer: bytes
) -> None:
    got = client.post(REGISTER, body, *headers)
    assert (got.status, got.body) == (403, answer)
    assert emulator.extensions() == ()


def test_a_name_is_given_once(emulator: Emulator, client: Client) -> None:
    registered(client)
    got = register(client, "one")
    message = "Extension with this name already registered"
    assert (got.status, got.body) == (403, refusal("InvalidExtensionState", message))
    emulator.launch_extension("outside")
    registered(client, "outside")
    again = register(client, "outside")
    assert (again.status, again.body) == (403, not_allowed("Registered", "Registered", "outside"))


def test_ten_extensions_and_no_more(client: Client) -> None:
    for number in range(10):
        registered(client, f"number-{number}")
    got = register(client, "number-10")
    assert (got.status, got.body) == (403, refusal("TooManyExtensions", "Extension limit (10) reached"))


def test_registration_closes_when_the_runtime_asks(emulator: Emulator, connect: Connect) -> None:
    connect().ask("GET", NEXT)
    assert emulator.wait_ready(3)
    got = register(connect(), "late")
    message = "Extension registration closed already"
    assert (got.status, got.body) == (403, refusal("RegistrationClosed", message))


def test_a_restart_opens_it_again_and_forgets(emulator: Emulator, connect: Connect) -> None:
    extension, runtime = connect(), connect()
    ask_event(extension, registered(extension))
    assert wait_state(emulator, ExtensionState.READY)
    runtime.ask("GET", NEXT)
    assert emulator.wait_ready(3)
    emulator.restart_environment()
    assert extension.rest() == b""
    assert emulator.extensions() == ()
    assert registered(connect())


def test_an_event_goes_to_runtime_and_extension(emulator: Emulator, connect: Connect) -> None:
    extension, runtime = connect(), connect()
    ask_event(extension, registered(extension))
    sent = Invocation.of({}, trace_id="Root=1-5e")
    emulator.queue(sent)
    assert runtime.get(NEXT).header("Lambda-Runtime-Aws-Request-Id") == sent.request_id
    got = extension.read()
    assert (got.status, got.header("Content-Type")) == (200, "application/json")
    assert str(uuid.UUID(got.header("Lambda-Extension-Event-Identifier")))
    assert (
        got.body
        == (
            f'{{"eventType":"INVOKE","deadlineMs":{sent.deadline_ms},"requestId":"{sent.request_id}",'
            f'"invokedFunctionArn":"{sent.function_arn}",'
            '"tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1-5e"}}'
        ).encode()
    )


def test_without_a_trace_there_is_no_tracing(emulator: Emulator, connect: Connect) -> None:
    extension, runtime = connect(), connect()
    ask_event(extension, registered(extension))
    emulator.queue(Invocation.of({}))
    runtime.get(NEXT)
    assert "tracing" not in extension.read().json()


def test_events_wait_until_every_extension_has_asked(emulator: Emulator, connect: Connect) -> None:
    extension, runtime = connect(), connect()
    identifier = registered(extension)
    first, second = Invocation.of(1), Invocation.of(2)
    emulator.queue(first)
    emulator.queue(second)
    runtime.ask("GET", NEXT)
    assert emulator.wait_ready(3)
    ask_event(extension, identifier)
    assert runtime.read().body == b"1"
    extension.read()
    runtime.post(response_path(first.request_id))
    runtime.ask("GET", NEXT)
    assert emulator.wait_ready(3)  # the extension is busy with the first one
    ask_event(extension, identifier)
    assert runtime.read().body == b"2"


def test_who_did_not_ask_for_invokes_hears_of_none(emulator: Emulator, connect: Connect) -> None:
    extension, runtime = connect(), connect()
    ask_event(extension, registered(extension, body=b"{}"))
    emulator.queue(Invocation.of(1))
    assert runtime.get(NEXT).body == b"1"
    assert only(emulator).state is ExtensionState.READY


def test_a_silent_extension_keeps_nothing_back(emulator: Emulator, client: Client) -> None:
    emulator.add_extension("book", tuple(ExtensionEvent))
    first = Invocation.of(1)
    emulator.queue(first)
    client.get(NEXT)
    client.post(response_path(first.request_id))
    emulator.queue(Invocation.of(2))
    assert client.get(NEXT).body == b"2"
    assert only(emulator).is_external


@pytest.mark.parametrize("busy", [False, True])
def test_shutdown_is_heard_now_or_with_the_next_question(
    emulator: Emulator, connect: Connect, busy: bool
) -> None:
    extension, runtime = connect(), connect()
    emulator.launch_extension("one")
    identifier = registered(extension, body=BOTH)
    ask_event(extension, identifier)
    if busy:
        emulator.queue(Invocation.of(1))
        runtime.get(NEXT)
        extension.read()
    else:
        assert wait_state(emulator, ExtensionState.READY)
    emulator.shut_down_extensions("spindown", 1234)
    if busy:
        ask_event(extension, identifier)
    assert extension.read().body == b'{"eventType":"SHUTDOWN","deadlineMs":1234,"shutdownReason":"spindown"}'


def test_an_extension_that_hangs_up_may_ask_again(emulator: Emulator, connect: Connect) -> None:
    first, second = connect(), connect()
    identifier = registered(first)
    ask_event(first, identifier)
    assert wait_state(emulator, ExtensionState.READY)
    first.sock.close()
    assert wait_state(emulator, ExtensionState.REGISTERED)
    ask_event(second, identifier)
    assert wait_state(emulator, ExtensionState.READY)


def test_two_questions_at_a_time_are_one_too_many(emulator: Emulator, connect: Connect) -> None:
    first, second = connect(), connect()
    identifier = registered(first)
    ask_event(first, identifier)
    assert wait_state(emulator, ExtensionState.READY)
    ask_event(second, identifier)
    got = second.read()
    assert (got.status, got.body) == (403, not_allowed("Ready", "Ready", identifier))


@pytest.mark.parametrize(
    ("method", "path"), [("GET", EVENT_NEXT), ("POST", EXT_INIT_ERROR), ("POST", EXT_EXIT_ERROR)]
)
def test_a_request_needs_an_identifier_that_is_known(client: Client, method: str, path: str) -> None:
    def ask(*headers: str) -> Got:
        client.ask(method, path, b"" if method == "POST" else None, *headers)
        return client.read()

    missing = refusal("MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
    assert ask().body == missing
    invalid = refusal("InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
    assert ask(f"{IDENTIFIER}: me").body == invalid
    unknown = str(uuid.uuid4())
    got = ask(f"{IDENTIFIER}: {unknown}", "Lambda-Extension-Function-Error-Type: Extension.Bad")
    text = f"extension {unknown}" if path == EVENT_NEXT else "Lambda-Extension-Identifier"
    assert (got.status, got.body) == (403, refusal("UnknownExtensionIdentifier", f"Unknown {text}"))


@pytest.mark.parametrize(
    ("path", "state"),
    [(EXT_INIT_ERROR, ExtensionState.INIT_ERROR), (EXT_EXIT_ERROR, ExtensionState.EXIT_ERROR)],
)
def test_an_error_is_taken_once_and_needs_a_type(
    emulator: Emulator, client: Client, path: str, state: ExtensionState
) -> None:
    identifier = registered(client)
    got = client.post(path, b"{}", f"{IDENTIFIER}: {identifier}")
    message = "Lambda-Extension-Function-Error-Type not found"
    assert (got.status, got.body) == (403, refusal("MissingHeader", message))
    for kind in ("Extension.Bad", "Extension.Worse"):
        got = client.post(
            path, b"{}", f"{IDENTIFIER}: {identifier}", f"Lambda-Extension-Function-Error-Type: {kind}"
        )
        assert (got.status, got.body) == (202, b'{"status":"OK"}\n')
    assert (only(emulator).state, only(emulator).error) == (state, "Extension.Bad")
    ask_event(client, identifier)
    assert client.read().body == not_allowed(state, "Ready", identifier)


def test_an_init_error_after_the_start_is_refused(emulator: Emulator, connect: Connect) -> None:
    extension, other = connect(), connect()
    identifier = registered(extension)
    ask_event(extension, identifier)
    assert wait_state(emulator, ExtensionState.READY)
    got = other.post(
        EXT_INIT_ERROR,
        b"",
        f"{IDENTIFIER}: {identifier}",
        "Lambda-Extension-Function-Error-Type: Extension.X",
    )
    assert (got.status, got.body) == (403, not_allowed("Ready", "InitError", identifier))


def test_the_recording_knows_the_routes(emulator: Emulator, client: Client) -> None:
    registered(client)
    client.get(REGISTER)
    found = emulator.recording.exchanges(Route.EXTENSION_REGISTER)
    assert [(one.method, one.status) for one in found] == [("POST", 200), ("GET", 405)]
