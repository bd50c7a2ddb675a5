"""The Runtime API 2018-06-01 of one execution environment: routes, queue of invocations, outcomes.

Everything that changes runs in the server's loop; the recording's lock is held meanwhile, so that other
threads can read and wait. A request is judged in the RIE's order (catalogue §6.1, §6.2): the id first, then
the state, then the mode header; the state moves when the head has come, before the body.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from runtimebuilder.emulator import answers
from runtimebuilder.emulator.answers import Answer
from runtimebuilder.emulator.exchange import Exchange, Route, first_value
from runtimebuilder.emulator.extensions_api import ExtensionsApi
from runtimebuilder.emulator.faults import Delivery, Reply, RequestCut, RequestPace
from runtimebuilder.emulator.invocation import MODE_HEADER, Invocation, Outcome, OutcomeKind
from runtimebuilder.emulator.recording import Entry, Recording
from runtimebuilder.emulator.routes import EXTENSION_ROUTES, METHODS, TELEMETRY_ROUTES, Request
from runtimebuilder.emulator.state import RefusedError, State, StateMachine
from runtimebuilder.emulator.telemetry_api import TelemetryApi


class Turn(Protocol):
    """One request being handled, from its head to its answer."""

    request_cut: RequestCut | None
    request_pace: RequestPace | None

    async def answer(self, entry: Entry) -> Answer:
        """The request is complete: what to answer. May wait for ever; cancelled when the peer goes."""

    def settle(self, *, written: bool) -> None:
        """The answer was written (or could not be), or is about to be held back: tell who waits for it."""


@dataclass
class _Given:
    """The invocation that was given out last."""

    invocation: Invocation
    delivery: Delivery
    written: bool = False
    given_up: bool = False


class _Waiter:
    """A GET next that waits. The result None means that the environment was restarted under it."""

    def __init__(self, peer_is_there: Callable[[], bool]) -> None:
        self.future: asyncio.Future[_Given | None] = asyncio.get_running_loop().create_future()
        self.peer_is_there = peer_is_there


class RuntimeApi:
    """One execution environment seen from the service."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self.extensions = ExtensionsApi(recording, self._extension_ready)
        self.telemetry = TelemetryApi(recording, self.extensions)
        self._machine = StateMachine()
        self._queue: deque[tuple[Invocation, Delivery]] = deque()
        self._given: _Given | None = None
        self._waiters: list[_Waiter] = []
        self._outcomes: dict[str, tuple[OutcomeKind, bytes, Entry]] = {}
        self._scripts: dict[Route, deque[Reply]] = {}
        self._init_error: Entry | None = None

    # For the facade, under the recording's lock.

    @property
    def state(self) -> State:
        """Where the environment is."""
        return self._machine.state

    @property
    def is_ready(self) -> bool:
        """A GET next waits, by a peer that is still there, and has nothing to do yet."""
        return self.state is State.READY and any(waiter.peer_is_there() for waiter in self._waiters)

    def outcome(self, request_id: str) -> Outcome | None:
        """The outcome of the invocation, if it is known."""
        with self._recording.changed:
            found = self._outcomes.get(request_id)
            return None if found is None else Outcome(found[0], request_id, found[1], found[2].snapshot())

    def init_error(self) -> Exchange | None:
        """The POST init/error of this process, if there was one."""
        with self._recording.changed:
            return None if self._init_error is None else self._init_error.snapshot()

    # For the facade, in the server's loop.

    def queue(self, invocation: Invocation, delivery: Delivery) -> None:
        """Give `invocation` to the next GET next."""
        with self._recording.changing():
            self._outcomes.pop(invocation.request_id, None)
            self._queue.append((invocation, delivery))
            self._dispatch()

    def script(self, route: Route, replies: Sequence[Reply]) -> None:
        """The next requests on `route` get these."""
        with self._recording.changing():
            self._scripts.setdefault(route, deque()).extend(replies)

    def end_script(self, route: Route) -> None:
        """The next requests on `route` get the answers that they should."""
        with self._recording.changing():
            self._scripts.pop(route, None)

    def give_up(self, request_id: str) -> None:
        """The deadline of this invocation has passed."""
        with self._recording.changing():
            self._queue = deque(item for item in self._queue if item[0].request_id != request_id)
            if self._given is not None and self._given.invocation.request_id == request_id:
                self._machine.invocation_given_up()
                self._given.given_up = True
        self._recording.note(f"invocation {request_id} given up")

    def restart(self) -> None:
        """A new process begins. An invocation that never reached the old one is kept for the new one."""
        with self._recording.changing():
            given = self._given
            if given is not None and not given.written and not given.given_up:
                self._queue.appendleft((given.invocation, given.delivery))
            self._given = self._init_error = None
            self._machine.restarted()
            self.extensions.restarted()
            self.telemetry.restarted()
            for waiter in self._waiters:
                _resolve(waiter, None)
            self._waiters.clear()
        self._recording.note("environment restarted")

    # For connections, in the server's loop.

    def is_scripted(self, route: Route) -> bool:
        """Whether the next request on `route` gets a canned answer."""
        return bool(self._scripts.get(route))

    def begin(self, request: Request) -> Turn:
        """The head of a request came: move the state, and give who will answer."""
        with self._recording.changing():
            replies = self._scripts.get(request.route)
            reply = replies.popleft() if replies else None
            if reply is None:
                return self._begin(request)
            return _ScriptedTurn(reply, self._begin(request) if reply.applies else None)

    def _begin(self, request: Request) -> Turn:
        method = METHODS.get(request.route)
        if method is None:
            return _FixedTurn(answers.not_found())
        if request.method != method:
            return _FixedTurn(answers.wrong_method(method))
        if request.route is Route.PING:
            return _FixedTurn(answers.pong())
        if request.route is Route.NEXT:
            return _NextTurn(self, request)
        if request.route is Route.INIT_ERROR:
            return _InitErrorTurn(self)
        return self._begin_elsewhere(request) or self._begin_post(request)

    def _begin_elsewhere(self, request: Request) -> Turn | None:
        """The other APIs on the same port."""
        if request.route in EXTENSION_ROUTES:
            return self.extensions.begin(request)
        return self.telemetry.begin(request) if request.route in TELEMETRY_ROUTES else None

    def _begin_post(self, request: Request) -> Turn:
        given = self._given
        if given is None or given.given_up or given.invocation.request_id != request.request_id:
            return _FixedTurn(answers.json_answer(400, answers.BAD_REQUEST_ID))
        is_response = request.route is Route.RESPONSE
        try:
            if is_response:
                self._machine.response_begun()
            else:
                self._machine.error_begun()
        except RefusedError as refused:
            return _FixedTurn(_forbidden(refused))
        mode = first_value(request.headers, MODE_HEADER) if is_response else None
        if mode is not None and mode != "streaming":
            # The RIE stays in InvocationResponse after this (ST-01): there is no way back but a restart.
            return _FixedTurn(answers.json_answer(400, answers.BAD_MODE))
        return _PostTurn(self, given, is_response=is_response, streaming=mode is not None)

    async def next_invocation(self, request: Request, entry: Entry) -> tuple[_Given | None, Answer]:
        """Wait for an invocation for this GET next. The state goes back when the wait is cancelled."""
        with self._recording.changing():
            self.extensions.runtime_asked()
            try:
                has_to_wait = self._machine.next_asked()
            except RefusedError as refused:
                return None, _forbidden(refused)
            if has_to_wait:
                waiter = _Waiter(request.peer_is_there)
                self._waiters.append(waiter)
                self._dispatch()
        given: _Given | None
        if has_to_wait:
            try:
                given = await waiter.future
            finally:
                with self._recording.changing():
                    self._leave(waiter)
        else:
            given = self._given
        if given is None:
            return None, answers.hang_up("environment restarted while this GET next waited")
        entry.gave_out(given.invocation.request_id)
        return given, given.delivery.answer(given.invocation)

    def take_post(
        self, given: _Given, *, is_response: bool, streaming: bool, entry: Entry
    ) -> OutcomeKind | None:
        """The whole POST came. None: it is too late, nobody wants it any more."""
        with self._recording.changing():
            if self._given is not given or given.given_up:
                return None
            if entry.body_length > answers.response_limit(streaming=streaming):
                if is_response:
                    self._machine.answer_taken()
                return OutcomeKind.TOO_LARGE
            self._machine.answer_taken()
            return OutcomeKind.RESPONSE if is_response else OutcomeKind.ERROR

    def publish(self, given: _Given, kind: OutcomeKind, body: bytes, entry: Entry) -> None:
        """The outcome is known: tell who waits for it."""
        with self._recording.changing():
            self._outcomes.setdefault(given.invocation.request_id, (kind, body, entry))

    def take_init_error(self, entry: Entry) -> Answer:
        """POST init/error came."""
        with self._recording.changing():
            try:
                self._machine.init_failed()
            except RefusedError as refused:
                return _forbidden(refused)
            self._init_error = entry
            return answers.json_answer(202, answers.ACCEPTED)

    def was_written(self, given: _Given) -> None:
        """The event is out on the wire."""
        with self._recording.changing():
            given.written = True

    def _dispatch(self) -> None:
        """Give the first queued invocation to all who wait: they get the same one, as from the RIE."""
        for waiter in [waiter for waiter in self._waiters if not waiter.peer_is_there()]:
            self._leave(waiter)
        if not self._queue or not self._waiters or not self.extensions.are_ready:
            return
        self._given = _Given(*self._queue.popleft())
        self._machine.event_given()
        self.extensions.event_given(self._given.invocation)
        for waiter in self._waiters:
            _resolve(waiter, self._given)
        self._waiters.clear()

    def _extension_ready(self) -> None:
        """An extension asked for its next event: what was kept back for it may go out."""
        with self._recording.changing():
            self._dispatch()

    def _leave(self, waiter: _Waiter) -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)
            if not self._waiters:
                self._machine.next_abandoned()


