"""How a case says that a requirement is not met, or that it cannot tell."""

from __future__ import annotations

from typing import NoReturn

import pytest


class NotConforming(AssertionError):  # noqa: N818 - a verdict about the subject, not an error of the suite
    """The subject does not do what the case requires: what was expected, what was seen."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(f"expected {expected}\n    seen {seen}")
        self.expected = expected
        self.seen = seen


class CaseBroken(RuntimeError):  # noqa: N818 - likewise
    """The suite could not do its own part, so nothing is known about the subject."""


def require(holds: object, *, expected: str, seen: str) -> None:
    """Go on when `holds` is true; otherwise the case fails with these two texts."""
    if not holds:
        raise NotConforming(expected, seen)


def fail(*, expected: str, seen: str) -> NoReturn:
    """The case fails with these two texts."""
    raise NotConforming(expected, seen)


def unsupported(reason: str) -> NoReturn:
    """This subject or its probe has no such feature: the case says nothing about it."""
    pytest.skip(reason)


def shown(value: object, limit: int = 120) -> str:
    """A value for a report: one line, quoted as Python does, bytes as text, shortened in the middle."""
    text = repr(value.decode(errors="backslashreplace") if isinstance(value, bytes) else value)
    if len(text) <= limit:
        return text
    half = (limit - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"
