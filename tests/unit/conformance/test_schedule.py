"""Which worker gets which case."""

from __future__ import annotations

from runtimebuilder.conformance.case import Level
from runtimebuilder.conformance.schedule import Queue, Schedule
from tests.unit.conformance.reports import make_case


def queue(number: int) -> Queue:
    return Queue(make_case(f"RT-{one:03}-x", Level.MUST) for one in range(number))


def test_cases_are_handed_out_in_their_order_and_once() -> None:
    one = queue(3)
    schedule = Schedule([one])
    taken = [schedule.take(one) for _ in range(4)]
    assert [(case[0].number, case[1]) if case else None for case in taken] == [
        ("RT-000", 2),
        ("RT-001", 1),
        ("RT-002", 0),
        None,
    ]


def test_workers_go_to_the_first_image_that_has_cases_for_one_more() -> None:
    first, second = queue(2), queue(1)
    schedule = Schedule([first, second])
    assert [schedule.join() for _ in range(4)] == [first, first, second, None]


def test_the_last_who_leaves_an_image_without_cases_ends_it() -> None:
    one = queue(2)
    schedule = Schedule([one])
    schedule.join()
    schedule.join()
    schedule.take(one)
    schedule.take(one)
    assert schedule.leave(one) is False
    assert schedule.leave(one) is True


def test_a_worker_that_leaves_cases_behind_does_not_end_the_image() -> None:
    one = queue(2)
    schedule = Schedule([one])
    schedule.join()
    schedule.take(one)
    assert schedule.leave(one) is False
    assert schedule.join() is one


def test_after_a_stop_nothing_is_taken_and_nothing_ends() -> None:
    one = queue(1)
    schedule = Schedule([one])
    schedule.join()
    schedule.stop()
    assert schedule.take(one) is None
    assert schedule.leave(one) is False
    assert schedule.join() is None


def test_an_image_that_is_abandoned_ends() -> None:
    one = queue(5)
    schedule = Schedule([one])
    schedule.join()
    schedule.abandon(one)
    assert schedule.take(one) is None
    assert schedule.leave(one) is True
