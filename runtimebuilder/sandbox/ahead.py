"""Holders made by a thread before a box asks for them, and those that boxes gave back."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from runtimebuilder.sandbox.holder import Holder
from runtimebuilder.sandbox.interrupt import uninterrupted

_COMES_BACK = 0.3  # seconds that one who asks waits for a holder in use, before another is made


class Ahead:
    """Keeps up to `number` holders in stock, made by `make` one after the other. Thread-safe.

    With `reuse` it keeps `number` in stock and in use together, for those in use come back; more only when asked.
    """

    def __init__(self, make: Callable[[], Holder], number: int, *, reuse: bool = False) -> None:
        self.reuse = reuse
        self._make = make
        self._number = number
        self._asking = 0
        self._in_use = 0
        self._changed = threading.Condition()
        self._stock: deque[Holder] = deque()
        self._failure: BaseException | None = None
        self._closed = False
        # A daemon: a program that forgets to close its run shall end all the same.
        self._thread = threading.Thread(target=self._work, name="make-holders", daemon=True)
        with uninterrupted():
            self._thread.start()

    def take(self) -> Holder:
        """The oldest in stock, or the next one when there is none.

        Raises what `make` raised, in the place of the holder that it should have made; the call after that
        tries again. RuntimeError when closed.
        """
        with self._changed:
            self._asking += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._stock or self._failure or self._closed)
            self._asking -= 1
            if self._closed:
                raise RuntimeError("the run has ended")
            if self._stock:
                holder = self._stock.popleft()
                self._in_use += 1
                self._changed.notify_all()
                return holder
            failure, self._failure = self._failure, None
            self._changed.notify_all()
            assert failure is not None  # noqa: S101 - one of the three that were waited for
            raise failure

    def give_back(self, holder: Holder) -> bool:
        """A holder that was taken, as new again, is for another box. False when it is too late for that."""
        with self._changed:
            self._in_use -= 1
            if not self._closed:
                self._stock.append(holder)
            self._changed.notify_all()
            return not self._closed

    def forget(self) -> None:
        """A holder that was taken does not come back."""
        with self._changed:
            self._in_use -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Wait for the one that is being made, and remove all that nobody took. Raises what removing raised.

        A failure that nobody came across is dropped: the holder was not needed.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        unused = list(self._stock)
        self._stock.clear()
        with ThreadPoolExecutor(max_workers=max(1, len(unused)), thread_name_prefix="close-holder") as pool:
            done = [pool.submit(one.close) for one in unused]
        for each in done:
            each.result()

    def _is_short(self) -> bool:
        if self._is_full():
            return self._asking > len(self._stock)
        return len(self._stock) < self._number

    def _is_full(self) -> bool:
        return self.reuse and len(self._stock) + self._in_use >= self._number

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or (self._failure is None and self._is_short()))
                if self._closed:
                    return
                # To make one more costs more than to wait for one that is about to come back.
                if self._is_full() and self._changed.wait_for(
                    lambda: self._closed or not self._is_short(), _COMES_BACK
                ):
                    continue
            made: Holder | None = None
            failure: BaseException | None = None
            try:
                made = self._make()
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that asks
                failure = error
            with self._changed:
                if made is not None:
                    self._stock.append(made)
                self._failure = failure
                self._changed.notify_all()
