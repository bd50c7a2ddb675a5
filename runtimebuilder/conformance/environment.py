"""One execution environment as a case sees it: a box with the probe in it, emulator, the probe's codec."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from runtimebuilder.conformance.diagnosis import never_ran
from runtimebuilder.conformance.expectation import fail, require, shown, unsupported
from runtimebuilder.conformance.patience import Patience
from runtimebuilder.conformance.probes.codec import Codec, NotDecodableError
from runtimebuilder.emulator.exchange import Exchange, Route
from runtimebuilder.emulator.faults import Delivery
from runtimebuilder.emulator.invocation import Invocation, Outcome, OutcomeKind
from runtimebuilder.emulator.server import Emulator
from runtimebuilder.emulator.transcript import write_transcript
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.outcome import Exit, InvokeResult

ANSWER_LIMIT = 5.0
"""Seconds in which a runtime that is ready has to answer a command that takes no time of its own."""

DEADLINE = 30.0
"""Seconds to the deadline of invokes where the deadline is not the point."""

PROMPTLY = 3.0
"""Seconds in which a process that has to end promptly has to be gone."""

_LOG_LAG = 2.0  # seconds until what a process wrote is surely in the engine's log
_LOG_ROOM = 1024 * 1024  # characters of log with which an environment may go on: more is forgotten some day
_POLL = 0.1  # seconds between two looks at the process while waiting for the wire


class Headers(TypedDict, total=False):
    """What the service may say about an invoke, as `Invocation.of` takes it; None sends no header."""

    request_id: str
    function_arn: str
    trace_id: str | None
    client_context: str | None
    cognito_identity: str | None
    tenant_id: str | None
    content_type: str | None


@dataclass(frozen=True, slots=True)
class Command:
    """A command to the probe, as JSON text."""

    text: str


def do(name: str, **fields: object) -> Command:
    """The command `name` of the probe contract (docs/probe-contract.md)."""
    return Command(json.dumps({"do": name, **fields}, ensure_ascii=False, separators=(",", ":")))


class Environment:
    """A box, from the side of a case.

    Waiting always ends: after a limit, or soon after the process has ended. What a method requires of the
    subject and does not get fails the case (`NotConforming`).
    """

    def __init__(
        self, box: Box, codec: Codec, patience: Patience, why_not_started: Callable[[], str | None]
    ) -> None:
        self.box = box
        self._codec = codec
        self._patience = patience
        self._why_not_started = why_not_started
        self._before: frozenset[int] = frozenset()
        self._since = 0.0
        self._logged = 0

    @property
    def api(self) -> Emulator:
        """Lambda's side of the wire."""
        return self.box.emulator

    # -- the process -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the runtime's process."""
        self.box.start()

    def ready(self) -> None:
        """Require that the runtime waits in GET next soon after its start."""
        limit = self._patience.seconds
        came = self._wait(self.api.wait_ready, limit)
        self._patience.learn_start(ready=came)
        ended = None if came else self.box.wait_exit(0.0)
        if ended is not None and ended.start_error is not None:
            self._patience.learn_refused()
        if not came:
            why = self._why_not_started() if ended is not None and never_ran(ended, self.log()) else None
            seen = f"{self._state_of_process()}: {why}" if why else self._state_of_process()
            fail(expected=f"GET next within {limit:g} s of the start", seen=seen)

    def started_and_ready(self) -> Environment:
        """Start, and require GET next."""
        self.start()
        self.ready()
        return self

    def exit_within(self, seconds: float, *, after: str) -> Exit:
        """Require that the process ends; `after` says what should have ended it."""
        found = self.box.wait_exit(seconds)
        if found is None:
            fail(expected=f"the process ends within {seconds:g} s of {after}", seen="it is still running")
        return found

    # -- invokes ---------------------------------------------------------------------------------------------

    def send(
        self,
        command: Command | None = None,
        *,
        event: bytes | None = None,
        delivery: Delivery | None = None,
        timeout: float = DEADLINE,
        **headers: Unpack[Headers],
    ) -> Invocation:
        """Hand out one invocation: a command in the probe's form, or the bytes of `event` as they are."""
        if event is None:
            if command is None:
                raise TypeError("send() takes a command or an event")
            event = self._codec.event(command.text)
        invocation = Invocation.of(event, timeout=timeout, **headers)
        self.api.queue(invocation, delivery)
        return invocation

    def outcome(self, invocation: Invocation, within: float = ANSWER_LIMIT) -> Outcome:
        """Require that the runtime posts something for this invocation."""
        found: Outcome | None = None

        def look(wait: float) -> bool:
            nonlocal found
            found = self.api.wait_outcome(invocation.request_id, wait)
            return found is not None

        self._wait(look, within)
        self._patience.learn_answer(came=found is not None)
        if found is None:
            fail(
                expected=f"an answer to {shown(invocation.event, 60)} within {within:g} s",
                seen=f"none; {self._state_of_process()}",
            )
        return found

    def result_text(self, invocation: Invocation, within: float = ANSWER_LIMIT) -> str:
        """Require a response to this invocation; the JSON text of the handler's result."""
        outcome = self.outcome(invocation, within)
        asked = shown(invocation.event, 60)
        require(
            outcome.kind is OutcomeKind.RESPONSE,
            expected=f"a response to {asked}",
            seen=f"{outcome.kind}: {shown(outcome.body)}",
        )
        try:
            return self._codec.result(outcome.body)
        except NotDecodableError as problem:
            fail(expected=f"a response to {asked} that holds the handler's result", seen=str(problem))

    def value(self, invocation: Invocation, within: float = ANSWER_LIMIT) -> Any:
        """Require a response to this invocation; the handler's result."""
        text = self.result_text(invocation, within)
        try:
            value = json.loads(text)
        except ValueError:
            fail(expected="a result that is JSON", seen=shown(text))
        if value == {"unsupported": True}:
            unsupported("the probe does not know this command")
        return value

    def ask(
        self,
        command: Command,
        *,
        within: float = ANSWER_LIMIT,
        delivery: Delivery | None = None,
        timeout: float = DEADLINE,
        **headers: Unpack[Headers],
    ) -> Any:
        """Send a command and require its result."""
        return self.value(self.send(command, delivery=delivery, timeout=timeout, **headers), within)

    def require_echo(self, value: object, *, within: float = ANSWER_LIMIT, because: str = "") -> None:
        """Require that a value comes back as it went in."""
        answer = self.ask(do("echo", value=value), within=within)
        expected = f"{shown(value)} echoed" + (f" {because}" if because else "")
        require(answer == value, expected=expected, seen=shown(answer))

    def invoke(self, command: Command, *, timeout: float) -> InvokeResult:
        """Invoke as the service does: start a process where none runs, kill it at the deadline (seconds)."""
        return self.box.invoke(self._codec.event(command.text), timeout=timeout)

    def event_of(self, command: Command) -> bytes:
        """The event that carries this command in the probe's form."""
        return self._codec.event(command.text)

    # -- the wire --------------------------------------------------------------------------------------------

    def exchanges(self, *routes: Route) -> tuple[Exchange, ...]:
        """Exchanges of this case: those that began or were still open when it did."""
        return tuple(one for one in self.api.recording.exchanges(*routes) if one.number not in self._before)

    def posts(self, route: Route, request_id: str) -> tuple[Exchange, ...]:
        """The POSTs on `route` that name this request id in their path."""
        return tuple(one for one in self.exchanges(route) if one.request_id == request_id)

    def wait_for(self, condition: Callable[[tuple[Exchange, ...]], bool], within: float) -> bool:
        """Wait until this holds for the case's exchanges; False at the limit or when the process ended."""

        def look(wait: float) -> bool:
            return self.api.recording.wait_for(
                lambda found: condition(tuple(one for one in found if one.number not in self._before)), wait
            )

        return self._wait(look, within)

    def wait_for_next(self, after: int, within: float = ANSWER_LIMIT) -> bool:
        """Wait for a GET next that is newer than the exchange of this number."""
        return self.wait_for(
            lambda found: any(one.route is Route.NEXT and one.number > after for one in found), within
        )

    def require_next(self, after: int, *, when: str, within: float = ANSWER_LIMIT) -> None:
        """Require a GET next that is newer than the exchange of this number."""
        if not self.wait_for_next(after, within):
            fail(
                expected=f"GET next within {within:g} s of {when}",
                seen=f"none; {self._state_of_process()}",
            )

    def goes_on_or_exits(self, after: int, *, when: str, within: float = ANSWER_LIMIT) -> Exit | None:
        """Require another GET next (the result is None) or a failing exit (the result)."""
        if self.wait_for_next(after, within):
            return None
        found = self.box.wait_exit(0.2)
        if found is None:
            fail(expected=f"GET next or a failing exit after {when}", seen=f"neither within {within:g} s")
        require(
            not found.is_success,
            expected=f"GET next or a failing exit after {when}",
            seen=found.describe(),
        )
        return found

    def require_same_process(self, *, because: str) -> None:
        """Require that the process lives and answers another event."""
        require(self.box.is_running(), expected=f"the process goes on {because}", seen="it ended")
        self.require_echo("goes on", because=because)

    # -- evidence --------------------------------------------------------------------------------------------

    def begin_case(self) -> None:
        """From here on, only what begins now or is still open belongs to the running case."""
        found = self.api.recording.exchanges()
        self._before = frozenset(one.number for one in found if one.answered is not None)
        self._since = self.api.recording.clock()
        self._logged = len(self.box.logs())

    def transcript(self, *, body_limit: int = 200) -> str:
        """The wire log of the running case."""
        notes = tuple(note for note in self.api.recording.notes() if note.time >= self._since)
        wire = write_transcript(self.exchanges(), notes, body_limit=body_limit)
        ended = self.box.wait_exit(0)
        return f"{wire}\n· {_end_of(ended)}" if ended else wire

    def log(self) -> str:
        """What the box printed during the running case, as far as it has come."""
        return self.box.logs()[self._logged :]

    def logs_in_time(self, text: str) -> bool:
        """Whether this text comes up in the log of the running case; a log lags a little behind the wire."""
        end = time.monotonic() + _LOG_LAG
        while text not in self.log():
            if time.monotonic() > end:
                return False
            time.sleep(_POLL)
        return True

    def is_clean(self) -> bool:
        """Whether the next case may use this environment: the process runs and waits for an event."""
        return self._logged < _LOG_ROOM and self.box.is_running() and self.api.wait_ready(1.0)

    def _wait(self, look: Callable[[float], bool], within: float) -> bool:
        end = time.monotonic() + within
        while True:
            left = end - time.monotonic()
            if look(max(0.0, min(_POLL, left))):
                return True
            if left <= 0:
                return False
            if not self.box.is_running():
                return look(_POLL)  # what it sent with its last breath

    def _state_of_process(self) -> str:
        found = self.box.wait_exit(0.0)
        if found is None:
            waiting = any(one.answered is None for one in self.exchanges(Route.NEXT))
            return "the process runs" + (" and waits in GET next" if waiting else "")
        return _end_of(found)


def _end_of(found: Exit) -> str:
    words = found.describe()
    return f"the process {words}" if found.start_error is not None else f"the process ended with {words}"


def context_field(value: Any, name: str) -> Any:
    """A field of the probe's context: unsupported when it is not told, required to have a value."""
    if not isinstance(value, dict) or name not in value:
        unsupported(f"the probe does not report {name}")
    if value[name] is None:
        fail(expected=f"{name} visible to the handler", seen="null")
    return value[name]
