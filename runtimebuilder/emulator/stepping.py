"""Running a coroutine at once as far as it goes without waiting; a task is made for the rest only if there is one."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class Done(Generic[_T]):
    """The coroutine had nothing to wait for: its result."""

    result: _T


class Started(Generic[_T]):
    """A coroutine that has begun and waits for something. Awaiting it goes on from there."""

    def __init__(self, coroutine: Coroutine[Any, Any, _T], waited_for: object) -> None:
        self._coroutine = coroutine
        self._waited_for = waited_for

    def __await__(self) -> Generator[Any, Any, _T]:
        waited_for = self._waited_for
        while True:
            try:
                try:
                    value = yield waited_for
                except GeneratorExit:
                    self._coroutine.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - a cancellation too is the coroutine's to hear
                    waited_for = self._coroutine.throw(error)
                else:
                    waited_for = self._coroutine.send(value)
            except StopIteration as end:
                result: _T = end.value
                return result

    def close(self) -> None:
        """It is not wanted any more: it leaves where it waits."""
        self._coroutine.close()


def begin(coroutine: Coroutine[Any, Any, _T]) -> Done[_T] | Started[_T]:
    """Run to the first wait.

    Nothing before the first wait may ask for the current task: there is none. From Python 3.12 on eager tasks of
    asyncio do the same.
    """
    try:
        waited_for = coroutine.send(None)
    except StopIteration as end:
        return Done(end.value)
    return Started(coroutine, waited_for)
