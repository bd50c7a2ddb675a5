"""HTTP requests in the four shapes: what goes where, and what is missing when there is nothing to say."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from runtimebuilder import events

Build = Callable[..., Mapping[str, Any]]
FORMAT_TWO = [events.http_v2, events.function_url]
ALL = [*FORMAT_TWO, events.http_v1, events.alb]


@pytest.mark.parametrize("build", ALL)
def test_events_are_json_and_the_same_each_time(build: Build) -> None:
    arguments = {"query": "a=1", "headers": {"X-A": "b"}, "cookies": ("c=d",), "body": b"\xff"}
    first, second = build("POST", "/x", **arguments), build("POST", "/x", **arguments)
    assert json.loads(json.dumps(first)) == second
    assert first is not second


@pytest.mark.parametrize("build", ALL)
def test_bodies_are_text_unless_they_are_not_utf8(build: Build) -> None:
    text = build("POST", "/", body="é")
    assert (text["body"], text["isBase64Encoded"]) == ("é", False)
    assert build("POST", "/", body="é".encode())["body"] == "é"
    binary = build("POST", "/", body=b"\xff\x00")
    assert (base64.b64decode(binary["body"]), binary["isBase64Encoded"]) == (b"\xff\x00", True)
    forced = build("POST", "/", body="abc", base64_body=True)
    assert (forced["body"], forced["isBase64Encoded"]) == ("YWJj", True)
    with pytest.raises(UnicodeDecodeError):
        build("POST", "/", body=b"\xff", base64_body=False)


@pytest.mark.parametrize("build", FORMAT_TWO)
def test_format_two(build: Build) -> None:
    event = build(
        "PUT",
        "/a%20b",
        query="x=1&x=2&y=%C3%A9&z",
        headers=[("X-Twice", "1"), ("x-twice", "2"), ("Content-Type", "text/plain")],
        cookies=("a=1", "b=2"),
    )
    assert (event["version"], event["rawPath"], event["rawQueryString"]) == (
        "2.0",
        "/a%20b",
        "x=1&x=2&y=%C3%A9&z",
    )
    assert event["queryStringParameters"] == {"x": "1,2", "y": "é", "z": ""}
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["headers"]["x-twice"] == "1,2"
    assert event["headers"]["content-type"] == "text/plain"
    assert all(name == name.lower() for name in event["headers"])
    assert event["requestContext"]["http"]["method"] == "PUT"
    assert event["requestContext"]["http"]["path"] == "/a%20b"
    assert event["headers"]["host"] == event["requestContext"]["domainName"]
    assert "multiValueHeaders" not in event


@pytest.mark.parametrize("build", FORMAT_TWO)
def test_format_two_leaves_out_what_is_not_there(build: Build) -> None:
    event = build("GET", "/")
    assert [name for name in ("cookies", "queryStringParameters", "body") if name in event] == []
    assert event["isBase64Encoded"] is False
    assert event["rawQueryString"] == ""


def test_a_named_stage_is_part_of_the_path() -> None:
    event = events.http_v2("GET", "/x", stage="dev")
    assert (event["rawPath"], event["requestContext"]["http"]["path"]) == ("/dev/x", "/dev/x")
    assert event["requestContext"]["stage"] == "dev"


def test_a_function_url_has_its_own_domain_and_no_account() -> None:
    event = events.function_url("GET", "/")
    assert event["requestContext"]["domainName"].endswith(".lambda-url.eu-west-1.on.aws")
    assert event["requestContext"]["accountId"] == "anonymous"
    assert event["requestContext"]["stage"] == "$default"


def test_format_one() -> None:
    event = events.http_v1(
        "GET",
        "/a%20b",
        query="x=1&x=2&y=%C3%A9",
        headers=[("X-Twice", "1"), ("X-Twice", "2")],
        cookies=("a=1", "b=2"),
    )
    assert (event["path"], event["httpMethod"]) == ("/a b", "GET")
    assert event["queryStringParameters"] == {"x": "2", "y": "é"}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": ["é"]}
    assert event["headers"]["X-Twice"] == "2"
    assert event["multiValueHeaders"]["X-Twice"] == ["1", "2"]
    assert event["headers"]["Cookie"] == "a=1; b=2"
    assert event["requestContext"]["path"] == "/prod/a%20b"
    assert "version" not in event
    assert events.http_v1("GET", "/", version="1.0")["version"] == "1.0"


def test_format_one_says_null_where_there_is_nothing() -> None:
    event = events.http_v1("GET", "/")
    assert event["queryStringParameters"] is None
    assert event["multiValueQueryStringParameters"] is None
    assert event["body"] is None


def test_the_given_host_stays() -> None:
    assert events.http_v2("GET", "/", headers={"Host": "shop.example"})["headers"]["host"] == "shop.example"
    assert events.http_v1("GET", "/", headers={"host": "shop.example"})["multiValueHeaders"]["host"] == [
        "shop.example"
    ]
    assert "Host" not in events.http_v1("GET", "/", headers={"host": "shop.example"})["headers"]


def test_a_balancer_does_not_decode_the_query_and_has_one_form_of_headers() -> None:
    arguments = {"query": "x=%C3%A9&x=a+b&y", "headers": [("X-A", "1"), ("X-A", "2")]}
    single = events.alb("GET", "/p", **arguments)  # type: ignore[arg-type]  # the same for both forms
    assert single["queryStringParameters"] == {"x": "a+b", "y": ""}
    assert single["headers"]["x-a"] == "2"
    assert "multiValueHeaders" not in single
    multi = events.alb("GET", "/p", multi_value=True, **arguments)  # type: ignore[arg-type]  # as above
    assert multi["multiValueQueryStringParameters"] == {"x": ["%C3%A9", "a+b"], "y": [""]}
    assert multi["multiValueHeaders"]["x-a"] == ["1", "2"]
    assert "headers" not in multi
    assert "queryStringParameters" not in multi
    assert "elb" in single["requestContext"]


def test_a_balancer_always_has_a_body_and_a_query() -> None:
    event = events.alb("GET", "/", cookies=("a=1",))
    assert (event["body"], event["isBase64Encoded"], event["queryStringParameters"]) == ("", False, {})
    assert event["headers"]["cookie"] == "a=1"
