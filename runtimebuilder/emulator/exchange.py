"""One exchange as readers see it: frozen, byte-exact."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

KEPT_BODY = 64 * 1024 * 1024
"""Bytes of one request body that are kept; what comes after them is counted and thrown away."""

Framing = Literal["none", "sized", "chunked"]


class Route(enum.StrEnum):
    """What a request was for, judged by its path alone (a wrong method is still that route)."""

    NEXT = "next"
    RESPONSE = "response"
    ERROR = "error"
    INIT_ERROR = "init-error"
    PING = "ping"
    RESTORE_NEXT = "restore-next"
    RESTORE_ERROR = "restore-error"
    CREDENTIALS = "credentials"
    EXTENSION_REGISTER = "extension-register"
    EXTENSION_NEXT = "extension-next"
    EXTENSION_INIT_ERROR = "extension-init-error"
    EXTENSION_EXIT_ERROR = "extension-exit-error"
    TELEMETRY = "telemetry"
    LOGS = "logs"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer as they stood when the snapshot was taken.

    Times are seconds on the recording's own clock (0.0 = the recording was made). Names and values of headers
    are latin-1 text in the case in which they were sent. What could not be parsed as HTTP is kept too: route
    OTHER, empty method, and the bytes in `request_head`.
    """

    number: int  # order of arrival, 1..
    connection: int  # TCP connection, 1..
    route: Route
    request_id: str | None  # from the path (percent-decoded), or of the invocation that NEXT gave out
    method: str
    target: str
    http_version: str  # "1.1"
    request_head: bytes  # request line to blank line, as it came
    request_headers: tuple[tuple[str, str], ...]
    request_body: bytes  # without chunk framing; at most KEPT_BODY bytes
    request_framing: Framing
    request_chunks: tuple[
        tuple[float, int], ...
    ]  # (time, bytes) of body data, one item per read from the socket
    request_trailers: tuple[tuple[str, str], ...]
    started: float  # first byte in
    received: float | None  # whole request in; None while it is not, and for ever when it was cut short
    answered: float | None  # last byte out
    status: int | None
    response_headers: tuple[tuple[str, str], ...]
    response_body: bytes  # without chunk framing; all of it, also when the fault was to cut it
    fault: str | None  # what the emulator did on purpose (or had to do), in words
    peer_closed: float | None  # the peer closed the connection before the answer was complete
    request_length: int = 0  # bytes of body data that came, kept or not
    closed: float | None = None  # the emulator closed the connection in the middle of this exchange

    def header(self, name: str) -> str | None:
        """First value of a request header, whatever the case of its name."""
        return first_value(self.request_headers, name)

    def trailer(self, name: str) -> str | None:
        """First value of a request trailer, whatever the case of its name."""
        return first_value(self.request_trailers, name)

    def response_header(self, name: str) -> str | None:
        """First value of a header of the answer, whatever the case of its name."""
        return first_value(self.response_headers, name)


@dataclass(frozen=True, slots=True)
class Note:
    """What happened outside an exchange: the environment restarted, an idle connection was closed."""

    time: float
    text: str
    connection: int | None = None


def first_value(headers: tuple[tuple[str, str], ...], name: str) -> str | None:
    """First value of the header `name`, compared without regard to case."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)
