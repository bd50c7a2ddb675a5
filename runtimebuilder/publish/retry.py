"""Trying again what may be better in a moment: bounded, slower each time, and each time said."""

from __future__ import annotations

import datetime as dt
import email.utils
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

Result = TypeVar("Result")

ATTEMPTS = 5
_FIRST = 0.5  # seconds before the second attempt, doubled with each
_LONGEST = 20.0  # seconds; more only when the registry asks for more
_PATIENCE = 120.0  # seconds that a registry may ask for: beyond, it is told to people instead


class TransientError(Exception):
    """What may work when it is tried again. `after`: seconds that the other side asked for; None when it did not."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class ExhaustedError(Exception):
    """All attempts are used up; `reason` is what the last one met, `attempts` how many there were."""

    def __init__(self, reason: str, attempts: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.attempts = attempts


def _jitter() -> float:
    return secrets.randbelow(1000) / 1000


@dataclass(frozen=True)
class Retry:
    """How often, how slowly, and who is told. One for a whole command."""

    attempts: int = ATTEMPTS
    say: Callable[[str], None] = field(default=lambda _: None)
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = _jitter  # 0 to 1

    def run(self, what: str, attempt: Callable[[], Result]) -> Result:
        """What `attempt` gives, tried again after each `TransientError`. Raises `ExhaustedError` at the end."""
        for number in range(1, self.attempts + 1):
            try:
                return attempt()
            except TransientError as error:
                pause = self.pause(number, error.after)
                if number == self.attempts or pause > _PATIENCE:
                    raise ExhaustedError(error.reason, number) from error
                self.say(f"{what}: {error.reason}; again in {pause:.1f} s ({number + 1} of {self.attempts})")
                self.sleep(pause)
        raise AssertionError("a retry without an attempt")

    def pause(self, number: int, after: float | None) -> float:
        """Seconds after the attempt of that number: half to all of the back-off, never less than asked for."""
        backoff = min(_FIRST * float(2 ** (number - 1)), _LONGEST) * (0.5 + self.jitter() / 2)
        return max(backoff, after or 0.0)


def retry_after(header: str | None, now: dt.datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for: a number, or a date (RFC 9110, 10.2.3). None for anything else."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        then = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=dt.UTC)
    return max(0.0, (then - (now or dt.datetime.now(dt.UTC))).total_seconds())
