"""For people who test their own functions: an image as a function, in the box, from a test of theirs.

`LambdaContainer` is a testcontainers container, so it goes with what their tests have already. What it starts is our
box: Lambda's limits and its side of the Runtime API, and no reaper image, which a closed network cannot pull.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from runtimebuilder.engine.docker import Engine
from runtimebuilder.local.invoke import HttpAnswer, HttpRequest, code_layer
from runtimebuilder.sandbox.container import Box, Exit
from runtimebuilder.sandbox.layer import LayerFile, put_layer
from runtimebuilder.sandbox.limits import Function, Limits
from runtimebuilder.sandbox.outcome import InvokeKind
from runtimebuilder.sandbox.run import Run

try:
    from testcontainers.core.container import DockerContainer
except ImportError as missing:
    raise ImportError(
        "LambdaContainer needs testcontainers: pip install 'runtimebuilder[testing]'", name=missing.name
    ) from missing

__all__ = ["FunctionError", "LambdaContainer", "Result"]

_LOOK = 0.05  # seconds between two looks at a log
_SETTLED = 0.25  # seconds without a new line after which it is taken as complete ...
_LOG_LAG = 2.0  # ... and after which it is taken as it is


@dataclass(frozen=True, slots=True)
class FunctionError:
    """What the caller of a function is told when it failed. `trace`: what the runtime sent as stackTrace."""

    type: str
    message: str
    trace: tuple[str, ...] = ()


class InvocationLog:
    """A part of a log: from where it stood to where the next invocation begins, read when somebody asks."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._begin = len(read())
        self._text: str | None = None

    def end(self) -> None:
        """What is printed from now on belongs to somebody else."""
        if self._text is None:
            self._text = self._part(self._read())

    def text(self) -> str:
        """The part. While nothing has ended it, this waits a moment: a log comes a little later than an answer."""
        if self._text is None:
            self._text = self._part(self._settled())
        return self._text

    def _settled(self) -> str:
        log, begun = self._read(), time.monotonic()
        changed = begun
        while (now := time.monotonic()) - changed < _SETTLED and now - begun < _LOG_LAG:
            time.sleep(_LOOK)
            log, earlier = self._read(), log
            if log != earlier:
                changed = now
        return log

    def _part(self, log: str) -> str:
        return (
            log[self._begin :] if len(log) >= self._begin else log
        )  # the engine has forgotten its beginning


