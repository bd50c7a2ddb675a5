"""The bytes of catalogue §6.1 and §6.2: bodies, sizes, header layout."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from runtimebuilder.emulator import answers
from runtimebuilder.emulator.answers import Answer


@pytest.mark.parametrize(
    ("body", "wanted", "size"),
    [
        (answers.ACCEPTED, b'{"status":"OK"}\n', 16),
        (
            answers.BAD_REQUEST_ID,
            b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}\n',
            69,
        ),
        (
            answers.TOO_LARGE,
            (
                b'{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).",'
                b'"errorType":"RequestEntityTooLarge"}\n'
            ),
            110,
        ),
        (
            answers.BAD_MODE,
            b'{"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}\n',
            92,
        ),
        (
            answers.SERVER_ERROR,
            b'{"errorMessage":"Internal Server Error","errorType":"InternalServerError"}\n',
            75,
        ),
        (
            answers.forbidden_body("InitError", "Ready"),
            (
                b'{"errorMessage":"State transition from InitError to Ready failed for runtime. '
                b'Error: State transition is not allowed","errorType":"InvalidStateTransition"}\n'
            ),
            156,
        ),
    ],
)
def test_bodies_are_the_services_byte_for_byte(body: bytes, wanted: bytes, size: int) -> None:
    assert body == wanted
    assert len(body) == size


def test_what_the_caller_sees_of_a_response_that_is_too_large() -> None:
    assert answers.caller_sees_too_large(6_291_557) == (
        b'{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size (6291557 bytes) '
        b'exceeded maximum allowed payload size (6291556 bytes)."}'
    )


def test_json_is_escaped_as_go_escapes_it() -> None:
    assert answers.go_json({"a": '<b> & \u2028 é "q"'}) == (
        b'{"a":"\\u003cb\\u003e \\u0026 \\u2028 \xc3\xa9 \\"q\\""}\n'
    )


def head(answer: Answer) -> str:
    assert answer.status is not None
    fields = tuple((name, "now" if name == "Date" else value) for name, value in answer.head_fields())
    return answers.encode_head(answer.status, fields).decode()


def test_json_answers_have_type_then_date_then_length() -> None:
    assert head(answers.json_answer(202, answers.ACCEPTED)) == (
        "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nDate: now\r\nContent-Length: 16\r\n\r\n"
    )


def test_ping_has_its_type_last_as_go_found_it_out_itself() -> None:
    assert head(answers.pong()) == (
        "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 4\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    )


def test_not_found_and_wrong_method() -> None:
    assert head(answers.not_found()) == (
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "X-Content-Type-Options: nosniff\r\nDate: now\r\nContent-Length: 19\r\n\r\n"
    )
    assert answers.not_found().body == b"404 page not found\n"
    assert head(answers.wrong_method("POST")) == (
        "HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nDate: now\r\nContent-Length: 0\r\n\r\n"
    )


def test_too_large_has_the_phrase_of_go() -> None:
    assert head(answers.json_answer(413, b"")).startswith("HTTP/1.1 413 Request Entity Too Large\r\n")


def test_answers_without_a_body_have_no_length() -> None:
    assert head(Answer(204, body=b"ignored")) == "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n"
    assert b"ignored" not in b"".join(piece for _, piece in Answer(204, body=b"ignored").pieces())


def test_a_length_that_is_given_is_not_corrected() -> None:
    assert head(Answer(200, (("Content-Length", "99"),), b"x")) == (
        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nDate: now\r\n\r\n"
    )


def pieces(answer: Answer) -> list[tuple[float, bytes]]:
    return list(answer.pieces())


def test_chunks_have_their_sizes_in_front_and_an_end() -> None:
    _, *body = pieces(Answer(200, body=b"abcde", framing="chunked", drip=(2, 0.5)))
    assert body == [
        (0.5, b"2\r\nab\r\n"),
        (0.5, b"2\r\ncd\r\n"),
        (0.5, b"1\r\ne\r\n"),
        (0.0, b"0\r\n\r\n"),
    ]


def test_the_delay_is_before_the_first_byte() -> None:
    assert [pause for pause, _ in pieces(Answer(200, body=b"abc", delay=2.0, drip=(1, 0.1)))] == [
        2.0,
        0.1,
        0.1,
        0.1,
    ]


@pytest.mark.parametrize("after", [1, 20, 10_000])
def test_a_cut_ends_the_bytes_wherever_it_falls(after: int) -> None:
    plain = Answer(200, (("Date", "now"),), b"0123456789", drip=(3, 0.0))
    whole = b"".join(piece for _, piece in pieces(plain))
    cut = Answer(200, (("Date", "now"),), b"0123456789", drip=(3, 0.0), cut_after=after)
    assert b"".join(piece for _, piece in pieces(cut)) == whole[:after]


def test_header_names_in_another_case() -> None:
    answer = Answer(200, (("Ab-Cd", "x"),), header_case="mixed", framing="chunked")
    assert [name for name, _ in answer.head_fields()] == ["aB-Cd", "dAtE", "tRaNsFeR-EnCoDiNg"]


@pytest.mark.parametrize(
    "answer",
    [
        answers.json_answer(202, answers.ACCEPTED),
        answers.json_answer(400, answers.BAD_REQUEST_ID),
        answers.json_answer(204, b"nothing of this"),
        answers.pong(),
        answers.not_found(),
        answers.wrong_method("GET"),
        Answer(200, (answers.JSON_TYPE, ("X-More", "1")), b"{}"),
        Answer(200, (answers.JSON_TYPE,), b"{}", bare=True),
    ],
)
def test_a_plain_answer_in_one_is_its_pieces(answer: Answer) -> None:
    def undated(data: bytes) -> bytes:
        return re.sub(rb"Date: [^\r]*", b"Date: now", data)

    assert answer.is_plain
    fields, data = answer.in_one()
    assert undated(data) == undated(b"".join(piece for _, piece in answer.pieces()))
    assert [name for name, _ in fields] == [name for name, _ in answer.head_fields()]


@pytest.mark.parametrize(
    "more",
    [
        {"framing": "chunked"},
        {"drip": (1, 0.0)},
        {"delay": 0.1},
        {"connection_close": True},
        {"cut_after": 3},
        {"header_case": "lower"},
        {"fault": "on purpose"},
        {"status": None},
    ],
)
def test_an_answer_with_anything_odd_is_not_plain(more: dict[str, Any]) -> None:
    assert not dataclasses.replace(answers.json_answer(202, answers.ACCEPTED), **more).is_plain
