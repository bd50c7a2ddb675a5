"""The Runtime API of Lambda Managed Instances: several invocations are out at once, each with its own life.

Each GET next is a worker of its own and gets an invocation of its own. At the deadline nothing is killed: the first
answer that comes late is told so with 410, every other one is not known any more. (catalogue RI-11 to RI-14)
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from runtimebuilder.emulator import answers
from runtimebuilder.emulator.answers import Answer
from runtimebuilder.emulator.exchange import Route, first_value
from runtimebuilder.emulator.extension import ExtensionEvent
from runtimebuilder.emulator.faults import Delivery
from runtimebuilder.emulator.invocation import MODE_HEADER, Invocation, OutcomeKind
from runtimebuilder.emulator.recording import Entry, Recording
from runtimebuilder.emulator.routes import METHODS, Request
from runtimebuilder.emulator.runtime_api import RuntimeApi, Turn
from runtimebuilder.emulator.state import State
from runtimebuilder.emulator.turn import PlainTurn

ERROR_LIMIT = 1024 * 1024
"""Bytes of a reported error (RI-14)."""


@dataclass
class _Out:
    """An invocation that a worker has, or had when its deadline passed."""

    invocation: Invocation
    delivery: Delivery
    written: bool = False
    late: bool = False


class _Worker:
    """A GET next that waits. The result None means that the environment was restarted under it."""

    def __init__(self, peer_is_there: Callable[[], bool]) -> None:
        self.future: asyncio.Future[_Out | None] = asyncio.get_running_loop().create_future()
        self.peer_is_there = peer_is_there


class ConcurrentApi(RuntimeApi):
    """A Runtime API without the state machine: what is out is known by its request id alone."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(recording)
        self._idle: list[_Worker] = []
        self._out: dict[str, _Out] = {}
        self._is_started = False
        self.extensions.offered = (ExtensionEvent.SHUTDOWN,)  # INVOKE belongs to one event at a time (EX-12)

    # For the facade, under the recording's lock.

    @property
    def state(self) -> State:
        """Ready while a worker waits, Running while all of them are busy."""
        if self._init_error is not None:
            return State.INIT_ERROR
        if not self._is_started:
            return State.STARTED
        return State.READY if self._idle else State.RUNNING

    @property
    def is_ready(self) -> bool:
        """A worker waits, and is still there: init is complete with the first one (MI-07)."""
        return any(worker.peer_is_there() for worker in self._idle)

    # For the facade, in the server's loop.

    def give_up(self, request_id: str) -> None:
        """The deadline of this invocation has passed; whoever works on it is left alone."""
        with self._recording.changing():
            self._queue = deque(item for item in self._queue if item[0].request_id != request_id)
            if request_id in self._out:
                self._out[request_id].late = True
        self._recording.note(f"invocation {request_id} given up")

    def restart(self) -> None:
        """A new process begins. Invocations that never reached the old one are kept for the new one."""
        with self._recording.changing():
            kept = [one for one in self._out.values() if not one.written and not one.late]
            self._queue.extendleft((one.invocation, one.delivery) for one in reversed(kept))
            self._out.clear()
            self._is_started = False
            for worker in self._idle:
                _resolve(worker, None)
            self._idle.clear()
        super().restart()

    # For connections, in the server's loop.

    def _begin(self, request: Request) -> Turn:
        method = METHODS.get(request.route)
        if request.method == method:
            if request.route is Route.NEXT:
                return self._begin_next(request)
            if request.route is Route.INIT_ERROR:
                return PlainTurn(self._refuse_or_take_init_error)
        return super()._begin(request)

    def _begin_next(self, request: Request) -> Turn:
        given: list[_Out] = []

        async def answer(entry: Entry) -> Answer:
            if self._init_error is not None:
                return _forbidden(State.INIT_ERROR, State.READY)
            one = await self._work_for(_Worker(request.peer_is_there))
            if one is None:
                return answers.hang_up("environment restarted while this GET next waited")
            given.append(one)
            entry.gave_out(one.invocation.request_id)
            return one.delivery.answer(one.invocation)

        def settled() -> None:
            with self._recording.changing():
                for one in given:
                    one.written = True

        return PlainTurn(answer, settled)

    async def _work_for(self, worker: _Worker) -> _Out | None:
        """Wait for an invocation for this worker."""
        with self._recording.changing():
            self._is_started = True
            self.extensions.runtime_asked()
            self._idle.append(worker)
            self._dispatch()
        try:
            return await worker.future
        except asyncio.CancelledError:  # its connection went
            if worker.future.done() and not worker.future.cancelled():
                self._take_back(worker.future.result())
            raise
        finally:
            with self._recording.changing():
                if worker in self._idle:
                    self._idle.remove(worker)

    def _take_back(self, one: _Out | None) -> None:
        with self._recording.changing():
            if one is not None and self._out.pop(one.invocation.request_id, None) is one and not one.late:
                self._queue.appendleft((one.invocation, one.delivery))
                self._dispatch()

    def _dispatch(self) -> None:
        """Give each queued invocation to the worker that waits longest."""
        self._idle = [worker for worker in self._idle if worker.peer_is_there()]
        while self._queue and self._idle and self.extensions.are_ready:
            one = _Out(*self._queue.popleft())
            self._out[one.invocation.request_id] = one
            _resolve(self._idle.pop(0), one)

    def _begin_post(self, request: Request) -> Turn:
        request_id = request.request_id or ""
        one = self._out.get(request_id)
        if one is None:
            return _unknown()
        is_response = request.route is Route.RESPONSE
        mode = first_value(request.headers, MODE_HEADER) if is_response else None
        if mode is not None and mode != "streaming":
            return PlainTurn.fixed(answers.json_answer(400, answers.BAD_MODE))
        limit = answers.response_limit(streaming=mode is not None)
        ended: list[tuple[OutcomeKind, bytes, Entry]] = []

        async def answer(entry: Entry) -> Answer:
            size = entry.body_length
            with self._recording.changing():
                if self._out.get(request_id) is not one:  # answered or restarted meanwhile
                    return answers.json_answer(400, answers.BAD_REQUEST_ID)
                if not is_response and size > ERROR_LIMIT and not one.late:
                    return _error_too_large()
                del self._out[request_id]
            if one.late:
                return answers.json_answer(410, answers.INVOKE_TIMEOUT)
            if not is_response:
                ended.append((OutcomeKind.ERROR, entry.body(), entry))
            elif size > limit:
                ended.append((OutcomeKind.TOO_LARGE, answers.caller_sees_too_large(size, limit), entry))
                return answers.json_answer(413, answers.too_large_body(limit))
            else:
                ended.append((OutcomeKind.RESPONSE, entry.body(), entry))
            return answers.json_answer(202, answers.ACCEPTED)

        def settled() -> None:
            with self._recording.changing():
                for outcome in ended:
                    self._outcomes.setdefault(request_id, outcome)

        return PlainTurn(answer, settled)

    async def _refuse_or_take_init_error(self, entry: Entry) -> Answer:
        with self._recording.changing():
            if self.state is not State.STARTED:
                return _forbidden(self.state, State.INIT_ERROR)
            if entry.body_length > ERROR_LIMIT:
                return _error_too_large()
            self._init_error = entry
            return answers.json_answer(202, answers.ACCEPTED)


def _resolve(worker: _Worker, one: _Out | None) -> None:
    if not worker.future.done():  # it is when the connection went in this very moment
        worker.future.set_result(one)


def _unknown() -> Turn:
    return PlainTurn.fixed(answers.json_answer(400, answers.BAD_REQUEST_ID))


def _error_too_large() -> Answer:
    """RI-14: the text speaks of the other limit."""
    return Answer(413, (answers.JSON_TYPE,), answers.TOO_LARGE, connection_close=True)


def _forbidden(source: State, target: State) -> Answer:
    body = answers.forbidden_body(source, target)
    # RI-13: this one begins with a small letter.
    return answers.json_answer(403, body.replace(b"Error: State", b"Error: state"))