def _resolve(waiter: _Waiter, given: _Given | None) -> None:
    if not waiter.future.done():  # it is when the connection went in this very moment
        waiter.future.set_result(given)


def _forbidden(refused: RefusedError) -> Answer:
    return answers.json_answer(403, answers.forbidden_body(refused.source, refused.target))


class _FixedTurn:
    """The answer is known since the head."""

    request_cut: RequestCut | None = None
    request_pace: RequestPace | None = None

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def answer(self, entry: Entry) -> Answer:
        del entry
        return self._answer

    def settle(self, *, written: bool) -> None:
        """Nobody waits for it."""


class _NextTurn:
    """GET next."""

    request_cut: RequestCut | None = None
    request_pace: RequestPace | None = None

    def __init__(self, api: RuntimeApi, request: Request) -> None:
        self._api = api
        self._request = request
        self._given: _Given | None = None

    async def answer(self, entry: Entry) -> Answer:
        self._given, answer = await self._api.next_invocation(self._request, entry)
        return answer

    def settle(self, *, written: bool) -> None:
        if written and self._given is not None:
            self._api.was_written(self._given)


class _InitErrorTurn:
    """POST init/error."""

    request_cut: RequestCut | None = None
    request_pace: RequestPace | None = None

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api

    async def answer(self, entry: Entry) -> Answer:
        return self._api.take_init_error(entry)

    def settle(self, *, written: bool) -> None:
        """Known since the answer was chosen."""


