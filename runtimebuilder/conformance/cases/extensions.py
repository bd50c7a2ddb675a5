"""Extensions, as far as a runtime has to do with them: EX-01 to EX-03, EX-11, EX-17."""

from __future__ import annotations

import json

from runtimebuilder.conformance.case import Level, case
from runtimebuilder.conformance.environment import PROMPTLY, Environment, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import require, shown, unsupported
from runtimebuilder.emulator.exchange import Exchange, Route
from runtimebuilder.emulator.extension import IDENTIFIER_HEADER, ExtensionEvent
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.sandbox.extensions import FOLDER
from runtimebuilder.sandbox.layer import LayerFile
from runtimebuilder.sandbox.pause import MACHINES, pause_program

SECTION = "Extensions"
NAMES = ("suite-1", "suite-2", "suite-3")
_ASKS = 2.0  # seconds in which an extension that has registered has to ask for its events
_WRONG_REGISTRATION = frozenset(
    (
        "Extension.InvalidExtensionName",
        "Extension.InvalidExtensionState",
        "Extension.TooManyExtensions",
        "InvalidRequestFormat",
    )
)


@case(
    "EX-01-register",
    Level.MUST,
    requirement="A runtime that registers an extension of its own gives it a name and a list of events.",
    page="runtimes-extensions-api",
    section=SECTION,
)
def test_register(warm: Environment) -> None:
    _require_unrefused(warm, _WRONG_REGISTRATION, "a registration with a name and a list of events")


@case(
    "EX-02-who-may",
    Level.MUST,
    requirement="A runtime that registers an extension of its own, an internal one, does not ask for SHUTDOWN.",
    page="runtimes-extensions-api",
    section=SECTION,
)
def test_who_may(warm: Environment) -> None:
    _require_unrefused(warm, frozenset(("Extension.InvalidEventType",)), "INVOKE as the only event")


@case(
    "EX-03-register-window",
    Level.MUST,
    requirement="A runtime that registers an extension of its own does so before its first GET next.",
    page="runtimes-extensions-api",
    section=SECTION,
)
def test_register_window(warm: Environment) -> None:
    warm.require_echo("served")
    _require_unrefused(warm, frozenset(("Extension.RegistrationClosed",)), "registrations before GET next")


@case(
    "EX-11-runtime-unaffected",
    Level.MUST,
    requirement=(
        "Extensions beside a runtime change none of its requests, it leaves their processes alone, and ends on "
        "SIGTERM."
    ),
    page="runtimes-extensions-api",
    section=SECTION,
)
def test_runtime_unaffected(warm: Environment, environments: Environments, image: ImageFacts) -> None:
    if image.architecture not in MACHINES:
        unsupported(f"there is no program for {image.architecture} that could stand for an extension")
    program = pause_program(image.architecture)
    files = [LayerFile(f"{FOLDER}/{name}", program, 0o755) for name in NAMES]
    beside = environments.open(files=files)
    for name in NAMES:
        beside.api.add_extension(name, tuple(ExtensionEvent), external=True)
    beside.started_and_ready()
    alone, with_them = _requests_of_an_event(warm), _requests_of_an_event(beside)
    require(with_them == alone, expected=f"the requests {alone}", seen=f"{with_them}")
    beside.box.kill("SIGTERM")
    ended = beside.exit_within(PROMPTLY, after="SIGTERM")
    require(ended.code in (0, 143), expected="exit 0, or by SIGTERM", seen=ended.describe())
    running = beside.box.extensions_running
    require(running == NAMES, expected="all processes of the extensions run", seen=f"{list(running)}")


@case(
    "EX-17-go-internal",
    Level.MAY,
    requirement=(
        "A runtime that registers an extension of its own, with or without events, asks for its events: the "
        "service gives the runtime none before."
    ),
    page="runtimes-extensions-api",
    section=SECTION,
)
def test_go_internal(warm: Environment) -> None:
    registered = [one.response_header(IDENTIFIER_HEADER) for one in _registrations(warm) if one.status == 200]

    def all_ask(_: object) -> bool:
        asked = {one.header(IDENTIFIER_HEADER) for one in warm.api.recording.exchanges(Route.EXTENSION_NEXT)}
        return asked.issuperset(registered)

    require(
        warm.api.recording.wait_for(all_ask, _ASKS if registered else 0),
        expected="GET event/next by each extension that was registered",
        seen="none by one of them",
    )


def _registrations(environment: Environment) -> tuple[Exchange, ...]:
    """Also those of the start, which was before this case."""
    return environment.api.recording.exchanges(Route.EXTENSION_REGISTER)


def _require_unrefused(environment: Environment, kinds: frozenset[str], expected: str) -> None:
    for one in _registrations(environment):
        if one.status == 403:
            kind = json.loads(one.response_body)["errorType"]
            require(
                kind not in kinds, expected=expected, seen=f"refused with {kind}: {shown(one.request_body)}"
            )


def _requests_of_an_event(environment: Environment) -> list[str]:
    """What the runtime sends between two GET next, without what is never the same."""
    first = environment.exchanges(Route.NEXT)[-1].number
    sent = environment.send(do("echo", value="served"))
    environment.value(sent)
    environment.require_next(first, when="its answer")
    return [
        f"{one.method} {one.target.replace(sent.request_id, 'ID')} {sorted(name for name, _ in one.request_headers)}"
        for one in environment.exchanges()
        if one.number >= first and one.route is not Route.EXTENSION_NEXT
    ]
