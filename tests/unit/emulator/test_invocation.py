"""Making invocations."""

from __future__ import annotations

import time
import uuid

import pytest

from runtimebuilder.emulator import Invocation


def test_an_invocation_has_a_fresh_uuid_and_a_deadline() -> None:
    before = time.time() * 1000
    one, two = Invocation.of(None, timeout=2.5), Invocation.of(None)
    assert uuid.UUID(one.request_id).version == 4
    assert one.request_id != two.request_id
    assert before + 2499 <= one.deadline_ms <= time.time() * 1000 + 2500
    assert one.deadline_ms < two.deadline_ms


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        ({"b": 1, "a": [None, True]}, b'{"b":1,"a":[null,true]}'),
        ("é🙂", '"é🙂"'.encode()),
        ("\ud800", b'"\\ud800"'),
        ("a\0b", b'"a\\u0000b"'),
        (b"\xff{", b"\xff{"),
        (None, b"null"),
    ],
)
def test_bytes_stay_and_the_rest_becomes_json(event: object, wanted: bytes) -> None:
    assert Invocation.of(event).event == wanted


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Invocation.of(float("nan"))
    with pytest.raises(TypeError):
        Invocation.of(object())


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\0"])
def test_a_header_value_cannot_start_another_header(value: str) -> None:
    with pytest.raises(ValueError, match="Lambda-Runtime-Trace-Id: a header value cannot hold"):
        Invocation.of(None, trace_id=value)


def test_headers_that_are_none_are_left_out() -> None:
    names = [name for name, _ in Invocation.of(None, content_type=None).headers()]
    assert names == [
        "Lambda-Runtime-Aws-Request-Id",
        "Lambda-Runtime-Deadline-Ms",
        "Lambda-Runtime-Invoked-Function-Arn",
    ]
