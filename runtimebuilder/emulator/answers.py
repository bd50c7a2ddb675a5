"""The answers of the Runtime API, byte for byte (catalogue §6.1 to §6.3).

The layout is that of Go's server: the handler's headers sorted, then Date, then Content-Length or
Transfer-Encoding, then Connection. JSON has the keys errorMessage, errorType in this order, Go's HTML escapes
and one newline at the end.
"""

from __future__ import annotations

import email.utils
import functools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

RESPONSE_LIMIT = 6_291_556
"""Bytes of a buffered response: 6 MiB and 100 bytes (RT-071, RI-04)."""

STREAM_LIMIT = 200 * 1024 * 1024
"""Bytes of a streamed response (gettingstarted-limits)."""

GO_CHUNK = 4096
"""Bytes of one chunk where no drip says otherwise."""

HeaderCase = Literal["canonical", "lower", "upper", "mixed"]

JSON_TYPE = ("Content-Type", "application/json")
TEXT_TYPE = ("Content-Type", "text/plain; charset=utf-8")

_GO_PHRASES = {413: "Request Entity Too Large", 422: "Unprocessable Entity", 418: "I'm a teapot"}
_GO_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


@functools.lru_cache(maxsize=2)
def _date(second: int) -> str:
    return email.utils.formatdate(second, usegmt=True)


def _mixed(name: str) -> str:
    return "".join(char.upper() if place % 2 else char.lower() for place, char in enumerate(name))


_RECASE: Mapping[HeaderCase, Callable[[str], str]] = {
    "canonical": str,
    "lower": str.lower,
    "upper": str.upper,
    "mixed": _mixed,
}


@dataclass(frozen=True)
class Answer:
    """What to write back, and how. Without a `status`, nothing is written and the connection is closed."""

    status: int | None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""  # without chunk framing
    type_last: tuple[str, str] | None = None  # a Content-Type that Go's server found out itself: after Date
    framing: Literal["sized", "chunked"] = "sized"
    drip: tuple[int, float] | None = None  # (bytes, seconds between)
    delay: float = 0.0  # seconds before the first byte
    connection_close: bool = False
    cut_after: int | None = None  # close the socket after so many bytes of the answer, head included
    reset: bool = False  # the close is a TCP reset
    header_case: HeaderCase = "canonical"
    bare: bool = False  # `headers` are all there is: no Date, no length
    fault: str | None = None  # what is done on purpose, in words

    @property
    def is_plain(self) -> bool:
        """It is written in one go, at once and as it should be."""
        return not (
            self.status is None
            or self.fault
            or self.delay
            or self.connection_close
            or self.framing == "chunked"
            or self.drip is not None
            or self.header_case != "canonical"
            or self.cut_after is not None
        )

    def head_fields(self) -> tuple[tuple[str, str], ...]:
        """All header fields in the order in which they are written."""
        named = {name.lower() for name, _ in self.headers}
        fields = list(self.headers)
        if not self.bare and "date" not in named:
            fields.append(("Date", _date(int(time.time()))))
        if self.framing == "chunked":
            fields.append(("Transfer-Encoding", "chunked"))
        elif not self.bare and self.has_body and "content-length" not in named:
            fields.append(("Content-Length", str(len(self.body))))
        if self.type_last is not None:
            fields.append(self.type_last)
        if self.connection_close and "connection" not in named:
            fields.append(("Connection", "close"))
        if self.header_case == "canonical":
            return tuple(fields)
        return tuple((_RECASE[self.header_case](name), value) for name, value in fields)

    def in_one(self) -> tuple[tuple[tuple[str, str], ...], bytes]:
        """Header fields and all bytes of a plain answer."""
        if self.headers == _JSON_ONLY and self.has_body and not self.bare and self.type_last is None:
            fields, head = _json_head(self.status or 0, len(self.body), int(time.time()))
            return fields, head + self.body
        fields = self.head_fields()
        return fields, encode_head(self.status or 0, fields) + (self.body if self.has_body else b"")

    def pieces(self) -> Iterator[tuple[float, bytes]]:
        """The bytes to write up to the cut, each piece with the seconds to wait before it."""
        left = self.cut_after
        for pause, piece in self._whole():
            yield pause, piece[:left]
            if left is not None:
                left -= min(left, len(piece))
                if left == 0:
                    return

    def _whole(self) -> Iterator[tuple[float, bytes]]:
        if self.status is None:
            return
        head = encode_head(self.status, self.head_fields())
        if not self.has_body:
            yield self.delay, head
            return
        if self.framing == "sized" and self.drip is None:
            yield self.delay, head + self.body
            return
        yield self.delay, head
        size, pause = self.drip or (GO_CHUNK, 0.0)
        for start in range(0, len(self.body), size):
            part = self.body[start : start + size]
            yield pause, b"%x\r\n%b\r\n" % (len(part), part) if self.framing == "chunked" else part
        if self.framing == "chunked":
            yield 0.0, b"0\r\n\r\n"

    @property
    def has_body(self) -> bool:
        """Whether HTTP lets an answer of this status have a body."""
        return self.status is not None and self.status >= 200 and self.status not in (204, 304)


