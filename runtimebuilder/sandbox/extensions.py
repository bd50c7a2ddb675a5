"""The programs in /opt/extensions of an image, started with the box as the service does (EX-02, EX-04).

Each runs in a container of its own from the same image, in the same namespaces and with the same /tmp, so that its
start, its end and its log are its own. What differs from Lambda: its memory is limited apart from the runtime's.
"""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable, Sequence

from runtimebuilder.emulator.server import Emulator
from runtimebuilder.engine.containers import Container, ContainerSpec, create_container
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import SubjectFailedError
from runtimebuilder.sandbox.life import Life
from runtimebuilder.sandbox.limits import INIT_LIMIT

FOLDER = "/opt/extensions"
_LOOK = 0.02  # seconds between two looks at a program that has not registered yet
_KILL_PATIENCE = 10.0  # seconds until a killed program has to be gone


def extension_programs(container: Container) -> tuple[str, ...]:
    """The names of the files in /opt/extensions of a container, sorted; a container that never ran will do."""
    archive = container.get_archive(FOLDER)
    if archive is None:
        return ()
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        names = [entry.name.partition("/")[2] for entry in files if not entry.isdir()]
    return tuple(sorted(name for name in names if name and "/" not in name))


class Extensions:
    """The external extensions of a box. They live and die with it; none at all costs nothing."""

    def __init__(
        self, engine: Engine, names: Sequence[str], spec: Callable[[str, str], ContainerSpec]
    ) -> None:
        """`spec(name, program)` says how to make the container of a program; they are made here."""
        self._lives: dict[str, Life | None] = dict.fromkeys(names)
        self._containers: dict[str, Container] = {}
        try:
            for name in names:
                self._containers[name] = create_container(engine, spec(name, f"{FOLDER}/{name}"))
        except BaseException:
            self.remove()
            raise

    @property
    def containers(self) -> tuple[Container, ...]:
        """All containers, in the order of their names."""
        return tuple(self._containers.values())

    @property
    def running(self) -> tuple[str, ...]:
        """The names of the programs that run."""
        return tuple(name for name, life in self._lives.items() if life is not None and not life.is_over)

    def start(self, emulator: Emulator) -> None:
        """Start all and wait until each has registered, before the runtime starts.

        Raises `SubjectFailedError` (exit 1) for one that ends or lets the Init phase's time pass before that.
        """
        end = time.monotonic() + INIT_LIMIT
        for name in self._containers:
            emulator.launch_extension(name)
        for name, container in self._containers.items():
            self._lives[name] = life = Life(container)
            life.begin()
        for name in self._containers:
            self._wait_registered(emulator, name, end)

    def _wait_registered(self, emulator: Emulator, name: str, end: float) -> None:
        life = self._lives[name]
        while not emulator.wait_extension(name, _LOOK):
            ended = life.wait(0) if life is not None else None
            if ended is None and time.monotonic() < end:
                continue
            what = ended.describe() if ended is not None else f"did not register within {INIT_LIMIT:g} s"
            raise SubjectFailedError(
                f"the extension {FOLDER}/{name} {'ended: ' if ended else ''}{what}",
                detail=self.log(name),
                hint="an external extension registers under its file's name before anything else",
            )

    def log(self, name: str) -> str:
        """What the program of this name printed."""
        return self._containers[name].logs().decode("utf-8", "replace")

    def wait_all(self, end: float) -> bool:
        """Wait until all have ended, up to this time of the monotonic clock. Whether they have."""
        lives = [life for life in self._lives.values() if life is not None]
        return all(life.wait(max(0.0, end - time.monotonic())) is not None for life in lives)

    def kill(self) -> None:
        """Kill those that run, and wait for their end."""
        for name, life in self._lives.items():
            if life is not None and not life.is_over:
                self._containers[name].kill()
        self.wait_all(time.monotonic() + _KILL_PATIENCE)

    def remove(self) -> None:
        """Kill and remove all."""
        for container in self._containers.values():
            container.remove()
