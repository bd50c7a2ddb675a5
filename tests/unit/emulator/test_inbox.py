"""The receiving half alone: how far it reads ahead, and what it tells of the peer."""

from __future__ import annotations

import asyncio
import socket

from runtimebuilder.emulator.inbox import Inbox
from runtimebuilder.emulator.recording import Recording


def test_it_reads_only_so_far_ahead_and_goes_on_when_there_is_room() -> None:
    async def scene(near: socket.socket, far: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        inbox = Inbox(near, Recording())
        inbox.open()
        sending = asyncio.create_task(loop.sock_sendall(far, b"x" * 8_000_000))
        await asyncio.sleep(0.05)
        assert not sending.done()
        assert inbox.size < 1_400_000
        taken = 0
        while taken < 8_000_000:
            taken += len((await inbox.take())[1])
        await sending
        assert inbox.size == 0
        far.close()
        assert (await inbox.take())[1] == b""
        assert inbox.is_gone
        inbox.close()

    near, far = socket.socketpair()
    with near, far:
        near.settimeout(0)
        far.settimeout(0)
        asyncio.run(scene(near, far))


def test_what_is_put_back_comes_first() -> None:
    async def scene(near: socket.socket) -> None:
        inbox = Inbox(near, Recording())
        inbox.put_back(2.0, b"second")
        inbox.put_back(1.0, b"first")
        inbox.put_back(0.0, b"")
        assert await inbox.take() == (1.0, b"first")
        assert await inbox.take() == (2.0, b"second")
        assert inbox.is_empty

    near, far = socket.socketpair()
    with near, far:
        asyncio.run(scene(near))
