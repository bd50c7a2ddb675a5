"""Events as they are given on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtimebuilder.errors import SpecError
from runtimebuilder.events import samples
from runtimebuilder.local.event import event_bytes


@pytest.mark.parametrize("text", ["{}", "null", "true", "7", '"text"', "{ not JSON", ""])
def test_what_is_no_name_is_sent_as_it_is(text: str) -> None:
    assert event_bytes(text) == text.encode()


def test_a_name_is_a_sample() -> None:
    assert json.loads(event_bytes("sqs-fifo")) == samples.sample("sqs-fifo")


def test_a_file_is_sent_byte_by_byte(tmp_path: Path) -> None:
    (tmp_path / "event").write_bytes(b"\xff\n")
    assert event_bytes(f"@{tmp_path / 'event'}") == b"\xff\n"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: No such file"):
        event_bytes(f"@{tmp_path / 'nope'}")


@pytest.mark.parametrize(("text", "hint"), [("kinesi", "did you mean 'kinesis'?"), ("zzz", "there are alb")])
def test_another_word_is_refused(text: str, hint: str) -> None:
    with pytest.raises(SpecError, match="neither JSON nor the name of a sample") as caught:
        event_bytes(text)
    assert hint in (caught.value.hint or "")
