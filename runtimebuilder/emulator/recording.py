"""Every exchange on the wire, byte-exact, with times and connection numbers: what cases assert on.

The server's thread writes `Entry` objects; everybody else reads frozen `Exchange` snapshots of them. One
condition variable guards both, so that a reader can sleep until something changes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from runtimebuilder.emulator.exchange import KEPT_BODY, Exchange, Framing, Note, Route
from runtimebuilder.emulator.plain import PlainRequest
from runtimebuilder.emulator.transcript import write_transcript

__all__ = ["KEPT_BODY", "Entry", "Exchange", "Framing", "Note", "Recording", "Route"]


class Entry:
    """The exchange while it happens. Written by the server's thread only; every change wakes the readers."""

    __slots__ = (
        "_answered",
        "_body",
        "_chunks",
        "_closed",
        "_connection",
        "_faults",
        "_framing",
        "_head",
        "_headers",
        "_length",
        "_number",
        "_peer_closed",
        "_received",
        "_recording",
        "_request_id",
        "_request_line",
        "_response_body",
        "_response_headers",
        "_route",
        "_snapshot",
        "_started",
        "_status",
        "_trailers",
    )

    def __init__(
        self, recording: Recording, number: int, connection: int, route: Route, started: float
    ) -> None:
        self._recording = recording
        self._snapshot: Exchange | None = None
        self._number = number
        self._connection = connection
        self._route = route
        self._started = started
        self._request_id: str | None = None
        self._request_line = ("", "", "")
        self._head = b""
        self._headers: tuple[tuple[str, str], ...] = ()
        self._framing: Framing = "none"
        self._body: bytes | bytearray = b""
        self._length = 0
        self._chunks: list[tuple[float, int]] = []
        self._trailers: tuple[tuple[str, str], ...] = ()
        self._received: float | None = None
        self._answered: float | None = None
        self._status: int | None = None
        self._response_headers: tuple[tuple[str, str], ...] = ()
        self._response_body = b""
        self._faults: list[str] = []
        self._peer_closed: float | None = None
        self._closed: float | None = None

    @property
    def connection(self) -> int:
        """Number of the TCP connection."""
        return self._connection

    @property
    def body_length(self) -> int:
        """Bytes of body data so far, kept or not."""
        return self._length

    @property
    def first_byte(self) -> float | None:
        """When the first byte of the body came."""
        return self._chunks[0][0] if self._chunks else None

    def answers(self, request_id: str) -> bool:
        """Whether this is the POST of a response to the invocation of this id."""
        return self._route is Route.RESPONSE and self._request_id == request_id

    def body(self) -> bytes:
        """The body data that was kept."""
        return bytes(self._body)

    def head_came(
        self,
        *,
        method: str,
        target: str,
        http_version: str,
        head: bytes,
        headers: tuple[tuple[str, str], ...],
        framing: Framing,
        request_id: str | None,
    ) -> None:
        """The head is complete."""
        with self._recording.changing(self):
            self._request_line = (method, target, http_version)
            self._head, self._headers, self._framing, self._request_id = head, headers, framing, request_id

    def plain_came(self, when: float, plain: PlainRequest, request_id: str | None) -> None:
        """A whole request came at once. Called within a change, before any snapshot was taken."""
        self._request_line = (plain.method, plain.target, "1.1")
        self._head, self._headers, self._request_id = plain.head, plain.headers, request_id
        self._framing = "sized" if plain.is_sized else "none"
        if plain.body:
            self._keep(when, plain.body)
        self._received = when

    def garbage_came(self, raw: bytes) -> None:
        """What came is no HTTP head."""
        with self._recording.changing(self):
            self._head = raw

    def body_came(self, when: float, data: bytes) -> None:
        """Body data came: all that one read from the socket brought."""
        with self._recording.changing(self):
            self._keep(when, data)

    def _keep(self, when: float, data: bytes) -> None:
        room = KEPT_BODY - len(self._body)
        if not self._length:
            self._body = data[:room]
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += data[:room]
        self._length += len(data)
        self._chunks.append((when, len(data)))
        if len(data) > room >= 0 and self._length - len(data) <= KEPT_BODY:
            self._faults.append(f"only the first {KEPT_BODY} bytes of the body were kept")

    def request_complete(self, when: float, trailers: tuple[tuple[str, str], ...]) -> None:
        """The last byte of the request came."""
        with self._recording.changing(self):
            self._received, self._trailers = when, trailers

    def gave_out(self, request_id: str) -> None:
        """NEXT gave out the invocation of this id."""
        with self._recording.changing(self):
            self._request_id = request_id

    def answer_chosen(self, status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> None:
        """What will be answered is known."""
        with self._recording.changing(self):
            self._status, self._response_headers, self._response_body = status, headers, body

    def answer_written(self, when: float) -> None:
        """The last byte of the answer went out."""
        with self._recording.changing(self):
            self._answered = when

    def faulted(self, what: str) -> None:
        """The emulator did something on purpose."""
        with self._recording.changing(self):
            self._faults.append(what)

    def peer_went(self, when: float) -> None:
        """The peer closed the connection before the answer was complete."""
        with self._recording.changing(self):
            if self._peer_closed is None:
                self._peer_closed = when

    def was_closed(self, when: float) -> None:
        """The emulator closed the connection before, in the middle of or instead of the answer."""
        with self._recording.changing(self):
            self._closed = when

    def forget_snapshot(self) -> None:
        """The entry changed: the next reader needs a new snapshot. Called with the lock held."""
        self._snapshot = None

    def snapshot(self) -> Exchange:
        """The exchange as it stands. Called with the lock held."""
        if self._snapshot is None:
            method, target, http_version = self._request_line
            self._snapshot = Exchange(
                number=self._number,
                connection=self._connection,
                route=self._route,
                request_id=self._request_id,
                method=method,
                target=target,
                http_version=http_version,
                request_head=self._head,
                request_headers=self._headers,
                request_body=bytes(self._body),
                request_framing=self._framing,
                request_chunks=tuple(self._chunks),
                request_trailers=self._trailers,
                started=self._started,
                received=self._received,
                answered=self._answered,
                status=self._status,
                response_headers=self._response_headers,
                response_body=self._response_body,
                fault="; ".join(self._faults) or None,
                peer_closed=self._peer_closed,
                request_length=self._length,
                closed=self._closed,
            )
        return self._snapshot


class _Change:
    """Holds the lock while an entry is changed, then wakes everybody. The outermost of several does that."""

    __slots__ = ("_entry", "_recording")

    def __init__(self, recording: Recording, entry: Entry | None) -> None:
        self._recording = recording
        self._entry = entry

    def __enter__(self) -> None:
        recording = self._recording
        recording.lock.acquire()
        recording.depth += 1

    def __exit__(self, *_: object) -> None:
        recording = self._recording
        if self._entry is not None:
            self._entry.forget_snapshot()
        recording.depth -= 1
        if not recording.depth:
            recording.bump()
        recording.lock.release()


class Recording:
    """All exchanges of one emulator in the order of their arrival. Safe to read from any thread."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.depth = 0  # changes that are going on, one within the other, in the thread that holds the lock
        self._change = _Change(self, None)
        self._zero = time.monotonic()
        self._version = 0
        self._entries: list[Entry] = []
        self._notes: list[Note] = []
        self._connections = 0

    @property
    def connections(self) -> int:
        """How many TCP connections were accepted."""
        with self.changed:
            return self._connections

    def clock(self) -> float:
        """Seconds since the recording was made."""
        return time.monotonic() - self._zero

    def exchanges(self, *routes: Route) -> tuple[Exchange, ...]:
        """Snapshots of the exchanges on these routes, of all of them when none is named."""
        with self.changed:
            found = tuple(entry.snapshot() for entry in self._entries)
        return tuple(exchange for exchange in found if exchange.route in routes) if routes else found

    def exchange(self, number: int) -> Exchange:
        """A fresh snapshot of the exchange of this number (1..). IndexError when there is none."""
        if number < 1:
            raise IndexError(number)
        with self.changed:
            return self._entries[number - 1].snapshot()

    def first_byte(self, request_id: str) -> float | None:
        """When the first byte of a response to this invocation came; None when none has."""
        with self.changed:
            times = [entry.first_byte for entry in self._entries if entry.answers(request_id)]
        return min((when for when in times if when is not None), default=None)

    def notes(self) -> tuple[Note, ...]:
        """What happened outside exchanges."""
        with self.changed:
            return tuple(self._notes)

    def wait_for(self, condition: Callable[[tuple[Exchange, ...]], bool], timeout: float) -> bool:
        """Wait until `condition` holds for the exchanges; it is asked at once and at every change.

        `timeout` in seconds. The result is whether it came to hold. The condition runs in the caller's thread
        without the lock: it may take its time and may read the recording.
        """
        end = time.monotonic() + timeout
        while True:
            with self.changed:
                version, found = self._version, self.exchanges()
            if condition(found):
                return True
            with self.changed:
                while self._version == version:
                    remaining = end - time.monotonic()
                    if remaining <= 0 or not self.changed.wait(remaining):
                        return False

    def transcript(self, *, body_limit: int = 200) -> str:
        """The wire log for people: arrows, times, crosses for cut connections. `body_limit` in characters."""
        return write_transcript(self.exchanges(), self.notes(), body_limit=body_limit)

    # What follows is for the server.

    def changing(self, entry: Entry | None = None) -> _Change:
        """A context in which the lock is held, and at whose end everybody is woken."""
        return self._change if entry is None else _Change(self, entry)

    def bump(self) -> None:
        """Wake everybody who waits for a change. Called with the lock held."""
        self._version += 1
        self.changed.notify_all()

    def open_connection(self) -> int:
        """Count one more connection and give its number."""
        with self.changing():
            self._connections += 1
            return self._connections

    def open_entry(self, connection: int, route: Route, started: float) -> Entry:
        """Begin one more exchange."""
        with self.changing():
            entry = Entry(self, len(self._entries) + 1, connection, route, started)
            self._entries.append(entry)
            return entry

    def note(self, text: str, connection: int | None = None) -> None:
        """Keep a word on something outside exchanges."""
        with self.changing():
            self._notes.append(Note(self.clock(), text, connection))
