"""The Python probe obeys its commands: those that start processes and threads of their own."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtimebuilder.conformance.probes.python.probe import handler

PATIENCE = 20.0  # seconds


def do(name: str, **fields: object) -> Any:
    return handler({"do": name, **fields}, SimpleNamespace())


def test_a_child_process_sees_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_LINES", "one\ntwo=2")
    assert do("child-env", names=["PROBE_LINES", "PROBE_NOT_THERE"]) == {"PROBE_LINES": "one\ntwo=2"}


def test_a_child_process_allocates() -> None:
    assert do("child-allocate", mb=1) == 0


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
