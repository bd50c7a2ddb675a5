"""Which GET next wait: neither those that were answered nor those whose connection has gone."""

from __future__ import annotations

from runtimebuilder.conformance.workers import waiting
from runtimebuilder.emulator import Emulator, Initialization, Invocation, Route
from tests.unit.emulator.wire import NEXT, Client

LONG = 10.0  # seconds: only what is wrong takes so long


def test_who_waits() -> None:
    with (
        Emulator(initialization=Initialization.MANAGED) as emulator,
        Client(emulator) as busy,
        Client(emulator) as first,
        Client(emulator) as second,
        Client(emulator) as gone,
    ):
        emulator.queue(Invocation.of("event"))
        assert busy.get(NEXT).status == 200
        for client in (first, second, gone):
            client.ask("GET", NEXT)
        assert emulator.recording.wait_for(lambda found: len(waiting(found)) == 3, LONG)
        gone.reset()
        assert emulator.recording.wait_for(lambda found: len(waiting(found)) == 2, LONG)
        assert emulator.cut_waiting_next() == 2
        assert emulator.recording.wait_for(lambda found: not waiting(found), LONG)
        assert len(emulator.recording.exchanges(Route.NEXT)) == 4
