"""Coroutines that are run as far as they go at once."""

from __future__ import annotations

import asyncio

import pytest

from runtimebuilder.emulator.stepping import Done, Started, begin


def test_what_waits_for_nothing_is_done_at_once() -> None:
    async def answer() -> int:
        return 42

    assert begin(answer()) == Done(42)


def test_what_raises_at_once_raises() -> None:
    async def answer() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        begin(answer())


def test_what_waits_goes_on_where_it_is_awaited() -> None:
    async def scene() -> list[str]:
        first: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        seen: list[str] = []

        async def answer() -> str:
            seen.append("begun")
            seen.append(await first)
            await asyncio.sleep(0)
            return "end"

        started = begin(answer())
        assert isinstance(started, Started)
        assert seen == ["begun"]
        first.set_result("came")
        seen.append(await asyncio.ensure_future(started))
        return seen

    assert asyncio.run(scene()) == ["begun", "came", "end"]


def test_a_cancellation_is_heard_where_it_waits() -> None:
    async def scene() -> list[str]:
        seen: list[str] = []

        async def answer() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise
            finally:
                seen.append("left")

        started = begin(answer())
        assert isinstance(started, Started)
        task = asyncio.ensure_future(started)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return seen

    assert asyncio.run(scene()) == ["cancelled", "left"]


def test_an_error_that_it_waits_for_can_be_caught() -> None:
    async def scene() -> str:
        failing: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def answer() -> str:
            try:
                await failing
            except ValueError as error:
                return f"caught {error}"
            return "nothing"

        started = begin(answer())
        assert isinstance(started, Started)
        failing.set_exception(ValueError("it"))
        return await started

    assert asyncio.run(scene()) == "caught it"


def test_what_nobody_awaits_is_left_with_its_finally() -> None:
    seen: list[str] = []

    async def scene() -> None:
        async def answer() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                seen.append("left")

        started = begin(answer())
        assert isinstance(started, Started)
        started.close()

    asyncio.run(scene())
    assert seen == ["left"]
