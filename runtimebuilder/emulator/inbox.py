"""The receiving half of a connection: bytes with their time, and whether the peer is still there."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque

from runtimebuilder.emulator.recording import Recording

_READ = 256 * 1024
_PENDING = 1024 * 1024
_SLOW_BUFFER = 64 * 1024
_STEP = 0.02  # seconds between two reads of a slow reader


class Inbox:
    """Reads a socket as soon as there is something, but no more than about 1 MiB ahead of who takes it.

    Reading at once is what makes arrival times right and shows that a peer has gone while nobody reads.
    """

    def __init__(self, sock: socket.socket, recording: Recording) -> None:
        self._sock = sock
        self._recording = recording
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._gone = asyncio.Event()
        self._gone_at = 0.0
        self._slow: tuple[int, float] | None = None  # (bytes per step, until when)

    @property
    def is_empty(self) -> bool:
        """Nothing has come that was not taken."""
        return not self._waiting

    @property
    def size(self) -> int:
        """Bytes that have come and were not taken."""
        return self._size

    @property
    def is_gone(self) -> bool:
        """The peer has closed its side."""
        return self._gone.is_set()

    @property
    def gone_at(self) -> float:
        """When the peer closed; now, when it is not known to have."""
        return self._gone_at if self._gone.is_set() else self._recording.clock()

    def peer_is_there(self) -> bool:
        """Ask the socket itself: the loop may not have got round to reading that the peer has closed."""
        if self._gone.is_set():
            return False
        try:
            return self._sock.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def slow_down(self, bytes_per_second: int, seconds: float) -> None:
        """Read no faster than this for so long, so that the peer's writes block."""
        with contextlib.suppress(OSError):  # the peer has gone already
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_BUFFER)
        self._slow = (max(1, int(bytes_per_second * _STEP)), self._recording.clock() + seconds)

    async def _next_size(self) -> int:
        """How much to read at once, after waiting for the time to do so."""
        if self._slow is None:
            return _READ
        size, until = self._slow
        if self._recording.clock() >= until:
            self._slow = None
            return _READ
        await asyncio.sleep(_STEP)
        return size

    async def pump(self) -> None:
        """Read until the peer closes. Run as a task beside everything else."""
        loop = asyncio.get_running_loop()
        try:
            while data := await loop.sock_recv(self._sock, await self._next_size()):
                self._waiting.append((self._recording.clock(), data))
                self._size += len(data)
                self._arrived.set()
                while self._size > _PENDING:
                    self._room.clear()
                    await self._room.wait()
        except OSError:
            pass  # a reset is a close
        self._gone_at = self._recording.clock()
        self._gone.set()
        self._arrived.set()

    async def take(self) -> tuple[float, bytes]:
        """What one read brought, with its time; no bytes: the peer has closed."""
        while not self._waiting:
            if self._gone.is_set():
                return self._gone_at, b""
            self._arrived.clear()
            await self._arrived.wait()
        when, data = self._waiting.popleft()
        self._size -= len(data)
        self._room.set()
        return when, data

    def put_back(self, when: float, data: bytes) -> None:
        """What was taken too much is taken again first."""
        if data:
            self._waiting.appendleft((when, data))
            self._size += len(data)

    async def until_gone(self) -> None:
        """Wait until the peer closes."""
        await self._gone.wait()

    async def goes_within(self, seconds: float) -> bool:
        """Wait so long; whether the peer closed meanwhile."""
        try:
            await asyncio.wait_for(self._gone.wait(), seconds)
        except TimeoutError:
            return False
        return True
