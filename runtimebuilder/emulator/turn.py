"""A request that is handled by two functions."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from runtimebuilder.emulator.answers import Answer
from runtimebuilder.emulator.faults import RequestCut, RequestPace
from runtimebuilder.emulator.recording import Entry


class PlainTurn:
    """`answer` is asked when the request is complete; `settled` hears once that the answer is on its way."""

    request_cut: RequestCut | None = None
    request_pace: RequestPace | None = None

    def __init__(
        self,
        answer: Callable[[Entry], Coroutine[object, object, Answer]],
        settled: Callable[[], None] | None = None,
    ) -> None:
        self._answer = answer
        self._settled = settled

    @classmethod
    def fixed(cls, answer: Answer) -> PlainTurn:
        """The answer is known since the head."""

        async def known(_entry: Entry) -> Answer:
            return answer

        return cls(known)

    async def answer(self, entry: Entry) -> Answer:
        """What to answer."""
        return await self._answer(entry)

    def settle(self, *, written: bool) -> None:
        """Tell once, whether the runtime hears of it or not."""
        del written
        settled, self._settled = self._settled, None
        if settled is not None:
            settled()
