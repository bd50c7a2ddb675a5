"""How the PHP function runtime keeps events apart: RUNTIMEBUILDER_STATE, with a real PHP under Lambda's limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.testing import LambdaContainer

CODE = """<?php

declare(strict_types=1);

mt_rand();
register_shutdown_function(static fn () => print("the end of a process\\n"));

return static function (array $event): array {
    static $events = 0;
    $events++;
    if (isset($event['exit'])) {
        // What it leaves behind keeps every file of the handler's process open.
        proc_open(['/bin/sleep', '60'], [['file', '/dev/null', 'r'], ['file', '/dev/null', 'w'], ['redirect', 1]], $p);
        exit($event['exit']);
    }
    if (isset($event['fatal'])) {
        (static fn () => str_repeat('x', PHP_INT_MAX - 100))();
    }
    $bytes = strlen($event['text'] ?? '');

    return ['events' => $events, 'process' => getmypid(), 'random' => mt_rand(), 'bytes' => $bytes];
};
"""


@pytest.fixture
def function(built: Callable[..., BuiltImage], tmp_path: Path) -> Callable[[str], LambdaContainer]:
    (tmp_path / "index.php").write_text(CODE, encoding="utf-8")
    image = built("php-82", base="debian-12").image_id

    def make(state: str) -> LambdaContainer:
        env = {"RUNTIMEBUILDER_STATE": state}
        return LambdaContainer(image, handler="index.php", code=tmp_path, timeout=20, env=env, memory_mb=256)

    return make


def _three(container: LambdaContainer) -> list[dict[str, Any]]:
    return [container.invoke({"text": "é" * 100_000}).json() for _ in range(3)]


def _times_printed(text: str, expected: int, container: LambdaContainer) -> int:
    """How often the function printed it. What a process prints at its end may come after the event's answer."""
    deadline = time.monotonic() + 10
    while container.logs().count(text) < expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return container.logs().count(text)


def test_shared_events_see_each_other(function: Callable[[str], LambdaContainer]) -> None:
    with function("shared") as container:
        seen = _three(container)
    assert [one["events"] for one in seen] == [1, 2, 3]
    assert len({one["process"] for one in seen}) == 1
    assert {one["bytes"] for one in seen} == {200_000}


@pytest.mark.parametrize("state", ["fork", "process"])
def test_an_event_of_its_own_process_sees_no_other(
    function: Callable[[str], LambdaContainer], state: str
) -> None:
    with function(state) as container:
        seen = _three(container)
        ended = container.invoke({"exit": 3})
        fatal = container.invoke({"fatal": True})
        after = container.invoke({}).json()
        printed = _times_printed("the end of a process", 6, container)
    assert [one["events"] for one in seen] == [1, 1, 1]
    assert len({one["process"] for one in seen}) == 3
    assert len({one["random"] for one in seen}) == 3
    assert {one["bytes"] for one in seen} == {200_000}
    # The runtime tells, and lives: no second start.
    assert ended.kind == "error"
    assert ended.error is not None
    assert ended.error.type == "Runtime.ExitError"
    assert "exit status 3" in ended.error.message
    assert ended.duration < 5
    assert fatal.error is not None
    assert "Allowed memory size" in fatal.error.message or "overflow" in fatal.error.message
    assert after["events"] == 1
    assert printed == 6


def test_an_unknown_state_stops_the_start(function: Callable[[str], LambdaContainer]) -> None:
    with function("forks") as container:
        answer = container.invoke({})
    assert answer.error is not None
    assert answer.error.type == "Runtime.InvalidConfiguration"
    assert answer.error.message == "RUNTIMEBUILDER_STATE is 'forks'; it takes one of: shared, fork, process"
