"""The Shutdown phase of an execution environment, with the service's windows (LC-12 to LC-14, EX-06)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from runtimebuilder.emulator.extension import deadline_in
from runtimebuilder.emulator.server import Emulator
from runtimebuilder.engine.containers import Container
from runtimebuilder.sandbox.extensions import Extensions
from runtimebuilder.sandbox.life import Life
from runtimebuilder.sandbox.outcome import Exit

INTERNAL_WINDOW = 0.5
"""Seconds from SIGTERM to SIGKILL when the runtime's process has an internal extension, and there is no other."""

EXTERNAL_WINDOW = 2.0
"""Seconds of the whole phase when there is an external extension."""

RUNTIME_WINDOW = 0.3
"""Seconds of these that the runtime has from SIGTERM to SIGKILL."""

_KILL_PATIENCE = 10.0  # seconds until a killed process has to be gone

Reason = Literal["spindown", "timeout", "failure"]


@dataclass(frozen=True, slots=True)
class Shutdown:
    """How an environment ended. `window`: seconds that the runtime was given, 0 for none.

    `exit` is that of the runtime's process, None when it could not be killed. `extensions_in_time`: whether every
    external extension's process ended by itself.
    """

    window: float
    was_killed: bool
    exit: Exit | None
    seconds: float
    extensions_in_time: bool = True


def window_of(emulator: Emulator) -> float:
    """The seconds that a runtime has to end by itself, as its extensions decide."""
    registered = [one for one in emulator.extensions() if one.is_registered]
    if any(one.is_external for one in registered):
        return RUNTIME_WINDOW
    return INTERNAL_WINDOW if registered else 0.0


def shut_down(
    emulator: Emulator, runtime: Container, life: Life, extensions: Extensions, *, reason: Reason
) -> Shutdown:
    """End the environment of a process that runs and is not frozen.

    Without an extension SIGKILL comes at once. The kill reaches the whole group: the engine ends what the first
    process leaves behind. External extensions hear of it when the runtime has ended, and have the rest.
    """
    window = window_of(emulator)
    begun = time.monotonic()
    if window:
        runtime.kill("SIGTERM")
    # From the signal on: what the engine took to send it is not the process's time.
    ended = life.wait(window) if window else None
    was_killed = ended is None and runtime.kill()
    if ended is None:
        ended = life.wait(_KILL_PATIENCE)
    in_time = True
    end = begun + EXTERNAL_WINDOW
    if any(one.is_external and one.is_registered for one in emulator.extensions()):
        emulator.shut_down_extensions(reason, deadline_in(end - time.monotonic()))
        in_time = extensions.wait_all(end)
    extensions.kill()
    return Shutdown(window, was_killed, ended, time.monotonic() - begun, in_time)