_JSON_ONLY = (JSON_TYPE,)


@functools.lru_cache(maxsize=32)
def _json_head(status: int, length: int, second: int) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Fields and head of the many answers that differ in nothing else."""
    fields = (JSON_TYPE, ("Date", _date(second)), ("Content-Length", str(length)))
    return fields, encode_head(status, fields)


def encode_head(status: int, fields: tuple[tuple[str, str], ...]) -> bytes:
    """Status line, fields and blank line. Values go out as UTF-8, as the RIE's do."""
    lines = [f"{name}: {value}\r\n" for name, value in fields]
    head = f"HTTP/1.1 {status} {reason_phrase(status)}\r\n{''.join(lines)}\r\n"
    return head.encode("utf-8", "surrogateescape")


@functools.cache
def reason_phrase(status: int) -> str:
    """The phrase that Go writes after the status code."""
    if status in _GO_PHRASES:
        return _GO_PHRASES[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"status code {status}"


def go_json(value: Mapping[str, str]) -> bytes:
    """JSON as Go's encoder writes a struct: compact, HTML-escaped, one newline."""
    text = json.dumps(dict(value), ensure_ascii=False, separators=(",", ":")).translate(_GO_ESCAPES)
    return text.encode() + b"\n"


def error_body(message: str, kind: str) -> bytes:
    """The ErrorResponse of the OpenAPI document."""
    return go_json({"errorMessage": message, "errorType": kind})


def response_limit(*, streaming: bool) -> int:
    """How many bytes a response may have."""
    return STREAM_LIMIT if streaming else RESPONSE_LIMIT


def too_large_body(limit: int) -> bytes:
    """RI-04, for this limit; the catalogue has it for responses that are not streamed."""
    return error_body(f"Exceeded maximum allowed payload size ({limit} bytes).", "RequestEntityTooLarge")


ACCEPTED = go_json({"status": "OK"})  # RI-01
BAD_REQUEST_ID = error_body("Invalid request ID", "InvalidRequestID")  # RI-02
TOO_LARGE = too_large_body(RESPONSE_LIMIT)  # RI-04
BAD_MODE = error_body("Invalid function response mode", "InvalidFunctionResponseMode")  # RI-05
SERVER_ERROR = error_body("Internal Server Error", "InternalServerError")  # RI-07
INVOKE_TIMEOUT = error_body("Invoke timeout", "InvokeTimeout")  # RI-11


def forbidden_body(source: str, target: str) -> bytes:
    """RI-03: the refused transition by the names of both states."""
    return error_body(
        f"State transition from {source} to {target} failed for runtime. "
        "Error: State transition is not allowed",
        "InvalidStateTransition",
    )


def caller_sees_too_large(size: int, limit: int = RESPONSE_LIMIT) -> bytes:
    """What the caller of the function gets for a response of `size` bytes that was refused (§6.4)."""
    message = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({limit} bytes)."
    return go_json({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}).rstrip(b"\n")


def json_answer(status: int, body: bytes) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, (JSON_TYPE,), body)


def pong() -> Answer:
    """GET /2018-06-01/ping."""
    return Answer(200, (), b"pong", type_last=TEXT_TYPE)


def not_found() -> Answer:
    """Any path that is no route."""
    return Answer(404, (TEXT_TYPE, ("X-Content-Type-Options", "nosniff")), b"404 page not found\n")


def wrong_method(allowed: str) -> Answer:
    """A route asked with another method than its own."""
    return Answer(405, (("Allow", allowed),))


def malformed() -> Answer:
    """What cannot be parsed as HTTP, as Go's server answers it: no Date, no length, connection closed."""
    return Answer(400, (TEXT_TYPE,), b"400 Bad Request", bare=True, connection_close=True)


def hang_up(why: str) -> Answer:
    """No answer at all: the connection is closed."""
    return Answer(None, fault=why)
