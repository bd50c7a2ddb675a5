"""What a web client would get for a function's result."""

from __future__ import annotations

import pytest

from runtimebuilder.errors import SubjectFailedError
from runtimebuilder.local.invoke import HttpAnswer


def test_a_proxy_result() -> None:
    answer = HttpAnswer.of(
        b'{"statusCode":201,"headers":{"B":"2","A":"1"},"isBase64Encoded":true,"body":"/w=="}'
    )
    assert answer == HttpAnswer(201, (("A", "1"), ("B", "2")), b"\xff")


def test_cookies_are_headers() -> None:
    answer = HttpAnswer.of(b'{"statusCode":200,"headers":{"A":"1"},"cookies":["a=1","b=2"],"body":"x"}')
    assert answer.headers == (("A", "1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))


def test_a_stream_begins_with_its_head() -> None:
    answer = HttpAnswer.of(b'{"statusCode":200,"headers":{"A":"1"}}' + bytes(8) + b"\xff" + bytes(9))
    assert answer == HttpAnswer(200, (("A", "1"),), b"\xff" + bytes(9))


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"body":"x"}', b'{"statusCode":"x"}', bytes(8) + b"{}"])
def test_another_result_is_told(payload: bytes) -> None:
    with pytest.raises(SubjectFailedError, match="no HTTP response"):
        HttpAnswer.of(payload)
