"""The Extensions API 2020-01-01 of one execution environment, answered as the RIE does (catalogue §5, §6.5).

Everything runs in the server's loop with the recording's lock held where it changes something, as in the Runtime
API, which tells this one what happens: the runtime asked for its first event, an event went out, a new process
begins. Events wait until every extension is ready for them (EX-04, EX-10).
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from runtimebuilder.emulator import answers
from runtimebuilder.emulator.answers import Answer
from runtimebuilder.emulator.exchange import Route, first_value
from runtimebuilder.emulator.extension import (
    ERROR_TYPE_HEADER,
    EVENT_HEADER,
    EXTENSION_LIMIT,
    FEATURE_HEADER,
    IDENTIFIER_HEADER,
    NAME_HEADER,
    Extension,
    ExtensionEvent,
    ExtensionRefusedError,
    ExtensionState,
    FunctionFacts,
    events_of,
    identifier_of,
    require_events,
    unknown_extension,
)
from runtimebuilder.emulator.invocation import Invocation
from runtimebuilder.emulator.recording import Entry, Recording
from runtimebuilder.emulator.routes import Request
from runtimebuilder.emulator.turn import PlainTurn

_BUSY = frozenset((ExtensionState.STARTED, ExtensionState.REGISTERED, ExtensionState.RUNNING))


_MAY_FAIL = {
    ExtensionState.INIT_ERROR: (ExtensionState.REGISTERED, ExtensionState.INIT_ERROR),
    ExtensionState.EXIT_ERROR: (
        ExtensionState.REGISTERED,
        ExtensionState.READY,
        ExtensionState.RUNNING,
        ExtensionState.EXIT_ERROR,
    ),
}


@dataclass
class _Agent:
    """An extension from the service's side. `silent`: it only stands in the books, and is always ready."""

    name: str
    is_external: bool
    silent: bool = False
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: ExtensionState = ExtensionState.STARTED
    events: tuple[ExtensionEvent, ...] = ()
    error: str | None = None
    before_ready: ExtensionState = ExtensionState.REGISTERED
    waiting: asyncio.Future[bytes | None] | None = None
    shutdown: bytes | None = None  # an event that it has to hear when it asks again

    def hear(self, event: bytes) -> None:
        """Give an event to the GET event/next that waits."""
        self.state = ExtensionState.RUNNING
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(event)