class _PostTurn:
    """POST response or error of the invocation that is out. Without its body the state stays (RI-08)."""

    request_cut: RequestCut | None = None
    request_pace: RequestPace | None = None

    def __init__(self, api: RuntimeApi, given: _Given, *, is_response: bool, streaming: bool) -> None:
        self._api = api
        self._given = given
        self._is_response = is_response
        self._streaming = streaming
        self._taken: tuple[OutcomeKind, bytes, Entry] | None = None

    async def answer(self, entry: Entry) -> Answer:
        kind = self._api.take_post(
            self._given, is_response=self._is_response, streaming=self._streaming, entry=entry
        )
        if kind is None:
            return answers.json_answer(400, answers.BAD_REQUEST_ID)
        if kind is not OutcomeKind.TOO_LARGE:
            self._taken = (kind, entry.body(), entry)
            return answers.json_answer(202, answers.ACCEPTED)
        if not self._is_response:
            return answers.hang_up("error body above the limit: connection closed without an answer")
        limit = answers.response_limit(streaming=self._streaming)
        self._taken = (kind, answers.caller_sees_too_large(entry.body_length, limit), entry)
        return answers.json_answer(413, answers.too_large_body(limit))

    def settle(self, *, written: bool) -> None:
        del written  # the service has the answer, whether the runtime heard so or not
        if self._taken is not None:
            kind, body, entry = self._taken
            self._api.publish(self._given, kind, body, entry)


class _ScriptedTurn:
    """A canned answer, with the real turn behind it when the request is to have its effect."""

    def __init__(self, reply: Reply, inner: Turn | None) -> None:
        self._reply = reply
        self._inner = inner
        self.request_cut = reply.request_cut
        self.request_pace = reply.request_pace

    async def answer(self, entry: Entry) -> Answer:
        return self._reply.answer(None if self._inner is None else await self._inner.answer(entry))

    def settle(self, *, written: bool) -> None:
        if self._inner is not None:
            self._inner.settle(written=written)
