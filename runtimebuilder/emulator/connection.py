"""One TCP connection: requests parsed by h11, every byte in and out recorded, answers written by ourselves.

h11 only parses. Each request gets a new parser, because the answers are not h11's business: they have to be
wrong in ways that it would refuse to write. A request that comes whole in one read and is plain needs no h11, and
where its answer is known at once, no turn of the loop either: both are answered where they are read.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass

import h11

from runtimebuilder.emulator import answers
from runtimebuilder.emulator.answers import Answer
from runtimebuilder.emulator.exchange import Framing, Route
from runtimebuilder.emulator.faults import RequestCut
from runtimebuilder.emulator.inbox import Inbox
from runtimebuilder.emulator.plain import PlainRequest, read_plain
from runtimebuilder.emulator.recording import Entry, Recording
from runtimebuilder.emulator.routes import Request, route_of
from runtimebuilder.emulator.runtime_api import RuntimeApi, Turn
from runtimebuilder.emulator.stepping import Done, Started, begin

_HEAD_LIMIT = 2 * 1024 * 1024  # the service's own quota for request line and headers is 1 MB
_BLANK_LINE = re.compile(rb"\n\r?\n")
_NO_LINGER = struct.pack("ii", 1, 0)  # on, for 0 seconds: close() sends RST


@dataclass(frozen=True)
class _Head:
    """A request whose head has come."""

    parser: h11.Connection
    entry: Entry
    request: Request
    last_read: float


class Connection:
    """Serves one accepted socket until either side ends it. Owns the socket."""

    def __init__(
        self, sock: socket.socket, api: RuntimeApi, recording: Recording, *, answer_expect: bool
    ) -> None:
        self._sock = sock
        self._api = api
        self._recording = recording
        self._answer_expect = answer_expect
        self._number = recording.open_connection()
        self._inbox = Inbox(sock, recording, self._serve_at_once)
        self._awaits_request = False  # `serve` waits for a request to begin
        self._rest: Coroutine[object, object, bool] | None = None  # what `serve` has to do next
        self._begun: Started[Answer] | None = None  # what `rest` waits for, if it does
        self._current: Entry | None = None
        self._awaits_next = False
        self._reset = False

    @property
    def is_idle(self) -> bool:
        """No request is in progress."""
        return self._current is None and self._inbox.is_empty

    @property
    def awaits_next(self) -> bool:
        """A complete GET next has no answer yet."""
        return self._awaits_next

    def end(self, *, reset: bool) -> None:
        """The connection is closed on purpose: say so in the recording. The caller cancels `serve`."""
        self._inbox.close()  # what comes from now on is not served, and is no exchange
        self._awaits_request = False
        what = self._note_end(reset=reset)
        if self._current is not None:
            self._current.faulted(f"connection {what} while the request waited")

    async def serve(self) -> None:
        """Answer requests, one after another, until the connection ends."""
        try:
            with contextlib.suppress(OSError):  # the peer has gone already
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._inbox.open()
            while await self._serve_next():
                self._current = None
        finally:
            self.close()

    def close(self) -> None:
        """Close the socket, which `serve` does unless it was cancelled before it began."""
        self._inbox.close()
        if self._rest is not None:
            self._rest.close()
        if self._begun is not None:
            self._begun.close()
        if self._sock.fileno() != -1:
            if self._reset:
                with contextlib.suppress(OSError):  # the peer has reset it already
                    self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self._sock.close()

    async def _serve_next(self) -> bool:
        """One exchange, or several that are served as they are read. False: the connection is to be closed."""
        self._awaits_request = True
        await self._inbox.until_arrival()
        self._awaits_request = False
        rest, self._rest = self._rest, None
        return await (self._serve_one() if rest is None else rest)

    def _serve_at_once(self, when: float, data: bytes) -> bool:
        """What one read brought: True when that was a request that is answered, or will be by `serve`."""
        if not self._awaits_request:
            return False
        plain = read_plain(data)
        if plain is None:
            return False
        route, request_id = route_of(plain.target)
        if self._api.is_scripted(route):
            return False
        try:
            with self._recording.changing():  # one change: whoever reads the recording is woken once
                rest = self._begin_plain(plain, route, request_id, when)
        except Exception as error:  # noqa: BLE001 - a defect of ours: `serve` raises it
            rest = _raise(error)
        if rest is not None:
            self._rest = rest
            self._awaits_request = False
            self._inbox.wake()
        return True

    def _begin_plain(
        self, plain: PlainRequest, route: Route, request_id: str | None, when: float
    ) -> Coroutine[object, object, bool] | None:
        """Answer a plain request. What is left to do, when that is more than writing a plain answer."""
        self._current = entry = self._recording.open_entry(self._number, route, when)
        entry.plain_came(when, plain, request_id)
        turn = self._api.begin(
            Request(route, request_id, plain.method, plain.headers, self._inbox.peer_is_there)
        )
        begun = begin(turn.answer(entry))
        if not isinstance(begun, Done):
            self._begun = begun
            self._awaits_next = route is Route.NEXT
            return self._answer_later(begun, entry, turn)
        answer = begun.result
        if not answer.is_plain:
            return self._write(answer, entry, turn)
        return self._write_at_once(answer, entry, turn)

    def _write_at_once(
        self, answer: Answer, entry: Entry, turn: Turn
    ) -> Coroutine[object, object, bool] | None:
        """Write a plain answer, within a change. What is left to do, when the socket does not take it all."""
        fields, data = answer.in_one()
        entry.answer_chosen(answer.status or 0, fields, answer.body if answer.has_body else b"")
        try:
            sent = self._sock.send(data)
        except OSError:  # it takes nothing now, or never: the rest finds out
            sent = 0
        if sent < len(data):
            return self._write_rest(data[sent:], entry, turn)
        entry.answer_written(self._recording.clock())
        turn.settle(written=True)
        self._current = None
        return None

    async def _write_rest(self, data: bytes, entry: Entry, turn: Turn) -> bool:
        sent = await self._send(data, last_of=entry)
        turn.settle(written=sent)
        if not sent:
            entry.peer_went(self._inbox.gone_at)
        return sent

    async def _serve_one(self) -> bool:
        """One exchange, through h11. False: the connection is to be closed."""
        head = await self._read_head()
        if head is None:
            return False
        turn = self._api.begin(head.request)
        if turn.request_pace is not None:
            self._inbox.slow_down(turn.request_pace.bytes_per_second, turn.request_pace.seconds)
        if not await self._read_body(head, turn.request_cut):
            # Nothing is answered, and the state stays where the head moved it (RI-08).
            return False
        self._awaits_next = head.request.route is Route.NEXT
        keeps = head.parser.their_state is not h11.MUST_CLOSE
        return await self._answer_later(turn.answer(head.entry), head.entry, turn) and keeps

    async def _answer_later(self, coming: Awaitable[Answer], entry: Entry, turn: Turn) -> bool:
        """Wait for the answer and write it. False: the connection is to be closed."""
        answer = await self._unless_gone(coming)
        self._awaits_next = False
        if answer is None:
            entry.peer_went(self._inbox.gone_at)
            return False
        return await self._write(answer, entry, turn)

    async def _read_head(self) -> _Head | None:
        """Read to the blank line. None: there was no request, or none that can be answered."""
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_LIMIT)
        raw = bytearray()
        when, data = await self._inbox.take()
        started = when
        event: h11.Event | type[h11.NEED_DATA | h11.PAUSED] = h11.NEED_DATA
        while not isinstance(event, h11.Request):
            if not data:
                if raw:
                    self._keep_garbage(bytes(raw), started).peer_went(when)
                return None
            raw += data
            try:
                parser.receive_data(data)
                event = parser.next_event()
            except h11.RemoteProtocolError as error:
                entry = self._keep_garbage(bytes(raw), started)
                entry.faulted(f"refused: {error}")
                await self._write(answers.malformed(), entry, None)
                return None
            if not isinstance(event, h11.Request):
                when, data = await self._inbox.take()
        return _Head(parser, *self._open(event, bytes(raw), started), when)

    def _open(self, event: h11.Request, raw: bytes, started: float) -> tuple[Entry, Request]:
        """Begin the exchange of this request; `raw` holds the head and perhaps more."""
        end = _BLANK_LINE.search(raw)
        target = event.target.decode("latin-1")
        method = event.method.decode("latin-1")
        headers = _decoded(event)
        route, request_id = route_of(target)
        self._current = entry = self._recording.open_entry(self._number, route, started)
        entry.head_came(
            method=method,
            target=target,
            http_version=event.http_version.decode("latin-1"),
            head=raw[: end.end()] if end else raw,
            headers=headers,
            framing=_framing(headers),
            request_id=request_id,
        )
        return entry, Request(route, request_id, method, headers, self._inbox.peer_is_there)

    async def _read_body(self, head: _Head, cut: RequestCut | None) -> bool:
        """Read to the end of the request. False: it never came, or was cut on purpose."""
        parser, entry, when = head.parser, head.entry, head.last_read
        continued = not self._answer_expect
        while True:
            data, end, problem = _drain(parser)
            if data:
                entry.body_came(when, data)
            if cut is not None and entry.body_length >= cut.after:
                how = self._note_end(reset=cut.reset)
                entry.faulted(f"connection {how} after {entry.body_length} bytes of the request's body")
                return False
            if problem is not None:
                if self._inbox.is_gone:
                    entry.peer_went(self._inbox.gone_at)
                else:
                    entry.faulted(f"the body is not valid HTTP: {problem}")
                    self._note_end(reset=False)
                return False
            if end is not None:
                entry.request_complete(when, _decoded(end))
                self._inbox.put_back(when, bytes(parser.trailing_data[0]))
                return True
            if parser.they_are_waiting_for_100_continue and not continued:
                continued = await self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
            when, received = await self._inbox.take()
            parser.receive_data(received)

    async def _write(self, answer: Answer, entry: Entry, turn: Turn | None) -> bool:
        """Write the answer. False: the connection is to be closed."""
        if answer.fault is not None:
            entry.faulted(answer.fault)
        if answer.status is not None and answer.cut_after != 0:
            entry.answer_chosen(answer.status, answer.head_fields(), answer.body if answer.has_body else b"")
        if turn is not None and answer.delay > 0:
            turn.settle(written=False)  # the service knows the outcome long before the runtime hears of it
        complete = await self._write_pieces(answer, entry)
        if turn is not None:
            turn.settle(written=complete)
        if not complete:
            entry.peer_went(self._inbox.gone_at)
            return False
        if answer.status is None or answer.cut_after is not None:
            self._note_end(reset=answer.reset)
            return False
        return not answer.connection_close

    async def _write_pieces(self, answer: Answer, entry: Entry) -> bool:
        """False: the peer went before everything was out."""
        pieces = list(answer.pieces())
        for place, (pause, piece) in enumerate(pieces, start=1):
            if pause > 0 and await self._inbox.goes_within(pause):
                return False
            last = entry if place == len(pieces) and answer.cut_after != 0 else None
            if not await self._send(piece, last_of=last):
                return False
        return True

    async def _send(self, data: bytes, *, last_of: Entry | None = None) -> bool:
        """False: the peer has gone. `last_of`: the exchange that these bytes complete."""
        try:
            # Under the lock: whoever was woken by these bytes must not find an answer that is not there yet.
            with self._recording.changed:
                try:
                    sent = self._sock.send(data)
                except BlockingIOError:
                    sent = 0
                if sent == len(data) and last_of is not None:
                    last_of.answer_written(self._recording.clock())
            if sent < len(data):
                await asyncio.get_running_loop().sock_sendall(self._sock, memoryview(data)[sent:])
                if last_of is not None:
                    last_of.answer_written(self._recording.clock())
        except OSError:
            return False
        return True

    async def _unless_gone(self, coming: Awaitable[Answer]) -> Answer | None:
        """Wait for the answer as long as it takes. None: the peer closed the connection first."""
        answering = asyncio.ensure_future(coming)
        leaving = asyncio.create_task(self._inbox.until_gone())
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            return answering.result() if answering.done() else None
        finally:
            answering.cancel()
            leaving.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)

    def _keep_garbage(self, raw: bytes, started: float) -> Entry:
        self._current = entry = self._recording.open_entry(self._number, Route.OTHER, started)
        entry.garbage_came(raw)
        return entry

    def _note_end(self, *, reset: bool) -> str:
        """Say in the recording that the emulator ends this connection, and how."""
        what = "reset" if reset else "closed"
        self._reset = reset
        if self._current is None:
            self._recording.note(f"idle connection {what} by the emulator", self._number)
        else:
            self._current.was_closed(self._recording.clock())
        return what


async def _raise(error: Exception) -> bool:
    raise error


def _drain(parser: h11.Connection) -> tuple[bytes, h11.EndOfMessage | None, str | None]:
    """Body data in what was received so far, the end if it has come, or why this is not HTTP."""
    data = bytearray()
    try:
        while True:
            event = parser.next_event()
            if isinstance(event, h11.Data):
                data += event.data
            else:
                return bytes(data), event if isinstance(event, h11.EndOfMessage) else None, None
    except h11.RemoteProtocolError as error:
        return bytes(data), None, str(error)


def _decoded(event: h11.Request | h11.EndOfMessage) -> tuple[tuple[str, str], ...]:
    fields = event.headers.raw_items()
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)


def _framing(headers: tuple[tuple[str, str], ...]) -> Framing:
    names = [name.lower() for name, _ in headers]
    if "transfer-encoding" in names:
        return "chunked"
    return "sized" if "content-length" in names else "none"
