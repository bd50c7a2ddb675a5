"""The box: one execution environment of a function from a container image, under Lambda's limits.

Two containers: the holder (see `holder`) and the subject, which is the image under test.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from runtimebuilder.emulator.exchange import Route
from runtimebuilder.emulator.extension import FunctionFacts
from runtimebuilder.emulator.invocation import Invocation, OutcomeKind
from runtimebuilder.emulator.server import Emulator
from runtimebuilder.engine.containers import Container, Mount, Process, create_container
from runtimebuilder.engine.docker import Engine, ImageFacts
from runtimebuilder.engine.resources import create_volume, remove_volume
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.sandbox import memory
from runtimebuilder.sandbox.extensions import Extensions, extension_programs
from runtimebuilder.sandbox.holder import Holder
from runtimebuilder.sandbox.interrupt import uninterrupted
from runtimebuilder.sandbox.layer import refuse_without_program
from runtimebuilder.sandbox.life import Life
from runtimebuilder.sandbox.limits import INIT_LIMIT, Function, Limits, box_environment
from runtimebuilder.sandbox.link import Link
from runtimebuilder.sandbox.outcome import Exit, InvokeResult, timeout_payload
from runtimebuilder.sandbox.run import Run
from runtimebuilder.sandbox.shutdown import Reason, Shutdown, shut_down
from runtimebuilder.sandbox.subject_spec import declared_folders, subject_spec
from runtimebuilder.sandbox.usage import Usage, usage_of

__all__ = ["Box", "Exit", "InvokeResult", "Process", "Shutdown"]

_LOOK = 0.02  # seconds between two looks at the process while waiting for the wire
_LAST_WORDS = 0.1  # seconds for what a process sent before it ended and we have not read yet


class Box:
    """One execution environment. A context manager; `close` removes everything, also after Ctrl-C.

    `where` is a `Run`, or an `Engine` for a box with a run of its own. `handler` is the only argument of the
    image's entrypoint ("" leaves the image's CMD); `command` gives all arguments instead. `env` holds the
    user's variables, None for one that is not to be set. Opening makes the emulator ready to be scripted;
    `start` starts the process.

    Raises on opening: `EnvironmentProblemError` (exit 4) when the image is not there or the engine cannot,
    `SubjectFailedError` (1) when the image says nothing to start.
    """

    def __init__(
        self,
        where: Run | Engine,
        image: str,
        *,
        limits: Limits | None = None,
        handler: str = "",
        command: Sequence[str] | None = None,
        env: Mapping[str, str | None] | None = None,
        link: str = "auto",
        function: Function | None = None,
        answer_expect: bool = True,
    ) -> None:
        self._run = where if isinstance(where, Run) else Run(where)
        self._owns_run = self._run is not where
        self._engine = self._run.engine
        self.image = image
        self.limits = limits or Limits()
        self._command = tuple(command) if command is not None else ((handler,) if handler else None)
        self._env = dict(env or {})
        self._wish = link
        self._function = function or Function()
        self._answer_expect = answer_expect
        self._emulator: Emulator | None = None
        self._holder: Holder | None = None
        self._subject: Container | None = None
        self._extensions: Extensions | None = None
        self._volumes: list[str] = []
        self._life: Life | None = None
        self._born = 0.0  # monotonic clock at the last start of the process
        self._busy_until = 0.0  # monotonic clock: the deadline of the last invocation
        self._frozen = False
        self._peak: int | None = None
        self._lock = threading.RLock()
        self._closed = False

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- life of the box

    def open(self) -> None:
        """Make everything but the process. Nothing happens when it is open; RuntimeError when it was closed."""
        # Held all along: a run that ends closes the box when it is whole, not while another thread makes it.
        with uninterrupted(), self._lock:
            if self._closed:
                raise RuntimeError("the box was closed")
            if self._subject is not None:
                return
            self._run.opened(self)
            try:
                self._open()
            except BaseException:
                self.close()
                raise

    def _open(self) -> None:
        facts = self._engine.image(self.image)
        if facts is None:
            raise EnvironmentProblemError(
                f"the engine has no image {self.image}", hint="build or pull it first"
            )
        refuse_without_program(self.image, facts)
        self._holder = holder = self._run.holder(self.limits.tmp_mb, self._wish)
        # Not before: with the gateway link, other boxes could reach the socket of a holder in stock.
        listener = holder.link.listen(holder.container)
        self._emulator = Emulator(
            [listener],
            host=holder.link.host,
            answer_expect=self._answer_expect,
            initialization=self._function.initialization,
            function=FunctionFacts(self._function.name, self._function.version),
        )
        self._emulator.start()
        subject = subject_spec(
            facts,
            self.limits,
            name=holder.name,
            namespaces=f"container:{holder.container.id}",
            command=self._command,
            env=self.environment,
            labels=self._run.labels,
            volumes=self._declared_volumes(holder.name, facts),
        )
        self._subject = container = create_container(self._engine, subject)
        names = self._run.remembered(f"{facts.id} extensions", lambda: extension_programs(container))
        self._extensions = Extensions(
            self._engine,
            names,
            lambda name, program: dataclasses.replace(
                subject,
                name=f"{holder.name}-extension-{names.index(name)}",
                entrypoint=(program,),
                command=(),
            ),
        )

    def _declared_volumes(self, name: str, facts: ImageFacts) -> list[Mount]:
        mounts = []
        for number, path in enumerate(declared_folders(facts), 1):
            volume = create_volume(self._engine, f"{name}-{number}", options={}, labels=self._run.labels)
            self._volumes.append(volume)
            mounts.append(Mount(volume, path, read_only=self.limits.read_only))
        return mounts

    def close(self) -> None:
        """Kill and remove everything. A second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        if self._frozen:
            with contextlib.suppress(EnvironmentProblemError):
                self.thaw()
        holder = self._holder
        kept = holder is not None and self._run.reuses(self.limits.tmp_mb, self._wish)
        containers = (self._subject, holder.container if holder is not None and not kept else None)
        jobs = [one.remove for one in containers if one is not None]
        jobs += [self._extensions.remove] if self._extensions is not None else []
        jobs += [self._emulator.close] if self._emulator is not None else []
        with ThreadPoolExecutor(max_workers=4, thread_name_prefix="close-box") as pool:
            done = [pool.submit(job) for job in jobs]
        for volume in self._volumes:
            remove_volume(self._engine, volume)
        if holder is not None:
            self._run.release(holder, self.limits.tmp_mb, self._wish)
        self._run.closed(self)
        if self._owns_run:
            self._run.close()
        for each in done:
            each.result()

    # -- the process

    @property
    def emulator(self) -> Emulator:
        """Lambda's side of the wire. RuntimeError before the box is open."""
        if self._emulator is None:
            raise RuntimeError("the box is not open")
        return self._emulator

    @property
    def link(self) -> Link:
        """How the process reaches the emulator. RuntimeError before the box is open."""
        if self._holder is None:
            raise RuntimeError("the box is not open")
        return self._holder.link

    @property
    def container(self) -> Container:
        """The subject's container. RuntimeError before the box is open."""
        if self._subject is None:
            raise RuntimeError("the box is not open")
        return self._subject

    @property
    def extensions_running(self) -> tuple[str, ...]:
        """The programs of /opt/extensions whose processes live, by name."""
        return self._external.running

    @property
    def _external(self) -> Extensions:
        if self._extensions is None:
            raise RuntimeError("the box is not open")
        return self._extensions

    @property
    def tmp_kind(self) -> str:
        """What is behind /tmp: "ext4", or "tmpfs", whose pages count as memory."""
        return self._holder.tmp_kind if self._holder is not None else ""

    def start(self) -> None:
        """Start the process; opens the box when it is not open. RuntimeError while a process runs.

        A program that cannot be run is an exit like others: `wait_exit` tells it. Programs in /opt/extensions
        start first; `SubjectFailedError` (exit 1) when one of them does not register.
        """
        self.open()
        if self.is_running():
            raise RuntimeError("the process runs already")
        if self._life is not None:
            self.emulator.restart_environment()
        self._external.kill()
        self._external.start(self.emulator)
        life = Life(self.container)
        life.begin()
        self._life, self._born, self._busy_until = life, time.monotonic(), 0.0

    def restart(self) -> None:
        """A new process in the same environment: same /tmp. Ends the one that runs."""
        self.shutdown("failure")
        self.start()

    def is_running(self) -> bool:
        """Whether the process lives, frozen or not."""
        return self._life is not None and not self._life.is_over

    def wait_exit(self, timeout: float) -> Exit | None:
        """How the process ended; None when it lives after `timeout` seconds, or never was started."""
        return self._life.wait(timeout) if self._life is not None else None

    def kill(self, signal: str = "SIGKILL") -> bool:
        """Send a signal to the process, not to its children. False when it was not running."""
        return self.container.kill(signal)

    def freeze(self) -> None:
        """Stop all processes in the box where they are, as the service does between invocations."""
        for each in (self.container, *self._external.containers):
            each.pause()
        self._frozen = True

    def thaw(self) -> None:
        """Let them go on."""
        for each in (self.container, *self._external.containers):
            each.unpause()
        self._frozen = False

    def processes(self) -> tuple[Process, ...]:
        """The processes in the box, numbered as on the engine's host; none when it does not run."""
        return self.container.top()

    def logs(self, *, stdout: bool = True, stderr: bool = True) -> str:
        """What the box printed, over all its processes' lives; the two streams are only roughly in order."""
        return self.container.logs(stdout=stdout, stderr=stderr).decode("utf-8", "replace")

    def peak_memory(self) -> int | None:
        """Peak memory of this process and its children in bytes; the last known when it has ended.

        None where the engine's control groups cannot be read from here.
        """
        if self.is_running() and self._run.is_beside_engine:
            self._peak = memory.peak_of(self.container.state().pid) or self._peak
        return self._peak

    def usage(self) -> Usage | None:
        """What the processes in the box use now; None when none runs, or where they cannot be seen from here."""
        if not self.is_running() or not self._run.is_beside_engine:
            return None
        return usage_of(one.pid for one in self.processes())

    @property
    def environment(self) -> Mapping[str, str | None]:
        """The variables that the process is given besides the image's own; None for one that is taken away."""
        return box_environment(self.limits, self.emulator.endpoint, self._function, self._env)

    def shutdown(self, reason: Reason = "spindown") -> Shutdown | None:
        """End the process as the service ends an environment; None when none runs. A frozen one is thawed.

        Without an extension that is SIGKILL at once; with one, SIGTERM and a window come before it.
        """
        life = self._life
        if life is None or life.is_over:
            return None
        if self._frozen:
            self.thaw()
        ended = shut_down(self.emulator, self.container, life, self._external, reason=reason)
        if ended.exit is None:
            raise EnvironmentProblemError("a killed process still runs")
        return ended

    # -- invocations

    def invoke(self, event: object | bytes, *, timeout: float | None = None, **headers: Any) -> InvokeResult:
        """Invoke as the service does. `timeout` in seconds; `headers` are those of `Invocation.of`.

        Where no process runs, one is started, and its start counts (suppressed init, LC-03). At the deadline
        the process is killed, but for a managed environment's; the next invocation starts another one. Never
        raises for what the subject does.
        """
        seconds = self.limits.timeout_s if timeout is None else timeout
        if self._frozen:
            self.thaw()
        self._settle()
        begun = time.monotonic()
        starts = 0
        invocation = Invocation.of(event, timeout=seconds, **headers)
        self.emulator.queue(invocation)
        if not self.is_running():
            self.start()
            starts = 1
        self._busy_until = begun + seconds
        while True:
            result = self._wait_for_end(invocation, seconds, begun, starts)
            if result is not None:
                return result
            # It ended before it took the event: that is not this invocation's failure.
            self.start()
            self._busy_until = begun + seconds
            starts += 1

    def _wait_for_end(
        self, invocation: Invocation, seconds: float, begun: float, starts: int
    ) -> InvokeResult | None:
        """The result; None when the process ended before it took the event and was not started for it."""
        request_id = invocation.request_id

        def result(kind: Any, body: bytes, **more: Any) -> InvokeResult:
            return InvokeResult(kind, request_id, body, time.monotonic() - begun, starts=starts, **more)

        while True:
            left = begun + seconds - time.monotonic()
            ended = self.wait_exit(0)
            outcome = self.emulator.wait_outcome(
                request_id, _LAST_WORDS if ended else min(_LOOK, max(left, 0))
            )
            if outcome is not None:
                kinds = {OutcomeKind.RESPONSE: "response", OutcomeKind.ERROR: "error"}
                answered = result(kinds.get(outcome.kind, "too_large"), outcome.body, outcome=outcome)
                self.peak_memory()
                return answered
            if ended is not None:
                if starts == 0 and not self._was_given(request_id):
                    return None
                self.emulator.fail_invocation(request_id)
                refused = self.emulator.init_error()
                if refused is not None:
                    return result("init_error", refused.request_body, exit=ended)
                return result("exit", ended.error(request_id), exit=ended)
            if left <= 0:
                self.peak_memory()
                if self._function.is_killed_at_deadline:
                    # Before that: what it sends within the window is too late.
                    self.emulator.fail_invocation(request_id)
                    self.shutdown("timeout")
                else:
                    self.emulator.fail_invocation(request_id)
                return result("timeout", timeout_payload(seconds), exit=self.wait_exit(0))

    def _was_given(self, request_id: str) -> bool:
        given = self.emulator.recording.exchanges(Route.NEXT)
        return any(one.request_id == request_id and one.answered is not None for one in given)

    def _settle(self) -> None:
        """Wait until the process is idle: init, or work after a response, is over, or its time is up."""
        if not self.is_running() or not self._function.is_killed_at_deadline:
            return
        end = self._busy_until or self._born + INIT_LIMIT
        while self.is_running() and not self.emulator.wait_ready(_LOOK):
            if time.monotonic() > end:
                self.shutdown("timeout")
