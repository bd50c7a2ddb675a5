"""The Python probe obeys its commands: those that start processes and threads of their own."""

from __future__ import annotations

import importlib
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtimebuilder.conformance.probes.probe import AFTER_RESTORE_MARK, BEFORE_SNAPSHOT_MARK
from runtimebuilder.conformance.probes.python.probe import handler

PATIENCE = 20.0  # seconds


def do(name: str, **fields: object) -> Any:
    return handler({"do": name, **fields}, SimpleNamespace())


def test_a_child_process_sees_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_LINES", "one\ntwo=2")
    assert do("child-env", names=["PROBE_LINES", "PROBE_NOT_THERE"]) == {"PROBE_LINES": "one\ntwo=2"}


def test_a_child_process_allocates() -> None:
    assert do("child-allocate", mb=1) == 0


def test_children_are_waited_for_and_counted() -> None:
    assert do("spawn", count=3) == 3


def test_a_daemon_is_not_waited_for() -> None:
    pid = do("daemon", seconds=0.01)
    assert os.waitpid(pid, 0) == (pid, 0)


def test_background_work_is_not_waited_for(tmp_path: Path) -> None:
    done = tmp_path / "done"
    assert do("background", seconds=0.5, path=str(done)) is None
    assert not done.exists()
    end = time.monotonic() + PATIENCE
    while not done.exists() or not done.read_text(encoding="utf-8"):
        assert time.monotonic() < end, f"nothing written in {PATIENCE:g} s"
        time.sleep(0.01)
    assert done.read_text(encoding="utf-8") == "done"


def test_the_clock_tells_its_distance_from_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        monkeypatch.setenv("TZ", "XXX-2")
        time.tzset()
        assert do("clock") == {"utc_offset": 7200}
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("what", ["text", "null"])
def test_what_is_odd_is_no_ordinary_exception(what: str) -> None:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - of a class of the probe's own
        do("raise-odd", what=what)
    assert not isinstance(caught.value, Exception)


def test_a_cause_is_told_with_the_exception() -> None:
    with pytest.raises(Exception, match="outer") as caught:
        do("raise", message="outer", cause="inner")
    assert str(caught.value.__cause__) == "inner"
    with pytest.raises(Exception, match="alone") as caught:
        do("raise", message="alone")
    assert caught.value.__cause__ is None


def test_the_context_can_be_looked_at_later_and_carries_a_value() -> None:
    context = SimpleNamespace(
        aws_request_id="id",
        invoked_function_arn="arn",
        get_remaining_time_in_millis=lambda: 5,
        trace_id="trace",
    )
    begun = time.monotonic()
    told = handler({"do": "context", "seconds": 0.05, "value": [1]}, context)
    assert time.monotonic() - begun >= 0.05
    assert (told["request_id"], told["value"], told["context_trace_id"]) == ("id", [1], "trace")
    del context.trace_id
    told = handler({"do": "context"}, context)
    assert not {"value", "context_trace_id"} & told.keys()


def test_a_message_is_logged_as_an_error(caplog: pytest.LogCaptureFixture) -> None:
    assert do("log", message="hello") is None
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [("ERROR", "hello")]


def test_hooks_are_registered_where_there_are_some(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert do("hooks") is False
    registered: list[tuple[str, Any, Any]] = []
    module = SimpleNamespace(
        register_before_snapshot=lambda function, text: registered.append(("before", function, text)),
        register_after_restore=lambda function, text: registered.append(("after", function, text)),
    )
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", module)
    name = "runtimebuilder.conformance.probes.python.probe"
    monkeypatch.delitem(sys.modules, name)
    probe = importlib.import_module(name)
    assert probe.handler({"do": "hooks"}, None) is True
    for _, function, text in registered:
        function(text)
    assert [when for when, _, _ in registered] == ["before", "after"]
    assert capsys.readouterr().out.splitlines() == [BEFORE_SNAPSHOT_MARK, AFTER_RESTORE_MARK]
