"""One TCP connection: requests parsed by h11, every byte in and out recorded, answers written by ourselves.

h11 only parses. A new parser is made for each request, because the answers are not h11's business: they have to be
wrong in ways that it would refuse to write.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass

import h11

from runtimebuilder.emulator import answers
from runtimebuilder.emulator.answers import Answer
from runtimebuilder.emulator.exchange import Framing, Route
from runtimebuilder.emulator.recording import Entry, Recording
from runtimebuilder.emulator.runtime_api import Request, RuntimeApi, Turn, route_of

_READ = 256 * 1024
_PENDING = 1024 * 1024
_HEAD_LIMIT = 2 * 1024 * 1024  # the service's own quota for request line and headers is 1 MB
_BLANK_LINE = re.compile(rb"\n\r?\n")
_LINGER_NOT = struct.pack("ii", 1, 0)  # on, for 0 seconds: close() sends RST


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
        self._inbox: deque[tuple[float, bytes]] = deque()
        self._pending = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._gone = asyncio.Event()
        self._gone_at = 0.0
        self._current: Entry | None = None
        self._awaits_next = False
        self._reset = False

    @property
    def number(self) -> int:
        """Number in the recording, 1.."""
        return self._number

    @property
    def is_idle(self) -> bool:
        """No request is in progress."""
        return self._current is None and not self._inbox

    @property
    def awaits_next(self) -> bool:
        """A complete GET next has no answer yet."""
        return self._awaits_next

    def peer_is_there(self) -> bool:
        """Ask the socket: has the peer closed it? The pump may not have had its turn yet."""
        if self._gone.is_set():
            return False
        try:
            return self._sock.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def end(self, *, reset: bool) -> None:
        """The connection is about to be closed on purpose: say so in the recording. The caller cancels `serve`."""
        what = "reset" if reset else "closed"
        self._reset = reset
        self._recording.note(f"connection {what} by the emulator", self._number)
        if self._current is not None:
            self._current.faulted(f"connection {what} while the request waited")

    async def serve(self) -> None:
        """Answer requests, one after another, until the connection ends."""
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pump = asyncio.create_task(self._pump())
        try:
            while await self._serve_one():
                self._current = None
        finally:
            if self._current is not None and self._gone.is_set():
                self._note_gone(self._current)
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
            if self._reset:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            self._sock.close()

    async def _serve_one(self) -> bool:
        """One exchange. False: the connection is to be closed."""
        head = await self._read_head()
        if head is None:
            return False
        turn = self._api.begin(head.request)
        if not await self._read_body(head, turn.cut_request_after):
            # Nothing is answered, and the state stays where the head moved it (RI-08).
            turn.settle(written=False)
            return False
        self._awaits_next = head.request.route is Route.NEXT
        answer = await self._unless_gone(turn.answer(head.entry))
        self._awaits_next = False
        if answer is None:
            self._note_gone(head.entry)
            return False
        keeps = head.parser.their_state is not h11.MUST_CLOSE
        return await self._write(answer, head.entry, turn) and keeps

    async def _read_head(self) -> _Head | None:
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_LIMIT)
        raw = bytearray()
        when, data = await self._take()
        if not data:
            return None
        started = when
        try:
            while True:
                raw += data
                parser.receive_data(data)
                event = parser.next_event()
                if isinstance(event, h11.Request):
                    break
                when, data = await self._take()
                if not data:
                    self._keep_garbage(bytes(raw), started)
                    return None
        except h11.RemoteProtocolError as error:
            entry = self._keep_garbage(bytes(raw), started)
            entry.faulted(f"refused: {error}")
            await self._write(answers.malformed(), entry, None)
            return None
        end = _BLANK_LINE.search(raw)
        target = event.target.decode("latin-1")
        route, request_id = route_of(target)
        headers = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers.raw_items())
        method = event.method.decode("latin-1")
        self._current = entry = self._recording.open_entry(self._number, route, started)
        entry.head_came(
            method=method,
            target=target,
            http_version=event.http_version.decode("latin-1"),
            head=bytes(raw[: end.end()] if end else raw),
            headers=headers,
            framing=_framing(headers),
            request_id=request_id,
        )
        return _Head(parser, entry, Request(route, request_id, method, headers, self.peer_is_there), when)

    async def _read_body(self, head: _Head, cut_after: int | None) -> bool:
        """Read to the end of the request. False: it never came, or was cut on purpose."""
        parser, entry, when = head.parser, head.entry, head.last_read
        batch = bytearray()  # the body data of one read

        def flush() -> None:
            if batch:
                entry.body_came(when, bytes(batch))
                batch.clear()

        if cut_after == 0:
            return self._cut_request(entry, 0)
        try:
            while not isinstance(event := parser.next_event(), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    batch += event.data
                    continue
                flush()
                if cut_after is not None and entry.body_length >= cut_after:
                    return self._cut_request(entry, cut_after)
                if parser.they_are_waiting_for_100_continue and self._answer_expect:
                    await asyncio.get_running_loop().sock_sendall(
                        self._sock, b"HTTP/1.1 100 Continue\r\n\r\n"
                    )
                when, data = await self._take()
                parser.receive_data(data)
        except h11.RemoteProtocolError as error:
            flush()
            if not self._gone.is_set():
                entry.faulted(f"connection closed: the body is not valid HTTP ({error})")
            return False
        except OSError:
            return False
        flush()
        if cut_after is not None and entry.body_length >= cut_after:
            return self._cut_request(entry, cut_after)
        trailers = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers.raw_items())
        entry.request_complete(when, trailers)
        rest = bytes(parser.trailing_data[0])
        if rest:
            self._inbox.appendleft((when, rest))
            self._pending += len(rest)
        return True

    def _cut_request(self, entry: Entry, after: int) -> bool:
        entry.faulted(f"connection reset after {after} bytes of the request's body")
        self._recording.note("connection reset by the emulator", self._number)
        self._reset = True
        return False

    async def _write(self, answer: Answer, entry: Entry, turn: Turn | None) -> bool:
        """Write the answer. False: the connection is to be closed."""
        if answer.fault is not None:
            entry.faulted(answer.fault)
        if answer.status is not None and answer.cut_after != 0:
            entry.answer_chosen(answer.status, answer.head_fields(), answer.body if answer.has_body else b"")
        settled = answer.delay > 0 and turn is not None
        if settled and turn is not None:
            turn.settle(written=False)  # the service knows the outcome long before the runtime hears of it
        complete = await self._write_pieces(answer, entry)
        if turn is not None:
            turn.settle(written=complete)
        if not complete:
            self._note_gone(entry)
            return False
        if answer.status is None or answer.cut_after is not None:
            self._reset = answer.reset
            self._recording.note("connection closed by the emulator", self._number)
            return False
        return not answer.connection_close

    async def _write_pieces(self, answer: Answer, entry: Entry) -> bool:
        """False: the peer went before everything was out."""
        loop = asyncio.get_running_loop()
        left = answer.cut_after
        try:
            for pause, piece in answer.pieces():
                if pause > 0 and await self._goes_within(pause):
                    return False
                if left is not None:
                    piece, left = piece[:left], left - len(piece[:left])
                if piece:
                    await loop.sock_sendall(self._sock, piece)
                if left == 0:
                    break
        except OSError:
            return False
        if answer.status is not None and answer.cut_after != 0:
            entry.answer_written(self._recording.clock())
        return True

    async def _goes_within(self, seconds: float) -> bool:
        """Wait; whether the peer closed the connection meanwhile."""
        try:
            await asyncio.wait_for(self._gone.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _unless_gone(self, coming: Coroutine[object, object, Answer]) -> Answer | None:
        """Wait for the answer as long as it takes. None: the peer closed the connection first."""
        answering = asyncio.create_task(coming)
        leaving = asyncio.create_task(self._gone.wait())
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            return answering.result() if answering.done() else None
        finally:
            answering.cancel()
            leaving.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)

    async def _pump(self) -> None:
        """Read whatever comes, at once: only so its time is right and a peer that goes is noticed."""
        loop = asyncio.get_running_loop()
        try:
            while data := await loop.sock_recv(self._sock, _READ):
                self._inbox.append((self._recording.clock(), data))
                self._pending += len(data)
                self._arrived.set()
                while self._pending > _PENDING:
                    self._room.clear()
                    await self._room.wait()
        except OSError:
            pass  # a reset is a close
        self._gone_at = self._recording.clock()
        self._gone.set()
        self._arrived.set()

    async def _take(self) -> tuple[float, bytes]:
        """The next bytes with the time at which they came; no bytes: the peer has closed."""
        while not self._inbox:
            if self._gone.is_set():
                return self._gone_at, b""
            self._arrived.clear()
            await self._arrived.wait()
        when, data = self._inbox.popleft()
        self._pending -= len(data)
        self._room.set()
        return when, data

    def _keep_garbage(self, raw: bytes, started: float) -> Entry:
        self._current = entry = self._recording.open_entry(self._number, Route.OTHER, started)
        entry.garbage_came(raw)
        return entry

    def _note_gone(self, entry: Entry) -> None:
        entry.peer_went(self._gone_at if self._gone.is_set() else self._recording.clock())


def _framing(headers: tuple[tuple[str, str], ...]) -> Framing:
    names = [name.lower() for name, _ in headers]
    if "transfer-encoding" in names:
        return "chunked"
    return "sized" if "content-length" in names else "none"
