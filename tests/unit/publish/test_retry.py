"""How often, how slowly, and that each time is said."""

from __future__ import annotations

import datetime as dt

import pytest

from runtimebuilder.publish.retry import ExhaustedError, Retry, TransientError, retry_after


class Flaky:
    def __init__(self, failures: int, after: float | None = None) -> None:
        self.left = failures
        self.after = after
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise TransientError("it is busy", self.after)
        return "done"


def make(attempts: int) -> tuple[Retry, list[str], list[float]]:
    said: list[str] = []
    slept: list[float] = []
    return Retry(attempts, said.append, slept.append, jitter=lambda: 1.0), said, slept


def test_what_passes_is_waited_out_slower_each_time() -> None:
    retry, said, slept = make(5)
    assert retry.run("writing", Flaky(3)) == "done"
    assert slept == [0.5, 1.0, 2.0]
    assert said[0] == "writing: it is busy; again in 0.5 s (2 of 5)"
    assert len(said) == 3


def test_it_ends() -> None:
    retry, _, slept = make(3)
    flaky = Flaky(100)
    with pytest.raises(ExhaustedError) as caught:
        retry.run("writing", flaky)
    assert (flaky.calls, len(slept), caught.value.attempts) == (3, 2, 3)


def test_the_other_side_is_given_the_time_that_it_asks_for() -> None:
    retry, _, slept = make(3)
    retry.run("writing", Flaky(1, after=7))
    assert slept == [7.0]


def test_nobody_waits_for_an_hour() -> None:
    retry, _, slept = make(3)
    with pytest.raises(ExhaustedError):
        retry.run("writing", Flaky(1, after=3600))
    assert slept == []


def test_two_of_a_kind_do_not_come_back_together() -> None:
    early, late = Retry(jitter=lambda: 0.0), Retry(jitter=lambda: 1.0)
    assert early.pause(3, None) == 1.0
    assert late.pause(3, None) == 2.0
    assert late.pause(20, None) == 20.0


def test_other_errors_are_not_tried_again() -> None:
    retry, said, _ = make(5)

    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        retry.run("writing", broken)
    assert said == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        (" 3 ", 3.0),
        ("-3", None),
        ("soon", None),
        ("Fri, 27 Nov 2026 12:00:10 GMT", 10.0),
        ("Fri, 27 Nov 2026 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    now = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
    assert retry_after(header, now) == seconds
