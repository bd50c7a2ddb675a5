"""The emulator: one execution environment's Runtime API in its own thread, with a synchronous facade."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar

from runtimebuilder.emulator.concurrency import ConcurrentApi
from runtimebuilder.emulator.connection import Connection
from runtimebuilder.emulator.exchange import Exchange, Route
from runtimebuilder.emulator.extension import Extension, ExtensionEvent, FunctionFacts
from runtimebuilder.emulator.faults import AS_USUAL, Delivery, Reply
from runtimebuilder.emulator.initialization import Initialization
from runtimebuilder.emulator.invocation import Invocation, Outcome
from runtimebuilder.emulator.recording import Recording
from runtimebuilder.emulator.restore import RestorableApi
from runtimebuilder.emulator.runtime_api import RuntimeApi
from runtimebuilder.emulator.state import State
from runtimebuilder.emulator.telemetry_api import Subscription

_T = TypeVar("_T")

_APIS: Mapping[Initialization, type[RuntimeApi]] = {
    Initialization.ON_DEMAND: RuntimeApi,
    Initialization.PROVISIONED: RuntimeApi,
    Initialization.SNAP_START: RestorableApi,
    Initialization.MANAGED: ConcurrentApi,
}


class Emulator:
    """Lambda's side of the wire for one execution environment. A context manager, thread-safe.

    `listeners` are bound and listening stream sockets, which may have been opened in another network
    namespace; the emulator owns them from now on and closes them. Without any it listens at 127.0.0.1 on a
    port that the kernel chooses. `host` is the name by which runtimes reach the first of them, where that is
    not its address. `answer_expect`: send `100 Continue` to a request that expects it, as Go's
    server does (RT-091 wants none). `initialization` decides which routes there are and how many invocations are
    out at once. `function` is what extensions are told about the function.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket] | None = None,
        *,
        host: str | None = None,
        answer_expect: bool = True,
        initialization: Initialization = Initialization.ON_DEMAND,
        function: FunctionFacts | None = None,
    ) -> None:
        self._listeners = tuple(listeners) if listeners else (socket.create_server(("127.0.0.1", 0)),)
        address, port = self._listeners[0].getsockname()[:2]
        self.address: tuple[str, int] = (host or str(address), int(port))
        self.recording = Recording()
        self._api = _APIS[initialization](self.recording)
        self._api.extensions.function = function or FunctionFacts()
        self._answer_expect = answer_expect
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._started = threading.Event()
        self._closed = False
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._defects: list[BaseException] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def endpoint(self) -> str:
        """`host:port`, the value of AWS_LAMBDA_RUNTIME_API."""
        return f"{self.address[0]}:{self.address[1]}"

    @property
    def state(self) -> State:
        """Where the environment is, by the names that the API's answers carry: Started, Ready, ..."""
        with self.recording.changed:
            return self._api.state

    def start(self) -> None:
        """Begin to answer. RuntimeError when it was started before."""
        if self._thread is not None or self._closed:
            raise RuntimeError("an emulator starts once")
        self._thread = threading.Thread(target=self._run, name=f"runtime-api-{self.address[1]}", daemon=True)
        self._thread.start()
        self._started.wait()

    def close(self) -> None:
        """Close every connection and listener and end the thread. A second call does nothing.

        A defect of the emulator itself that came up meanwhile is raised here, after everything is closed.
        """
        if self._closed:
            return
        self._closed = True
        if self._thread is not None and self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):  # the loop ended by itself: a defect, told below
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        for listener in self._listeners:
            listener.close()
        if self._defects:
            raise RuntimeError("the emulator failed") from self._defects[0]

    def queue(self, invocation: Invocation, delivery: Delivery | None = None) -> None:
        """Give `invocation` to the GET next that waits, or to the next one that comes."""
        self._call(lambda: self._api.queue(invocation, delivery or AS_USUAL))

    def script(self, route: Route, *replies: Reply) -> None:
        """The next requests on `route` get these answers, in this order; then all is as before."""
        self._call(lambda: self._api.script(route, replies))

    def end_script(self, route: Route) -> None:
        """All is as before on `route` from now on, whatever of its script is left."""
        self._call(lambda: self._api.end_script(route))

    def wait_outcome(self, request_id: str, timeout: float) -> Outcome | None:
        """The runtime's answer to this invocation; None when there is none after `timeout` seconds."""
        return self._wait(lambda: self._api.outcome(request_id), timeout)

    def wait_first_byte(self, request_id: str, timeout: float) -> float | None:
        """When the first byte of the response's body came, on the recording's clock; None: not in `timeout`.

        It says so while a streamed response still comes.
        """
        return self._wait(lambda: self.recording.first_byte(request_id), timeout)

    def wait_ready(self, timeout: float) -> bool:
        """Wait until a GET next waits for work: init is complete and the environment idle."""
        return bool(self._wait(lambda: self._api.is_ready or None, timeout))

    def init_error(self) -> Exchange | None:
        """The POST init/error that was accepted from the process since it started, if there was one."""
        return self._api.init_error()

    def wait_restore(self, timeout: float) -> bool:
        """Wait until a GET restore/next waits. RuntimeError unless the environment is one of SnapStart."""
        api = self._restorable()
        return bool(self._wait(lambda: api.awaits_restore or None, timeout))

    def restore(self) -> bool:
        """Answer the GET restore/next that waits; False when none does. RuntimeError as for `wait_restore`."""
        return self._call(self._restorable().restore)

    def restore_error(self) -> Exchange | None:
        """The POST restore/error that was accepted from the process since it started, if there was one."""
        return self._restorable().restore_error()

    def fail_invocation(self, request_id: str) -> None:
        """The deadline has passed: later answers get 400 InvalidRequestID. A queued one is taken back.

        In a managed environment the first late answer gets 410 InvokeTimeout.
        """
        self._call(lambda: self._api.give_up(request_id))

    def restart_environment(self) -> None:
        """The process was started again: state Started, nothing given out; a GET next that waits is cut.

        What is queued stays queued, and so does a given invocation that never went out on the wire.
        """
        self._call(self._api.restart)

    # Extensions.

    def extensions(self) -> tuple[Extension, ...]:
        """The extensions of the process that runs, in the order in which they came."""
        with self.recording.changed:
            return self._api.extensions.extensions()

    def telemetry_subscriptions(self) -> tuple[Subscription, ...]:
        """What the extensions of the process that runs have subscribed to."""
        with self.recording.changed:
            return self._api.telemetry.subscriptions()

    def launch_extension(self, name: str) -> None:
        """A program of /opt/extensions was started: it may register as an external extension of this name."""
        self._call(lambda: self._api.extensions.launch(name))

    def wait_extension(self, name: str, timeout: float) -> bool:
        """Wait until the extension of this name has registered."""

        def look() -> bool | None:
            return any(one.name == name and one.is_registered for one in self.extensions()) or None

        return bool(self._wait(look, timeout))

    def add_extension(
        self, name: str, events: Iterable[ExtensionEvent] = (), *, external: bool = True
    ) -> None:
        """Register an extension that has no process which speaks: it is always ready. For tests of runtimes."""
        self._call(lambda: self._api.extensions.add_silent(name, events, is_external=external))

    def shut_down_extensions(self, reason: str, deadline_ms: int) -> None:
        """Tell external extensions that the environment ends: "spindown", "timeout" or "failure"."""
        self._call(lambda: self._api.extensions.shut_down(reason, deadline_ms))

    def close_idle_connections(self) -> int:
        """Close the kept connections on which no request is in progress. How many there were."""
        return self._call(lambda: self._end_connections(lambda connection: connection.is_idle, reset=False))

    def cut_waiting_next(self, *, reset: bool = True) -> int:
        """Cut the connections on which a GET next waits, by default with a TCP reset. How many there were."""
        return self._call(
            lambda: self._end_connections(lambda connection: connection.awaits_next, reset=reset)
        )

    def _restorable(self) -> RestorableApi:
        if not isinstance(self._api, RestorableApi):
            raise RuntimeError("there is a restore in SnapStart environments only")  # noqa: TRY004 - not a type
        return self._api

    # The server's thread.

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - close() tells it
            self._defects.append(error)
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        for listener in self._listeners:
            listener.settimeout(0)
            self._loop.add_reader(listener, self._accept, listener)
        self._started.set()
        await self._stop.wait()
        for listener in self._listeners:
            self._loop.remove_reader(listener)
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, listener: socket.socket) -> None:
        """A connection waits. Not a coroutine: a cancelled one could lose an accepted socket."""
        loop = asyncio.get_running_loop()
        try:
            sock, _ = listener.accept()
        except (BlockingIOError, ConnectionError):  # the peer has gone already
            return
        except OSError:  # out of descriptors: not at once again
            loop.remove_reader(listener)
            loop.call_later(0.05, self._accept_again, listener)
            return
        sock.settimeout(0)
        connection = Connection(sock, self._api, self.recording, answer_expect=self._answer_expect)
        task = loop.create_task(connection.serve())
        self._connections[task] = connection
        task.add_done_callback(self._connection_ended)

    def _accept_again(self, listener: socket.socket) -> None:
        if not self._closed:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _connection_ended(self, task: asyncio.Task[None]) -> None:
        self._connections.pop(task).close()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._defects.append(error)

    def _end_connections(self, which: Callable[[Connection], bool], *, reset: bool) -> int:
        ended = 0
        for task, connection in list(self._connections.items()):
            if which(connection):
                connection.end(reset=reset)
                task.cancel()
                ended += 1
        return ended

    # From other threads.

    def _call(self, action: Callable[[], _T]) -> _T:
        """Run `action` in the server's loop and give its result; right here when no loop runs."""
        loop = self._loop
        if loop is None or self._closed or self._thread is threading.current_thread():
            return action()
        result: concurrent.futures.Future[_T] = concurrent.futures.Future()

        def run() -> None:
            try:
                result.set_result(action())
            except BaseException as error:  # noqa: BLE001 - it is the caller's, in the caller's thread
                result.set_exception(error)

        loop.call_soon_threadsafe(run)
        return result.result()

    def _wait(self, ask: Callable[[], _T | None], timeout: float) -> _T | None:
        end = time.monotonic() + timeout
        with self.recording.changed:
            while (found := ask()) is None:
                remaining = end - time.monotonic()
                if remaining <= 0 or not self.recording.changed.wait(remaining):
                    return ask()
            return found
