"""The wire log for people, as failure reports show it.

→ GET /2018-06-01/runtime/invocation/next                         0.012
← 200 OK  request 8a0c…                                           0.340
    {"do":"echo","value":1}
✕ connection closed by peer                                       3.340
"""

from __future__ import annotations

from collections.abc import Iterable

from runtimebuilder.emulator.answers import reason_phrase
from runtimebuilder.emulator.exchange import Exchange, Note, Route

_TIME_COLUMN = 66


def write_transcript(exchanges: Iterable[Exchange], notes: Iterable[Note], *, body_limit: int) -> str:
    """All lines in the order of time. Connections are numbered only when there is more than one."""
    exchanges = tuple(exchanges)
    several = len({exchange.connection for exchange in exchanges}) > 1
    moments: list[tuple[float, int, str]] = []
    for exchange in exchanges:
        mark = f"[{exchange.connection}] " if several else ""
        moments.extend(
            (when, exchange.number, _line(mark + text, when, body))
            for when, text, body in _moments(exchange, body_limit)
        )
    for note in notes:
        mark = f"[{note.connection}] " if several and note.connection is not None else ""
        moments.append((note.time, 0, _line(f"{mark}· {note.text}", note.time, None)))
    # One exchange can have several moments at one time; sorted() is stable and keeps them in their own order.
    return "\n".join(text for _, _, text in sorted(moments, key=lambda moment: moment[:2]))


def _moments(exchange: Exchange, limit: int) -> Iterable[tuple[float, str, str | None]]:
    if not exchange.method:
        what = f"not an HTTP request, {len(exchange.request_head)} bytes"
        yield exchange.started, f"→ {what}", excerpt(exchange.request_head, limit)
    else:
        yield (
            exchange.started,
            f"→ {exchange.method} {readable(exchange.target)}{_size(exchange)}",
            excerpt(exchange.request_body, limit) if exchange.request_body else None,
        )
    for name, value in exchange.request_trailers:
        yield exchange.received or exchange.started, f"→ trailer {name}: {readable(value[:limit])}", None
    because = "" if exchange.fault is None else exchange.fault
    if exchange.status is not None and exchange.answered is not None:
        text = f"← {exchange.status} {reason_phrase(exchange.status)}"
        if exchange.route is Route.NEXT and exchange.status == 200 and exchange.request_id is not None:
            text += f"  request {readable(exchange.request_id)}"
        if because and exchange.closed is None:
            text += f"  ({because})"
        yield exchange.answered, text, excerpt(exchange.response_body, limit) or None
    if exchange.closed is not None:
        yield exchange.closed, f"✕ closed by the emulator: {because}", None
    elif exchange.peer_closed is not None:
        yield exchange.peer_closed, "✕ connection closed by peer", None
    elif exchange.answered is None:
        yield exchange.received or exchange.started, f"… no answer yet  {because}".rstrip(), None


def _size(exchange: Exchange) -> str:
    if exchange.request_framing == "none":
        return ""
    wanted = exchange.header("content-length") if exchange.request_framing == "sized" else None
    if exchange.received is None and wanted is not None:
        return f"  {exchange.request_length} of {wanted} bytes"
    chunked = ", chunked" if exchange.request_framing == "chunked" else ""
    unfinished = ", unfinished" if exchange.received is None else ""
    return f"  {exchange.request_length} bytes{chunked}{unfinished}"


def _line(text: str, when: float, body: str | None) -> str:
    first = f"{text:<{_TIME_COLUMN}} {when:8.3f}"
    return first if body is None else f"{first}\n    {body}"


def excerpt(data: bytes, limit: int) -> str:
    """The beginning of a body on one line: at most `limit` characters; if there is more, its size."""
    # A character has at most four bytes: nothing behind limit * 4 can be shown.
    text = data[: limit * 4].decode("utf-8", "backslashreplace")
    shown = readable(text[:limit])
    return shown if len(data) <= limit * 4 and len(text) <= limit else f"{shown}… ({len(data)} bytes)"


def readable(text: str) -> str:
    """Control characters and other things that do not print, as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
