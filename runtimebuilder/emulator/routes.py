"""Which request target is for what (catalogue §6.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from runtimebuilder.emulator.exchange import Route

VERSION_PREFIX = "/2018-06-01"
CREDENTIALS_PATH = "/2021-04-23/credentials"

_FIXED_PATHS = {
    f"{VERSION_PREFIX}/ping": Route.PING,
    f"{VERSION_PREFIX}/runtime/invocation/next": Route.NEXT,
    f"{VERSION_PREFIX}/runtime/init/error": Route.INIT_ERROR,
    f"{VERSION_PREFIX}/runtime/restore/next": Route.RESTORE_NEXT,
    f"{VERSION_PREFIX}/runtime/restore/error": Route.RESTORE_ERROR,
    CREDENTIALS_PATH: Route.CREDENTIALS,
    "/2020-01-01/extension/register": Route.EXTENSION_REGISTER,
    "/2020-01-01/extension/event/next": Route.EXTENSION_NEXT,
    "/2020-01-01/extension/init/error": Route.EXTENSION_INIT_ERROR,
    "/2020-01-01/extension/exit/error": Route.EXTENSION_EXIT_ERROR,
    "/2022-07-01/telemetry": Route.TELEMETRY,
    "/2020-08-15/logs": Route.LOGS,
}
_INVOCATION = f"{VERSION_PREFIX}/runtime/invocation"
_ANSWERS = {"response": Route.RESPONSE, "error": Route.ERROR}
METHODS = {
    Route.PING: "GET",
    Route.NEXT: "GET",
    Route.RESPONSE: "POST",
    Route.ERROR: "POST",
    Route.INIT_ERROR: "POST",
    Route.EXTENSION_REGISTER: "POST",
    Route.EXTENSION_NEXT: "GET",
    Route.EXTENSION_INIT_ERROR: "POST",
    Route.EXTENSION_EXIT_ERROR: "POST",
    Route.TELEMETRY: "PUT",
    Route.LOGS: "PUT",
}
"""The method of each route that always exists; `restore/*` and credentials are there with SnapStart only."""
EXTENSION_ROUTES = frozenset(
    (
        Route.EXTENSION_REGISTER,
        Route.EXTENSION_NEXT,
        Route.EXTENSION_INIT_ERROR,
        Route.EXTENSION_EXIT_ERROR,
    )
)
TELEMETRY_ROUTES = frozenset((Route.TELEMETRY, Route.LOGS))


def route_of(target: str) -> tuple[Route, str | None]:
    """Route and percent-decoded request id of a request target."""
    path = urlsplit(target).path if not target.startswith("/") else target.partition("?")[0]
    fixed = _FIXED_PATHS.get(path)
    if fixed is not None:
        return fixed, None
    head, _, tail = path.rpartition("/")
    before, _, request_id = head.rpartition("/")
    answering = _ANSWERS.get(tail)
    if answering is not None and before == _INVOCATION:
        return answering, unquote(request_id)
    return Route.OTHER, None


@dataclass(frozen=True)
class Request:
    """What the API needs to know of a request whose head has come."""

    route: Route
    request_id: str | None
    method: str
    headers: tuple[tuple[str, str], ...]
    peer_is_there: Callable[[], bool]  # asks the socket itself, at once
