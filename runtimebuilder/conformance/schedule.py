"""Which case a worker takes next: images in their order, and of each its cases in theirs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence

from runtimebuilder.conformance.case import Case


class Queue:
    """The cases of one image that nobody has taken yet. Belongs to a `Schedule`, which alone changes it."""

    def __init__(self, cases: Iterable[Case]) -> None:
        self.cases = deque(cases)
        self.workers = 0


class Schedule:
    """Hands out images to workers and then cases of them. Thread-safe."""

    def __init__(self, queues: Sequence[Queue]) -> None:
        self._queues = tuple(queues)
        self._lock = threading.Lock()
        self._stopped = False

    def join(self) -> Queue | None:
        """The first image that has work for one more worker; `leave` it in the end."""
        with self._lock:
            for queue in self._queues:
                # A worker takes a while to begin: not for what the others will have done by then.
                if not self._stopped and len(queue.cases) > queue.workers:
                    queue.workers += 1
                    return queue
            return None

    def leave(self, queue: Queue) -> bool:
        """A worker is done with this image. Whether it was the last, and all is run."""
        with self._lock:
            queue.workers -= 1
            return queue.workers == 0 and not queue.cases and not self._stopped

    def take(self, queue: Queue) -> tuple[Case, int] | None:
        """The next case and how many are left after it, for whoever takes them. None: there is nothing more."""
        with self._lock:
            if self._stopped or not queue.cases:
                return None
            return queue.cases.popleft(), len(queue.cases)

    def abandon(self, queue: Queue) -> None:
        """Nobody shall take what is left of this image."""
        with self._lock:
            queue.cases.clear()

    def stop(self) -> None:
        """Nobody shall take anything more."""
        with self._lock:
            self._stopped = True
