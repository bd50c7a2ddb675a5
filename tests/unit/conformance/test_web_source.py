"""What the suite demands of web applications: that the page saw the request, and answers in the sender's form."""

from __future__ import annotations

from typing import Any

import pytest

from runtimebuilder.conformance.expectation import NotConforming
from runtimebuilder.conformance.web_source import (
    BALANCER,
    BALANCER_LISTS,
    COOKIES,
    FUNCTION_URL,
    HTTP_API,
    REST_API,
    SET_COOKIES,
    WebSource,
    require_mirrored,
    require_seen,
)

ALL = (REST_API, HTTP_API, FUNCTION_URL, BALANCER, BALANCER_LISTS)
LISTS = {"multiValueHeaders": {"Content-Type": ["text/html"], "Set-Cookie": list(SET_COOKIES)}}
ONE_EACH = {"headers": {"content-type": "text/html", "set-cookie": SET_COOKIES[0]}}
APART = {"headers": {"content-type": "text/html"}, "cookies": list(SET_COOKIES)}


def names(source: WebSource) -> str:
    return source.name


def seen(**changes: Any) -> dict[str, Any]:
    told = {
        "method": "POST",
        "path": "/shop/two words",
        "query": "x=1&y=a+b&y=c",
        "headers": {"x-one": "only", "x-two": "first,last"},
        "cookies": COOKIES,
    }
    return told | changes


@pytest.mark.parametrize("source", [each for each in ALL if each.repeats], ids=names)
def test_a_request_that_was_seen_is_right(source: WebSource) -> None:
    require_seen(source, seen())


def test_a_balancer_passes_on_the_last_of_equal_names() -> None:
    require_seen(BALANCER, seen(query="x=1&y=c", headers={"x-one": "only", "x-two": "last"}))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"method": "GET"}, "method"),
        ({"path": "/shop/two%20words"}, "path"),
        ({"query": "x=1&y=c"}, "query"),
        ({"query": None}, "query"),
        ({"headers": {"x-two": "last"}}, "X-One"),
        ({"headers": {"x-one": "only", "x-two": "first"}}, "X-Two"),
        ({"headers": None}, "X-One"),
        ({"cookies": {"theme": "dark"}}, "cookies"),
    ],
)
def test_what_was_not_seen_is_named(change: dict[str, Any], what: str) -> None:
    with pytest.raises(NotConforming) as caught:
        require_seen(HTTP_API, seen(**change))
    assert what in caught.value.expected


def test_no_request_at_all_is_told() -> None:
    with pytest.raises(NotConforming):
        require_seen(HTTP_API, "text")


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        (REST_API, LISTS),
        (HTTP_API, APART),
        (FUNCTION_URL, APART),
        (BALANCER, ONE_EACH),
        (BALANCER, {"headers": {"Set-Cookie": SET_COOKIES[0], "set-cookie": SET_COOKIES[1]}}),
        (BALANCER_LISTS, LISTS),
    ],
)
def test_an_answer_in_the_senders_form_is_right(source: WebSource, answer: dict[str, Any]) -> None:
    require_mirrored(source, {"statusCode": 200, "isBase64Encoded": False, **answer}, cookies=True)


@pytest.mark.parametrize(
    ("source", "answer", "what"),
    [
        (HTTP_API, [], "an object"),
        (HTTP_API, {"statusCode": "200"}, "statusCode"),
        (HTTP_API, {"statusCode": True}, "statusCode"),
        (HTTP_API, {"statusCode": 200, "isBase64Encoded": "no"}, "isBase64Encoded"),
        (HTTP_API, {"statusCode": 200, **LISTS}, "no multiValueHeaders"),
        (HTTP_API, {"statusCode": 200, "headers": {"a": 1}}, "one text each"),
        (HTTP_API, {"statusCode": 200, **ONE_EACH}, "cookies"),
        (
            FUNCTION_URL,
            {"statusCode": 200, **APART, "headers": {"Set-Cookie": "x=1"}},
            "no header Set-Cookie",
        ),
        (BALANCER, {"statusCode": 200, **LISTS}, "no multiValueHeaders"),
        (BALANCER, {"statusCode": 200, "headers": {}}, "Set-Cookie"),
        (BALANCER_LISTS, {"statusCode": 200, **ONE_EACH}, "multiValueHeaders"),
        (BALANCER_LISTS, {"statusCode": 200, "multiValueHeaders": {"a": "b"}}, "lists of texts"),
        (REST_API, {"statusCode": 200, **ONE_EACH}, "Set-Cookie"),
        (REST_API, {"statusCode": 200, "multiValueHeaders": {"a": [1]}}, "lists of texts"),
    ],
)
def test_an_answer_in_another_form_is_told(source: WebSource, answer: Any, what: str) -> None:
    with pytest.raises(NotConforming) as caught:
        require_mirrored(source, answer, cookies=True)
    assert what in caught.value.expected


@pytest.mark.parametrize("source", ALL, ids=names)
def test_a_request_is_the_same_each_time(source: WebSource) -> None:
    assert source.request("{}", base64_body=True) == source.request("{}", base64_body=True)
    assert source.get()["isBase64Encoded"] is False
