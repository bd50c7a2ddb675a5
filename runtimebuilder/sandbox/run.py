"""A run: everything ephemeral made in it carries its label and is gone when it ends, however it ends."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType, TracebackType
from typing import Any, Protocol, Self

from runtimebuilder.engine import containers, resources
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import UserError
from runtimebuilder.sandbox.ahead import Ahead
from runtimebuilder.sandbox.holder import Holder, make_holder
from runtimebuilder.sandbox.interrupt import uninterrupted
from runtimebuilder.sandbox.link import Link, choose_link, namespace_link_problem
from runtimebuilder.sandbox.pause import ensure_pause_image

LABEL = "dev.runtimebuilder.ephemeral"

_LOOKS, _QUIET_LOOKS, _PAUSE = 10, 3, 0.3  # for what comes late: at most, at least, and seconds between them


class Closeable(Protocol):
    """What a run closes before it sweeps."""

    def close(self) -> None: ...


class Run:
    """One run against one engine. A context manager; in the main thread SIGTERM then ends it as Ctrl-C does.

    Thread-safe. Images derived in a run and the link are made once for it. `name`: what it labels with, when
    another process has to find that; it must not have been used before.
    """

    def __init__(self, engine: Engine, name: str | None = None) -> None:
        self.engine = engine
        self.id = name or f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._lock = threading.RLock()
        self._open: list[Closeable] = []
        self._links: dict[str, Link] = {}
        self._layers: dict[str, str] = {}
        self._known: dict[str, tuple[str, ...]] = {}
        self._pause_image: str | None = None
        self._beside: bool | None = None
        self._numbers = itertools.count(1)  # of holders
        self._ahead: dict[tuple[int, str], Ahead] = {}
        self._before: Any = None
        self._signalled = False
        self._closed = False

    @property
    def labels(self) -> dict[str, str]:
        """What everything made in this run is labelled with."""
        return {LABEL: self.id}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, _as_interrupt)
            self._signalled = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        finally:
            if self._signalled:
                signal.signal(signal.SIGTERM, self._before)
                self._signalled = False

    def link(self, wish: str) -> Link:
        """The link for this wish ("auto", "namespace", "gateway", "host"); see `choose_link`."""
        with self._lock:
            if wish not in self._links:
                self._links[wish] = choose_link(self.engine, wish)
            return self._links[wish]

    @property
    def is_beside_engine(self) -> bool:
        """Whether we are root on the engine's machine: what the namespace link needs, and loop devices."""
        with self._lock:
            if self._beside is None:
                self._beside = namespace_link_problem(self.engine) is None
            return self._beside

    def pause_image(self) -> str:
        """The image of the pause containers."""
        with self._lock:
            if self._pause_image is None:
                self._pause_image = ensure_pause_image(self.engine)
            return self._pause_image

    def holder(self, tmp_mb: int, wish: str) -> Holder:
        """A holder as new, running, with the link for this wish: the caller's to `release`.

        Raises what making it raised: `EnvironmentProblemError` (4), or `SpecError` (2) for an unknown wish.
        """
        with self._lock:
            ahead = self._ahead.get((tmp_mb, wish))
        return ahead.take() if ahead is not None else self._make_holder(tmp_mb, wish)

    def release(self, holder: Holder, tmp_mb: int, wish: str) -> None:
        """The holder's box is gone: keep it for another one where that was asked for, or remove it."""
        with self._lock:
            ahead = self._ahead.get((tmp_mb, wish))
        if ahead is not None and ahead.reuse:
            if holder.clear():
                if ahead.give_back(holder):
                    return
            else:
                ahead.forget()
        holder.close()

    def reuses(self, tmp_mb: int, wish: str) -> bool:
        """Whether such holders are kept for other boxes."""
        with self._lock:
            ahead = self._ahead.get((tmp_mb, wish))
        return ahead is not None and ahead.reuse

    def make_ahead(self, tmp_mb: int, wish: str, number: int, *, reuse: bool = False) -> None:
        """From now on keep up to `number` such holders ready, so that boxes open quicker; once in a run.

        `reuse`: one whose box is gone serves another, with an empty /tmp, where we can see to that: on the engine's
        machine, with the namespace link, whose network has nothing in it that could stay.
        A thread makes them while others work. What nobody took is removed when the run ends, and making one
        that fails, fails the box that should have had it. RuntimeError when the run has ended.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("the run has ended")
            if (tmp_mb, wish) not in self._ahead:
                reuse = reuse and self.is_beside_engine and self.link(wish).name == "namespace"
                self._ahead[tmp_mb, wish] = Ahead(
                    partial(self._make_holder, tmp_mb, wish), number, reuse=reuse
                )

    def _make_holder(self, tmp_mb: int, wish: str) -> Holder:
        return make_holder(
            self.engine,
            f"runtimebuilder-{self.id}-{next(self._numbers)}",
            image=self.pause_image(),
            tmp_mb=tmp_mb,
            link=self.link(wish),
            labels=self.labels,
            # A loop device is for the same places as the namespace link: root, beside the engine.
            on_disk=self.is_beside_engine,
        )

    def derived(self, key: str, make: Callable[[], str]) -> str:
        """The image of that key: made by `make` once in this run, and to its end even when interrupted."""
        with self._lock:
            if key not in self._layers:
                with uninterrupted():
                    self._layers[key] = make()
            return self._layers[key]

    def remembered(self, key: str, look: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
        """What `look` found out under this key, asked once in this run."""
        with self._lock:
            if key not in self._known:
                self._known[key] = look()
            return self._known[key]

    def opened(self, what: Closeable) -> None:
        """Close `what` when the run ends, unless it is taken back before."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the run has ended")
            self._open.append(what)

    def closed(self, what: Closeable) -> None:
        """`what` has been closed."""
        with self._lock:
            if what in self._open:
                self._open.remove(what)

    def close(self) -> None:
        """Close what is open, remove all that carries the run's label. Ctrl-C does not stop it half-way."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            still_open, self._open = [*self._ahead.values(), *self._open[::-1]], []
        with uninterrupted():
            self._close(still_open)

    def _close(self, still_open: list[Closeable]) -> None:
        problems: list[Exception] = []
        for each in still_open:
            try:
                each.close()
            except (UserError, OSError, RuntimeError) as error:
                problems.append(error)
        sweep(self.engine, self.id)
        if problems:
            raise problems[0]


def sweep(
    engine: Engine, run_id: str | None = None, *, older_than: float | None = None, count_only: bool = False
) -> int:
    """Remove what runs left behind: of one run, or of all; `older_than` in seconds spares what is younger.

    Containers first, then what they used. How many things were removed, or with `count_only` would be. Nothing
    without our label is touched.
    """
    label = LABEL if run_id is None else f"{LABEL}={run_id}"
    limit = None if older_than is None else time.time() - older_than
    due = [remove for born, remove in _labelled(engine, label) if limit is None or born < limit]
    return len(due) if count_only else sum(remove() for remove in due)


def sweep_late(engine: Engine, run_id: str) -> None:
    """Remove what a process left that ended before its time; what the engine was about to make for it comes late.

    It is looked for at least four times in a second, and until nothing is found any more, three seconds at most.
    """
    for look in range(_LOOKS):
        if not sweep(engine, run_id) and look >= _QUIET_LOOKS:
            return
        time.sleep(_PAUSE)


def _labelled(engine: Engine, label: str) -> Iterator[tuple[int, Callable[[], bool]]]:
    """Everything with the label: when it was born (Unix seconds), and how to remove it. In the order to remove it."""
    for container, born in containers.containers_with_label(engine, label):
        yield born, _always(container.remove)
    for volume, born in resources.volumes_with_label(engine, label):
        yield born, _always(partial(resources.remove_volume, engine, volume))
    for network, born in resources.networks_with_label(engine, label):
        yield born, _always(partial(resources.remove_network, engine, network))
    # The youngest first: one may have been derived from another.
    for image in reversed(engine.images_with_label(label)):
        yield resources.unix_seconds(image.created), partial(engine.remove_image, image.id, force=True)


def _always(remove: Callable[[], object]) -> Callable[[], bool]:
    def counted() -> bool:
        remove()
        return True

    return counted


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
