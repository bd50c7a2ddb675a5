"""One life of a container's process: from a start to its end, watched by a thread."""

from __future__ import annotations

import re
import threading

from runtimebuilder.engine.containers import Container, StartError
from runtimebuilder.engine.docker import EngineError
from runtimebuilder.sandbox.outcome import Exit

_REASON = re.compile(
    r"(?:starting container process|start container process)(?: caused)?: (.*?)(?:: unknown)?$"
)


class Life:
    """Begins with `begin`. That the program cannot be run is an end like others, not an exception."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._ended = threading.Event()
        self._exit: Exit | None = None
        self._failure: EngineError | None = None

    def begin(self) -> None:
        """Start the container and watch it. `EngineError` (exit 4) when the engine cannot."""
        try:
            self._container.start()
        except StartError as error:
            state = self._container.state()
            self._exit = Exit.of(state.exit_code, start_error=_reason(error.detail or error.message))
            self._ended.set()
            return
        threading.Thread(target=self._watch, name="watch-box", daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    def wait(self, timeout: float) -> Exit | None:
        """Its end; None when it lives after `timeout` seconds. `EngineError` when the engine went away."""
        if not self._ended.wait(timeout):
            return None
        if self._failure is not None:
            raise self._failure
        return self._exit

    def _watch(self) -> None:
        try:
            code = self._container.wait(None)
            self._exit = Exit.of(code or 0)
            state = self._container.state()
            self._exit = Exit.of(
                state.exit_code, oom_killed=state.oom_killed, started=state.started, finished=state.finished
            )
        except EngineError as error:
            # Removed while it ran: the box was closed, nobody asks any more.
            if self._exit is None and error.status != 404:
                self._failure = error
            self._exit = self._exit or Exit.of(137)
        finally:
            self._ended.set()


def _reason(text: str) -> str:
    found = _REASON.search(text.strip())
    return found.group(1) if found else text.strip()
