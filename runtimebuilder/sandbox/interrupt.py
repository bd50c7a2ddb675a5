"""What Ctrl-C must not cut in the middle: the engine finishes what it was asked, whether we listen or not."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_PATIENCE = 3  # so many Ctrl-C are needed to leave all the same


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back; when the block is done they raise KeyboardInterrupt.

    Without it, an image that the engine is still making would come up after everything else had been removed.
    Signals reach the main thread only: in others nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        held.append(number)
        if len(held) >= _PATIENCE:
            raise KeyboardInterrupt

    with contextlib.ExitStack() as restored:
        restored.callback(_raise_if, held)
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.getsignal(number)
            # Ignored signals stay ignored; None is a handler that Python did not set and cannot restore.
            if before not in (signal.SIG_IGN, None):
                restored.callback(signal.signal, number, before)
                signal.signal(number, hold)
        yield


def _raise_if(held: list[int]) -> None:
    if held:
        raise KeyboardInterrupt
