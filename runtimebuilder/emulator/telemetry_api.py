"""The Telemetry API 2022-07-01, as far as subscribing goes, and the answer of the Logs API that it replaced.

Nothing is delivered: a destination is a port inside the environment, which the emulator cannot reach with every
link. What an extension hears when it subscribes is the service's; what it asked for is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from runtimebuilder.emulator import answers
from runtimebuilder.emulator.answers import Answer
from runtimebuilder.emulator.exchange import Route
from runtimebuilder.emulator.extension import ExtensionRefusedError, identifier_of, unknown_extension
from runtimebuilder.emulator.extensions_api import ExtensionsApi
from runtimebuilder.emulator.recording import Entry, Recording
from runtimebuilder.emulator.routes import Request
from runtimebuilder.emulator.turn import PlainTurn

SCHEMA_VERSIONS = ("2022-07-01", "2022-12-13", "2025-01-29")
STREAMS = ("platform", "function", "extension")

_LIMITS = {"maxItems": (1000, 10_000, 10_000), "maxBytes": (262_144, 1_048_576, 262_144)}
_TIMEOUT = {"timeoutMs": (25, 30_000, 1000)}
BUFFERING: Mapping[str, tuple[int, int, int]] = {**_LIMITS, **_TIMEOUT}
"""Lowest, highest and usual value of each setting (EX-13)."""

LOGS_NOT_SUPPORTED = answers.error_body("Logs API is not supported", "Logs.NotSupported")  # RI-09


@dataclass(frozen=True, slots=True)
class Subscription:
    """What an extension asked for."""

    extension: str
    schema_version: str
    types: tuple[str, ...]
    destination: str  # a URI
    max_items: int
    max_bytes: int
    timeout_ms: int


class TelemetryApi:
    """The subscriptions of one execution environment; a later one of the same extension replaces the earlier."""

    def __init__(self, recording: Recording, extensions: ExtensionsApi) -> None:
        self._recording = recording
        self._extensions = extensions
        self._subscriptions: dict[str, Subscription] = {}

    def subscriptions(self) -> tuple[Subscription, ...]:
        """All of them, in the order in which the extensions first subscribed. Under the recording's lock."""
        return tuple(self._subscriptions.values())

    def restarted(self) -> None:
        """A new process begins: nobody has subscribed."""
        self._subscriptions.clear()

    def begin(self, request: Request) -> PlainTurn:
        """The head of a PUT on one of the two routes came."""
        return PlainTurn(lambda entry: self.answer(request, entry))

    async def answer(self, request: Request, entry: Entry) -> Answer:
        """The whole request came."""
        try:
            identifier = identifier_of(request)
            if request.route is Route.LOGS:
                return answers.json_answer(202, LOGS_NOT_SUPPORTED)
            with self._recording.changing():
                self._subscribe(identifier, entry.body())
        except ExtensionRefusedError as refused:
            return refused.answer
        except ValueError as problem:
            return answers.json_answer(400, answers.error_body(str(problem), "ValidationError"))
        return Answer(200, (answers.TEXT_TYPE,), b"OK")

    def _subscribe(self, identifier: str, body: bytes) -> None:
        name = self._extensions.named(identifier)
        if name is None:
            raise unknown_extension(identifier)
        if self._extensions.is_closed:
            message = "Telemetry API subscription is closed already"
            raise ExtensionRefusedError("Telemetry.SubscriptionClosed", message)
        self._subscriptions[identifier] = _subscription(name, body)


def _subscription(name: str, body: bytes) -> Subscription:
    """Read a request. ValueError says what is wrong with it."""
    try:
        asked = json.loads(body)
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(asked, Mapping):
        raise ValueError("the body is not an object")  # noqa: TRY004 - one kind for all
    version = asked.get("schemaVersion")
    if version not in SCHEMA_VERSIONS:
        raise ValueError(f"schemaVersion is not one of {', '.join(SCHEMA_VERSIONS)}")
    types = asked.get("types")
    if not isinstance(types, list) or not types or any(one not in STREAMS for one in types):
        raise ValueError(f"types is not a list of {', '.join(STREAMS)}")
    buffering = asked.get("buffering") or {}
    if not isinstance(buffering, Mapping):
        raise ValueError("buffering is not an object")  # noqa: TRY004 - one kind for all
    values = {key: _within(key, buffering.get(key, usual)) for key, (_, _, usual) in BUFFERING.items()}
    return Subscription(
        name,
        str(version),
        tuple(types),
        _destination(asked.get("destination")),
        values["maxItems"],
        values["maxBytes"],
        values["timeoutMs"],
    )


def _within(key: str, value: object) -> int:
    lowest, highest, _ = BUFFERING[key]
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise ValueError(f"buffering.{key} is not between {lowest} and {highest}")
    return value


def _destination(told: object) -> str:
    if not isinstance(told, Mapping) or told.get("protocol") not in ("HTTP", "TCP"):
        raise ValueError("destination.protocol is neither HTTP nor TCP")
    if told["protocol"] == "TCP":
        port = told.get("port")
        if not isinstance(port, int):
            raise ValueError("destination.port is not a number")
        return f"tcp://sandbox.localdomain:{port}"
    uri = str(told.get("URI", ""))
    parts = urlsplit(uri)
    if parts.scheme != "http" or parts.hostname not in ("sandbox.localdomain", "sandbox"):
        raise ValueError("destination.URI does not begin with http://sandbox.localdomain")
    return uri
