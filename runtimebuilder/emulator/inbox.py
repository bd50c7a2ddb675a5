"""The receiving half of a connection: bytes with their time, and whether the peer is still there."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable

from runtimebuilder.emulator.recording import Recording

_READ = (
    64 * 1024
)  # more than that is memory mapped for every single read, which takes longer than the reading
_PENDING = 1024 * 1024
_SLOW_BUFFER = 64 * 1024
_STEP = 0.02  # seconds between two reads of a slow reader

AtOnce = Callable[[float, bytes], bool]
"""Gets what one read brought, while nothing else waits to be taken. True: it is dealt with."""


class Inbox:
    """Reads a socket as soon as there is something, but no more than about 1 MiB ahead of who takes it.

    Reading at once is what makes arrival times right and shows that a peer has gone while nobody reads.
    """

    def __init__(self, sock: socket.socket, recording: Recording, at_once: AtOnce | None = None) -> None:
        self._sock = sock
        self._recording = recording
        self._at_once = at_once
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._arrived = asyncio.Event()
        self._gone = asyncio.Event()
        self._gone_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None  # while it is open
        self._is_reading = False
        self._slow: tuple[int, float] | None = None  # (bytes per step, until when)
        self._step: asyncio.TimerHandle | None = None

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

    def open(self) -> None:
        """Begin to read, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._read_on()

    def close(self) -> None:
        """Read no more. To be called before the socket is closed."""
        self._stop_reading()
        self._loop = None

    def slow_down(self, bytes_per_second: int, seconds: float) -> None:
        """Read no faster than this for so long, so that the peer's writes block."""
        with contextlib.suppress(OSError):  # the peer has gone already
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_BUFFER)
        self._stop_reading()
        self._slow = (max(1, int(bytes_per_second * _STEP)), self._recording.clock() + seconds)
        self._read_on()

    async def take(self) -> tuple[float, bytes]:
        """What one read brought, with its time; no bytes: the peer has closed."""
        while not self._waiting:
            if self._gone.is_set():
                return self._gone_at, b""
            self._arrived.clear()
            await self._arrived.wait()
        when, data = self._waiting.popleft()
        self._size -= len(data)
        self._read_on()
        return when, data

    def put_back(self, when: float, data: bytes) -> None:
        """What was taken too much is taken again first."""
        if data:
            self._waiting.appendleft((when, data))
            self._size += len(data)

    async def until_arrival(self) -> None:
        """Wait until there is something to take, or the peer has closed, or `wake` is called."""
        if not self._waiting and not self._gone.is_set():
            self._arrived.clear()
            await self._arrived.wait()

    def wake(self) -> None:
        """End `until_arrival`."""
        self._arrived.set()

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

    def _read_on(self) -> None:
        """Read when there is something, unless that is done already or there is no room."""
        if self._is_reading or self._loop is None or self._gone.is_set() or self._size > _PENDING:
            return
        self._is_reading = True
        if self._slow is None:
            self._loop.add_reader(self._sock, self._read, _READ)
        else:
            self._step = self._loop.call_later(_STEP, self._read_slowly)

    def _stop_reading(self) -> None:
        if self._step is not None:
            self._step.cancel()
            self._step = None
        elif self._is_reading and self._loop is not None:
            self._loop.remove_reader(self._sock)
        self._is_reading = False

    def _read_slowly(self) -> None:
        self._is_reading, self._step = False, None
        if self._slow is not None:
            size, until = self._slow
            if self._recording.clock() >= until:
                self._slow = None
            else:
                self._read(size)
        self._read_on()

    def _read(self, size: int) -> None:
        try:
            data = self._sock.recv(size)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # a reset is a close
        when = self._recording.clock()
        if not data:
            self._stop_reading()
            self._gone_at = when
            self._gone.set()
            self._arrived.set()
        elif self._waiting or self._at_once is None or not self._at_once(when, data):
            self._waiting.append((when, data))
            self._size += len(data)
            if self._size > _PENDING:
                self._stop_reading()
            self._arrived.set()
