"""The transition table of catalogue §6.2, row by row."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtimebuilder.emulator.state import RefusedError, State, StateMachine


def started() -> StateMachine:
    return StateMachine()


def init_error() -> StateMachine:
    machine = StateMachine()
    machine.init_failed()
    return machine


def ready() -> StateMachine:
    machine = StateMachine()
    machine.next_asked()
    return machine


def running() -> StateMachine:
    machine = ready()
    machine.event_given()
    return machine


def responding() -> StateMachine:
    machine = running()
    machine.response_begun()
    return machine


def reporting() -> StateMachine:
    machine = running()
    machine.error_begun()
    return machine


def answered() -> StateMachine:
    machine = responding()
    machine.answer_taken()
    return machine


Make = Callable[[], StateMachine]
Request = Callable[[StateMachine], object]

NEXT = StateMachine.next_asked
RESPONSE = StateMachine.response_begun
ERROR = StateMachine.error_begun
INIT_ERROR = StateMachine.init_failed


@pytest.mark.parametrize(
    ("make", "ask", "target"),
    [
        (started, NEXT, State.READY),
        (started, INIT_ERROR, State.INIT_ERROR),
        (ready, NEXT, State.READY),
        (running, NEXT, State.RUNNING),
        (running, RESPONSE, State.RESPONDING),
        (running, ERROR, State.REPORTING),
        (answered, NEXT, State.READY),
    ],
)
def test_allowed_requests_move_the_state(make: Make, ask: Request, target: State) -> None:
    machine = make()
    ask(machine)
    assert machine.state is target


@pytest.mark.parametrize(
    ("make", "ask", "source", "target"),
    [
        (started, RESPONSE, "Started", "InvocationResponse"),
        (started, ERROR, "Started", "InvocationErrorResponse"),
        (init_error, NEXT, "InitError", "Ready"),
        (init_error, INIT_ERROR, "InitError", "InitError"),
        (ready, INIT_ERROR, "Ready", "InitError"),
        (ready, RESPONSE, "Ready", "InvocationResponse"),
        (running, INIT_ERROR, "Running", "InitError"),
        (responding, NEXT, "InvocationResponse", "Ready"),
        (responding, RESPONSE, "InvocationResponse", "InvocationResponse"),
        (responding, ERROR, "InvocationResponse", "InvocationErrorResponse"),
        (reporting, NEXT, "InvocationErrorResponse", "Ready"),
        (reporting, RESPONSE, "InvocationErrorResponse", "InvocationResponse"),
        (answered, RESPONSE, "RuntimeResponseSentState", "InvocationResponse"),
        (answered, ERROR, "RuntimeResponseSentState", "InvocationErrorResponse"),
        (answered, INIT_ERROR, "RuntimeResponseSentState", "InitError"),
    ],
)
def test_refused_requests_name_both_states_and_move_nothing(
    make: Make, ask: Request, source: str, target: str
) -> None:
    machine = make()
    with pytest.raises(RefusedError) as refused:
        ask(machine)
    assert (refused.value.source, refused.value.target) == (source, target)
    assert machine.state == source


def test_next_waits_unless_an_event_is_out() -> None:
    assert started().next_asked() is True
    assert ready().next_asked() is True
    assert answered().next_asked() is True
    assert running().next_asked() is False


@pytest.mark.parametrize(("make", "before"), [(started, State.STARTED), (answered, State.ANSWERED)])
def test_an_abandoned_next_leads_back_to_where_it_came_from(make: Make, before: State) -> None:
    machine = make()
    machine.next_asked()
    machine.next_abandoned()
    assert machine.state is before


def test_abandoning_a_next_that_has_its_event_changes_nothing() -> None:
    machine = running()
    machine.next_abandoned()
    assert machine.state is State.RUNNING


@pytest.mark.parametrize("make", [running, responding, reporting])
def test_giving_up_an_invocation_lets_the_runtime_ask_for_the_next(make: Make) -> None:
    machine = make()
    machine.invocation_given_up()
    assert machine.next_asked() is True


@pytest.mark.parametrize("make", [init_error, ready, running, responding, reporting, answered])
def test_a_restart_begins_from_the_start(make: Make) -> None:
    machine = make()
    machine.restarted()
    assert machine.state is State.STARTED
    machine.next_asked()
    machine.next_abandoned()
    assert machine.state is State.STARTED


def test_moves_that_the_emulator_must_never_make_are_its_own_defects() -> None:
    with pytest.raises(RuntimeError, match="no GET next waits: Started"):
        started().event_given()
    with pytest.raises(RuntimeError, match="no answer is being taken: Running"):
        running().answer_taken()