class ExtensionsApi:
    """The extensions of one execution environment. `when_ready` is called when one has become ready."""

    def __init__(self, recording: Recording, when_ready: Callable[[], None]) -> None:
        self._recording = recording
        self._when_ready = when_ready
        self.function = FunctionFacts()
        self.offered = tuple(ExtensionEvent)
        self._agents: list[_Agent] = []
        self._closed = False

    # For the facade, under the recording's lock.

    def extensions(self) -> tuple[Extension, ...]:
        """All extensions, in the order in which they came."""
        return tuple(
            Extension(one.name, one.identifier, one.is_external, one.events, one.state, one.error)
            for one in self._agents
        )

    def named(self, identifier: str) -> str | None:
        """The name of the registered extension with this identifier."""
        agent = self._by_identifier(identifier)
        return None if agent is None else agent.name

    @property
    def is_closed(self) -> bool:
        """Whether the runtime has asked for its first event: no extension may register any more (EX-03)."""
        return self._closed

    # For the facade, in the server's loop.

    def launch(self, name: str) -> None:
        """A program of /opt/extensions was started: whoever registers under its name is external.

        One that stands in the books already needs not speak.
        """
        with self._recording.changing():
            if not any(one.silent and one.name == name for one in self._agents):
                self._agents.append(_Agent(name, is_external=True))

    def add_silent(self, name: str, events: Iterable[ExtensionEvent], *, is_external: bool) -> None:
        """An extension that is registered and ready, without a process behind it that would speak."""
        with self._recording.changing():
            agent = _Agent(name, is_external, silent=True, state=ExtensionState.READY, events=tuple(events))
            self._agents.append(agent)
        self._recording.note(f"{'external' if is_external else 'internal'} extension {name} registered")

    def shut_down(self, reason: str, deadline_ms: int) -> None:
        """The environment ends: tell the external extensions that asked for it (EX-06)."""
        event = _event(ExtensionEvent.SHUTDOWN, deadline_ms, {"shutdownReason": reason})
        with self._recording.changing():
            for agent in self._agents:
                if agent.is_external and ExtensionEvent.SHUTDOWN in agent.events:
                    if agent.state is ExtensionState.READY:
                        agent.hear(event)
                    else:
                        agent.shutdown = event
        self._recording.note(f"environment shut down: {reason}")

    # For the Runtime API, with the lock held.

    @property
    def are_ready(self) -> bool:
        """No extension keeps an event back."""
        return not any(agent.state in _BUSY for agent in self._agents)

    def runtime_asked(self) -> None:
        """The runtime asked for an event."""
        self._closed = True

    def event_given(self, invocation: Invocation) -> None:
        """An event goes to the runtime: the same moment tells the extensions (EX-05)."""
        if not self._agents:
            return
        more: dict[str, object] = {
            "requestId": invocation.request_id,
            "invokedFunctionArn": invocation.function_arn,
        }
        if invocation.trace_id is not None:
            more["tracing"] = {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id}
        event = _event(ExtensionEvent.INVOKE, invocation.deadline_ms, more)
        for agent in self._agents:
            subscribed = ExtensionEvent.INVOKE in agent.events and not agent.silent
            if subscribed and agent.state is ExtensionState.READY:
                agent.hear(event)

    def restarted(self) -> None:
        """A new process begins, and with it all extensions, which have to register again."""
        for agent in self._agents:
            if agent.waiting is not None and not agent.waiting.done():
                agent.waiting.set_result(None)
        self._agents.clear()
        self._closed = False

    # For connections, in the server's loop.

    def begin(self, request: Request) -> PlainTurn:
        """The head of a request on one of this API's routes came, with the right method."""
        return PlainTurn(lambda entry: self.answer(request, entry))

    async def answer(self, request: Request, entry: Entry) -> Answer:
        """The whole request came."""
        try:
            if request.route is Route.EXTENSION_REGISTER:
                with self._recording.changing():
                    return self._register(request, entry.body())
            identifier = identifier_of(request)
            if request.route is Route.EXTENSION_NEXT:
                return await self._next(identifier)
            with self._recording.changing():
                return self._failed(request, identifier)
        except ExtensionRefusedError as refused:
            return refused.answer

    def _register(self, request: Request, body: bytes) -> Answer:
        name = first_value(request.headers, NAME_HEADER) or ""
        if not name:
            raise ExtensionRefusedError("Extension.InvalidExtensionName", "Empty extension name")
        try:
            wanted = events_of(body)
        except ValueError as problem:
            raise ExtensionRefusedError("InvalidRequestFormat", str(problem)) from problem
        agent = next((one for one in self._agents if one.is_external and one.name == name), None)
        require_events(wanted, is_external=agent is not None, offered=self.offered)
        if agent is None:
            agent = self._internal(name)
        elif agent.state is not ExtensionState.STARTED:
            raise _transition(agent.state, ExtensionState.REGISTERED, agent.name)
        agent.events = tuple(ExtensionEvent(event) for event in wanted)
        agent.state = ExtensionState.REGISTERED
        features = (first_value(request.headers, FEATURE_HEADER) or "").split(",")
        told = {"accountId": self.function.account} if "accountId" in map(str.strip, features) else {}
        told |= {
            "functionName": self.function.name,
            "functionVersion": self.function.version,
            "handler": self.function.handler,
        }
        return Answer(200, (answers.JSON_TYPE, (IDENTIFIER_HEADER, agent.identifier)), answers.go_json(told))

    def _internal(self, name: str) -> _Agent:
        if self._closed:
            kind, message = "Extension.RegistrationClosed", "Extension registration closed already"
        elif len(self._agents) >= EXTENSION_LIMIT:
            kind, message = "Extension.TooManyExtensions", f"Extension limit ({EXTENSION_LIMIT}) reached"
        elif any(one.name == name for one in self._agents):
            kind, message = "Extension.InvalidExtensionState", "Extension with this name already registered"
        else:
            kind = message = ""
        if kind:
            raise ExtensionRefusedError(kind, message)
        agent = _Agent(name, is_external=False)
        self._agents.append(agent)
        return agent

    async def _next(self, identifier: str) -> Answer:
        with self._recording.changing():
            agent = self._by_identifier(identifier)
            if agent is None:
                raise unknown_extension(identifier)
            if agent.state not in (ExtensionState.REGISTERED, ExtensionState.RUNNING):
                raise _transition(agent.state, ExtensionState.READY, identifier)
            agent.before_ready, agent.state = agent.state, ExtensionState.READY
            agent.waiting = waiting = asyncio.get_running_loop().create_future()
            if agent.shutdown is not None:
                agent.hear(agent.shutdown)
        self._when_ready()
        try:
            event = await waiting
        finally:
            with self._recording.changing():
                agent.waiting = None
                if agent.state is ExtensionState.READY:  # its connection went: it does not wait any more
                    agent.state = agent.before_ready
        if event is None:
            return answers.hang_up("environment restarted while this extension waited")
        headers = (answers.JSON_TYPE, (EVENT_HEADER, str(uuid.uuid4())))
        return Answer(200, headers, event)

    def _failed(self, request: Request, identifier: str) -> Answer:
        """POST init/error or exit/error."""
        error = first_value(request.headers, ERROR_TYPE_HEADER)
        if not error:
            raise ExtensionRefusedError("Extension.MissingHeader", f"{ERROR_TYPE_HEADER} not found")
        agent = self._by_identifier(identifier)
        if agent is None:
            message = f"Unknown {IDENTIFIER_HEADER}"
            raise ExtensionRefusedError("Extension.UnknownExtensionIdentifier", message)
        if request.route is Route.EXTENSION_INIT_ERROR:
            target, told = ExtensionState.INIT_ERROR, "InitError"
        else:
            target, told = ExtensionState.EXIT_ERROR, "Exited"  # the RIE's refusal says so
        if agent.state not in _MAY_FAIL[target]:
            raise _transition(agent.state, told, identifier)
        if agent.state is not target:
            agent.state, agent.error = target, error
        return answers.json_answer(202, answers.ACCEPTED)

    def _by_identifier(self, identifier: str) -> _Agent | None:
        return next(
            (
                one
                for one in self._agents
                if one.identifier == identifier and one.state is not ExtensionState.STARTED
            ),
            None,
        )


def _transition(source: str, target: str, who: str) -> ExtensionRefusedError:
    message = f"State transition from {source} to {target} failed for extension {who}. "
    why = "Error: State transition is not allowed"
    return ExtensionRefusedError("Extension.InvalidExtensionState", message + why)


def _event(kind: ExtensionEvent, deadline_ms: int, more: Mapping[str, object]) -> bytes:
    document = {"eventType": str(kind), "deadlineMs": deadline_ms, **more}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
