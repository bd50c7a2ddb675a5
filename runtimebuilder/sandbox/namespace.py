"""Entering the network namespace of a container: to listen there, and to reach what listens there."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_PAUSE = 0.05  # seconds between two attempts


def network_of(pid: int) -> Path:
    """The network namespace of a process, as a file."""
    return Path(f"/proc/{pid}/ns/net")


def connect_inside(namespace: Path, address: tuple[str, int], within: float) -> socket.socket | None:
    """A connection to what listens at `address` in a namespace, or listens there `within` so many seconds.

    None when nothing does. OSError when the namespace cannot be entered.
    """
    made: list[socket.socket] = []

    def connect() -> None:
        end = time.monotonic() + within
        while not made:
            try:
                made.append(socket.create_connection(address, timeout=1.0))
            except OSError:
                if time.monotonic() > end:
                    return
                time.sleep(_PAUSE)

    inside(namespace, connect)
    return made[0] if made else None


def inside(namespace: Path, action: Callable[[], object]) -> None:
    """Run `action` in a network namespace. OSError when it cannot be entered, or what `action` raises.

    A namespace is entered by one thread, never by the process: so it is a thread that ends here.
    """
    failures: list[BaseException] = []

    def enter_and_act() -> None:
        try:
            _enter(namespace)
            action()
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failures.append(error)

    thread = threading.Thread(target=enter_and_act, name="network-namespace")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def _enter(namespace: Path) -> None:
    # os.setns is there from Python 3.12 on only.
    libc = ctypes.CDLL(None, use_errno=True)
    with namespace.open("rb") as entrance:
        if libc.setns(entrance.fileno(), _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
