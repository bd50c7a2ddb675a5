"""Extensions as values, their requests, and how these are refused (catalogue §5, §6.5)."""

from __future__ import annotations

import enum
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runtimebuilder.emulator import answers
from runtimebuilder.emulator.exchange import first_value
from runtimebuilder.emulator.invocation import DEFAULT_ACCOUNT
from runtimebuilder.emulator.routes import Request

NAME_HEADER = "Lambda-Extension-Name"
IDENTIFIER_HEADER = "Lambda-Extension-Identifier"
FEATURE_HEADER = "Lambda-Extension-Accept-Feature"
ERROR_TYPE_HEADER = "Lambda-Extension-Function-Error-Type"
EVENT_HEADER = "Lambda-Extension-Event-Identifier"

EXTENSION_LIMIT = 10
"""Extensions of one environment, external and internal ones together (EX-08)."""


class ExtensionEvent(enum.StrEnum):
    """What an extension can ask to be told."""

    INVOKE = "INVOKE"
    SHUTDOWN = "SHUTDOWN"


class ExtensionState(enum.StrEnum):
    """States under the names that the refusals carry."""

    STARTED = "Started"  # an external one that has not registered
    REGISTERED = "Registered"
    READY = "Ready"
    RUNNING = "Running"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """What an extension is told about the function when it registers."""

    name: str = "probe"
    version: str = "$LATEST"
    handler: str = ""
    account: str = DEFAULT_ACCOUNT


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension as it stands."""

    name: str
    identifier: str
    is_external: bool
    events: tuple[ExtensionEvent, ...]
    state: ExtensionState
    error: str | None  # the type that it gave with init/error or exit/error

    @property
    def is_registered(self) -> bool:
        """Whether it ever registered."""
        return self.state is not ExtensionState.STARTED


class ExtensionRefusedError(Exception):
    """The request gets 403 with these two fields of an error."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.answer = answers.json_answer(403, answers.error_body(message, kind))


def unknown_extension(identifier: str) -> ExtensionRefusedError:
    """What an identifier gets that was never given out."""
    return ExtensionRefusedError("Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")


def identifier_of(request: Request) -> str:
    """The identifier that the request carries, as a canonical UUID. Raises `ExtensionRefusedError`."""
    value = first_value(request.headers, IDENTIFIER_HEADER) or ""
    if not value:
        message = f"Missing {IDENTIFIER_HEADER} header"
        raise ExtensionRefusedError("Extension.MissingExtensionIdentifier", message)
    try:
        return str(uuid.UUID(value))
    except ValueError:
        message = f"Invalid {IDENTIFIER_HEADER}"
        raise ExtensionRefusedError("Extension.InvalidExtensionIdentifier", message) from None


def require_events(
    wanted: Iterable[str], *, is_external: bool, offered: Iterable[ExtensionEvent] = ExtensionEvent
) -> None:
    """Raise `ExtensionRefusedError` for an event that such an extension cannot have; `offered`: all there are."""
    known = tuple(offered)
    for event in wanted:
        if event == ExtensionEvent.SHUTDOWN and not is_external:
            why = "ShutdownEventNotSupportedForInternalExtension"
        elif event not in known:
            why = "ErrorInvalidEventType"
        else:
            continue
        raise ExtensionRefusedError("Extension.InvalidEventType", f"{event}: {why}")


def events_of(body: bytes) -> list[str]:
    """The events asked for. ValueError in the words of Go's decoder, as far as they are simple."""
    text = body.decode("utf-8", "replace").strip()
    if not text:
        raise ValueError("unexpected end of JSON input")
    try:
        asked = json.loads(text)
    except ValueError as problem:
        place = min(getattr(problem, "pos", 0), len(text) - 1)
        raise ValueError(f"invalid character '{text[place]}' looking for beginning of value") from None
    if not isinstance(asked, Mapping):
        raise ValueError(f"json: cannot unmarshal {_go_kind(asked)} into Go value")  # noqa: TRY004 - one kind
    if asked.get("configurationKeys"):
        raise ValueError("configurationKeys are deprecated; use environment variables instead")
    events = asked.get("events")
    if events is None:
        return []
    if not isinstance(events, list) or not all(isinstance(one, str) for one in events):
        raise ValueError(f"json: cannot unmarshal {_go_kind(events)} into Go struct field events")
    return list(events)


def _go_kind(value: object) -> str:
    kinds = {bool: "bool", str: "string", list: "array", dict: "object", type(None): "null"}
    return kinds.get(type(value), "number")


def deadline_in(seconds: float) -> int:
    """Milliseconds since the Unix epoch, so many seconds from now."""
    return int((time.time() + seconds) * 1000)
