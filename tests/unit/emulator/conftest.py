"""An emulator on a loopback port, and raw connections to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from runtimebuilder.emulator import Emulator
from tests.unit.emulator.wire import Client

Connect = Callable[[], Client]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def connect(emulator: Emulator) -> Iterator[Connect]:
    """Opens connections, and closes them before the emulator is closed."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(Client(emulator))


@pytest.fixture
def client(connect: Connect) -> Client:
    return connect()
