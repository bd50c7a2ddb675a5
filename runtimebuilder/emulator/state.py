"""The states of an execution environment and which request may move it where (catalogue §6.2). No I/O."""

from __future__ import annotations

import enum


class State(enum.StrEnum):
    """States under the names that the answers of the Runtime API carry."""

    STARTED = "Started"
    INIT_ERROR = "InitError"
    READY = "Ready"
    RUNNING = "Running"
    RESTORE_READY = "RestoreReady"
    RESTORING = "Restoring"
    RESPONDING = "InvocationResponse"
    REPORTING = "InvocationErrorResponse"
    ANSWERED = "RuntimeResponseSentState"
    RESTORE_ERROR = "RuntimeRestoreErrorState"


class RefusedError(Exception):
    """The request would move the environment where it may not go: 403 with both names."""

    def __init__(self, source: State, target: State) -> None:
        super().__init__(f"{source} -> {target}")
        self.source = source
        self.target = target


class StateMachine:
    """Where the environment is. Methods are named for what happened; requests raise RefusedError."""

    def __init__(self) -> None:
        self._state = State.STARTED
        self._before_ready = State.STARTED

    @property
    def state(self) -> State:
        """Where the environment is."""
        return self._state

    def next_asked(self) -> bool:
        """GET next. True: it has to wait. False: an event is out already and is given once more."""
        if self._state is State.RUNNING:
            return False
        if self._state in (State.STARTED, State.RESTORING, State.ANSWERED):
            self._before_ready = self._state
            self._state = State.READY
        elif self._state is not State.READY:
            raise RefusedError(self._state, State.READY)
        return True

    def next_abandoned(self) -> None:
        """The last waiting GET next lost its connection: what was before it holds again.

        The RIE stays in Ready here. The difference hardly shows through the API, and `Ready` should mean that
        somebody waits.
        """
        if self._state is State.READY:
            self._state = self._before_ready

    def event_given(self) -> None:
        """An event went to the waiting GET next."""
        if self._state is not State.READY:
            raise RuntimeError(f"no GET next waits: {self._state}")
        self._state = State.RUNNING

    def response_begun(self) -> None:
        """The head of POST response came."""
        self._answer_begun(State.RESPONDING)

    def error_begun(self) -> None:
        """The head of POST error came."""
        self._answer_begun(State.REPORTING)

    def answer_taken(self) -> None:
        """The whole answer was taken, or refused for its size."""
        if self._state not in (State.RESPONDING, State.REPORTING):
            raise RuntimeError(f"no answer is being taken: {self._state}")
        self._state = State.ANSWERED

    def init_failed(self) -> None:
        """POST init/error."""
        if self._state is not State.STARTED:
            raise RefusedError(self._state, State.INIT_ERROR)
        self._state = State.INIT_ERROR

    def restore_asked(self) -> None:
        """GET restore/next: the snapshot may be taken."""
        if self._state is not State.STARTED:
            raise RefusedError(self._state, State.RESTORE_READY)
        self._state = State.RESTORE_READY

    def restore_abandoned(self) -> None:
        """The waiting GET restore/next lost its connection."""
        if self._state is State.RESTORE_READY:
            self._state = State.STARTED

    def restored(self) -> None:
        """The environment came back from its snapshot."""
        if self._state is not State.RESTORE_READY:
            raise RuntimeError(f"no GET restore/next waits: {self._state}")
        self._state = State.RESTORING

    def restore_failed(self) -> None:
        """POST restore/error."""
        if self._state is not State.RESTORING:
            raise RefusedError(self._state, State.RESTORE_ERROR)
        self._state = State.RESTORE_ERROR

    def invocation_given_up(self) -> None:
        """The deadline of the event that is out has passed: whoever lives on may ask for the next one."""
        if self._state in (State.RUNNING, State.RESPONDING, State.REPORTING):
            self._state = State.ANSWERED

    def restarted(self) -> None:
        """A new process begins."""
        self._state = self._before_ready = State.STARTED

    def _answer_begun(self, target: State) -> None:
        if self._state is not State.RUNNING:
            raise RefusedError(self._state, target)
        self._state = target