@dataclass(frozen=True, slots=True)
class Result:
    """What one invocation came to.

    `kind` is `response`, or how it failed: `error` (the function raised), `init_error`, `exit` (the process ended),
    `timeout`, `too_large`. `duration` is in seconds.
    """

    kind: InvokeKind
    request_id: str
    body: bytes
    duration: float
    exit: Exit | None = None
    log: InvocationLog | None = field(default=None, repr=False, compare=False)

    @property
    def logs(self) -> str:
        """What was printed since the invocation began, until the next one."""
        return self.log.text() if self.log is not None else ""

    def json(self) -> Any:
        """The body as JSON. ValueError when it is none."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def error(self) -> FunctionError | None:
        """Why it failed; None for a response."""
        if self.kind == "response":
            return None
        try:
            told = self.json()
        except ValueError:
            told = None
        if not isinstance(told, dict):
            return FunctionError("", self.text)
        trace = told.get("stackTrace")
        lines = tuple(map(str, trace)) if isinstance(trace, list) else ()
        return FunctionError(str(told.get("errorType", "")), str(told.get("errorMessage", "")), lines)


class LambdaContainer(DockerContainer):
    """An image as a Lambda function: `with LambdaContainer("app:1", handler="app.handler") as function: ...`.

    The container has a read-only root, uid 993, `memory_mb` without swap, 1024 files and processes, no capabilities,
    no network, and `tmp_mb` at /tmp. `handler` is the entrypoint's argument, the image's CMD without it; `code` a
    folder whose files go to /var/task; `timeout` the function's, in seconds.

    Of testcontainers' own methods, `with_env(s)`, `with_command`, `with_copy_into_container`, `waiting_for`, `exec`,
    `get_logs` and `get_wrapped_container` work as ever; what Lambda has not (ports, networks, volumes, other writable
    places) is refused with ValueError at the start.

    Starting raises `EnvironmentProblemError` when there is no engine, or no such image and no registry that has it,
    and `SubjectFailedError` for an image with nothing to start. What the function does never raises: see `Result`.
    """

    def __init__(
        self,
        image: str,
        handler: str = "",
        *,
        code: str | Path | None = None,
        env: Mapping[str, str] | None = None,
        memory_mb: int = 128,
        tmp_mb: int = 512,
        timeout: float = 3.0,
        name: str = "function",
        link: str = "auto",
    ) -> None:
        Engine.connect().close()  # says what is wrong in our words, before testcontainers does in its own
        super().__init__(image, env=dict(env or {}))
        self._handler = handler
        self._code = None if code is None else Path(code)
        self._limits = Limits(memory_mb=memory_mb, tmp_mb=tmp_mb, timeout_s=timeout)
        self._function = Function(name=name)
        self._link = link
        self._box: Box | None = None
        self._log: InvocationLog | None = None
        self._undo = contextlib.ExitStack()

    @property
    def box(self) -> Box:
        """The box, for what more it can do: freeze, thaw, restart, the recorded wire. RuntimeError before the start."""
        if self._box is None:
            raise RuntimeError("the container is not started")
        return self._box

    def start(self) -> Self:
        """Start the function; nothing has to be reachable when the engine has the image."""
        self._refuse_what_lambda_has_not()
        with contextlib.ExitStack() as undo:
            engine = Engine.connect()
            undo.callback(engine.close)
            run = undo.enter_context(Run(engine))
            if engine.image(self.image) is None:
                engine.pull(self.image)
            files = tuple(self._files())
            box = Box(
                run,
                put_layer(run, self.image, files) if files else self.image,
                limits=self._limits,
                handler=self._handler,
                command=self._words(),
                env=self.env,
                link=self._link,
                function=self._function,
            )
            box.start()
            self._box = box
            self._container = self.get_docker_client().client.containers.get(box.container.id)
            if self._wait_strategy is not None:
                self._wait_strategy.wait_until_ready(self)
            self._undo = undo.pop_all()
        atexit.register(self.stop)  # there is no reaper
        return self

    def stop(self, force: bool = True, delete_volume: bool = True) -> None:  # noqa: FBT001, FBT002 - testcontainers' own signature
        """Remove everything. A second call does nothing."""
        del force, delete_volume
        atexit.unregister(self.stop)
        if self._log is not None and self._box is not None:
            self._log.end()
        self._box = self._container = None
        self._undo.close()
        self.get_docker_client().client.close()

    def invoke(self, event: object | bytes = None, *, timeout: float | None = None, **headers: Any) -> Result:
        """Invoke the function as the service does: one event at a time, warm after the first.

        `event`: bytes go as they are, everything else as JSON. `timeout` in seconds in place of the function's; at its
        end the process is killed, and the next invocation starts another one. `headers`: what the service says beside
        the event, as `emulator.Invocation.of` takes it (`trace_id`, `client_context`, ...).
        """
        if self._log is not None:
            self._log.end()
        self._log = InvocationLog(self.logs)
        done = self.box.invoke(event, timeout=timeout, **headers)
        return Result(done.kind, done.request_id, done.body, done.duration, done.exit, self._log)

    def request(self, text: str, body: bytes = b"", *, timeout: float | None = None) -> HttpAnswer:
        """Send a web request to a function behind an HTTP API: `function.request("GET /orders?page=2")`.

        `SubjectFailedError` when the result is not an HTTP response.
        """
        return HttpAnswer.of(self.invoke(HttpRequest.parse(text, body).event(), timeout=timeout).body)

    def logs(self) -> str:
        """What the function and its runtime printed so far: the last 4 MB of it."""
        return self.box.logs()

    def _words(self) -> Sequence[str] | None:
        """What `with_command` said."""
        if self._command is None:
            return None
        return [self._command] if isinstance(self._command, str) else self._command

    def _files(self) -> Iterator[LayerFile]:
        if self._code is not None:
            yield from code_layer(self._code)
        for source, target, *mode in self._transferable_specs:
            permissions = mode[0] if mode else 0o644
            if isinstance(source, bytes):
                yield LayerFile(target, source, permissions)
            elif source.is_dir():
                for file in sorted(each for each in source.rglob("*") if each.is_file()):
                    place = f"{target.rstrip('/')}/{source.name}/{file.relative_to(source).as_posix()}"
                    yield LayerFile(place, file.read_bytes(), 0o755 if file.stat().st_mode & 0o100 else 0o644)
            else:
                yield LayerFile(target, source.read_bytes(), permissions)

    def _refuse_what_lambda_has_not(self) -> None:
        refused = {
            "ports: it asks for its events itself": self.ports,
            "networks: it reaches the Runtime API and nothing else": self._network,
            "volumes: code= puts files into /var/task": self.volumes,
            "other writable places than /tmp": self.tmpfs,
            "options of the engine's": self._kwargs,
        }
        for what, given in refused.items():
            if given:
                raise ValueError(f"a Lambda function has no {what}")
        if self._box is not None:
            raise RuntimeError("the container is started already")
