"""When a run stops waiting for a runtime that does not work at all."""

from __future__ import annotations

from runtimebuilder.conformance.patience import Patience


def test_two_starts_in_a_row_without_next_make_the_wait_short() -> None:
    patience = Patience()
    waits = []
    for ready in (False, False, True, False):
        patience.learn_start(ready=ready)
        waits.append(patience.seconds)
    assert waits == [10.0, 3.0, 10.0, 10.0]


def test_three_starts_and_never_next_are_enough() -> None:
    patience = Patience()
    told = []
    for _ in range(3):
        patience.learn_start(ready=False)
        told.append(patience.hopeless)
    assert told == [None, None, "the runtime never asked for an event"]


def test_one_start_that_came_to_next_leaves_hope() -> None:
    patience = Patience()
    for ready in (False, False, True, False, False, False):
        patience.learn_start(ready=ready)
    assert patience.hopeless is None


def test_three_events_and_never_an_answer_are_enough() -> None:
    patience = Patience()
    patience.learn_start(ready=True)
    told = []
    for _ in range(3):
        patience.learn_answer(came=False)
        told.append(patience.hopeless)
    assert told == [None, None, "the runtime never answered an event"]


def test_one_answer_leaves_hope() -> None:
    patience = Patience()
    patience.learn_start(ready=True)
    for came in (False, False, True, False, False, False):
        patience.learn_answer(came=came)
    assert patience.hopeless is None


def test_an_image_that_cannot_be_started_three_times_is_enough() -> None:
    patience = Patience()
    for _ in range(3):
        patience.learn_refused()
    assert patience.hopeless == "the image could not be started"
