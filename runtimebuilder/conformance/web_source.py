"""Web requests in the forms of their four senders, and whether a page saw the request and answered in the same form.

Shapes of answers: `set-up-lambda-proxy-integrations` and `http-api-develop-integrations-lambda` of the API Gateway
guide, `lambda-functions` of the Application Load Balancer guide, `urls-invocation` of the Lambda guide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

from runtimebuilder import events
from runtimebuilder.conformance.expectation import require, shown

COOKIES = {"theme": "dark", "lang": "fr"}
"""What the client sends."""

SET_COOKIES = ("seen=1", "basket=a%20b")
"""What the page is told to set."""

_PATH = "/shop/two%20words"
_QUERY = "x=1&y=a%20b&y=c"
_HEADERS = (("Content-Type", "application/json"), ("X-One", "only"), ("X-Two", "first"), ("X-Two", "last"))


@dataclass(frozen=True, slots=True)
class WebSource:
    """A sender. `repeats`: all values of a repeated name arrive, not the last one only; `answer`: headers as
    single values (`headers`), as lists (`multiValueHeaders`), or as either.
    """

    name: str
    build: Callable[..., Mapping[str, Any]]
    repeats: bool
    answer: Literal["single", "lists", "either"]

    def request(self, body: str, *, base64_body: bool) -> Mapping[str, Any]:
        """The event for a POST with a path, query, headers and cookies in it; `body` is the probe's command."""
        return self.build(
            "POST",
            _PATH,
            query=_QUERY,
            headers=(*_HEADERS, ("Content-Length", str(len(body.encode())))),
            cookies=tuple(f"{name}={value}" for name, value in COOKIES.items()),
            body=body,
            base64_body=base64_body,
        )

    def get(self) -> Mapping[str, Any]:
        """The event for a GET of the front page, with nothing in it."""
        return self.build("GET", "/")


REST_API = WebSource("a REST API", events.http_v1, repeats=True, answer="either")
HTTP_API = WebSource("an HTTP API", events.http_v2, repeats=True, answer="single")
FUNCTION_URL = WebSource("a function URL", events.function_url, repeats=True, answer="single")
BALANCER = WebSource("a load balancer", events.alb, repeats=False, answer="single")


def _multi_value(*arguments: Any, **named: Any) -> Mapping[str, Any]:
    return events.alb(*arguments, **named, multi_value=True)


BALANCER_LISTS = WebSource(
    "a load balancer with multi-value headers", _multi_value, repeats=True, answer="lists"
)


def require_seen(source: WebSource, seen: Any) -> None:
    """Require that the page saw the request of `source.request`; `seen` is the result of the command `request`."""
    because = f"of a request from {source.name}"
    require(isinstance(seen, dict), expected=f"the request {because}", seen=shown(seen))
    values = parse_qsl(_QUERY) if source.repeats else [("x", "1"), ("y", "c")]
    query = seen.get("query")
    headers = seen.get("headers") or {}
    told = headers.get("x-two", "") if isinstance(headers, dict) else ""
    for what, expected, found in (
        ("method", "POST", seen.get("method")),
        ("path", "/shop/two words", seen.get("path")),
        ("query", values, parse_qsl(query) if isinstance(query, str) else query),
        ("header X-One", "only", headers.get("x-one") if isinstance(headers, dict) else headers),
        ("last value of header X-Two", "last", str(told).rpartition(",")[2].strip()),
        ("cookies", COOKIES, seen.get("cookies")),
    ):
        require(found == expected, expected=f"{what} {shown(expected)} {because}", seen=shown(found))


def require_mirrored(source: WebSource, answer: Any, *, cookies: bool) -> None:
    """Require that a page's answer is in the form that the sender takes; `cookies`: it has SET_COOKIES to set."""
    to = f"in the answer to {source.name}"
    require(isinstance(answer, dict), expected=f"an object {to}", seen=shown(answer))
    status = answer.get("statusCode")
    right = isinstance(status, int) and not isinstance(status, bool)
    require(right, expected=f"statusCode as a number {to}", seen=shown(status))
    encoded = answer.get("isBase64Encoded", False)
    require(isinstance(encoded, bool), expected=f"isBase64Encoded true or false {to}", seen=shown(encoded))
    single, lists = answer.get("headers"), answer.get("multiValueHeaders")
    if source.answer == "single":
        require(not lists, expected=f"no multiValueHeaders {to}", seen=shown(lists))
    if source.answer == "lists":
        require(lists, expected=f"multiValueHeaders {to}", seen=shown(answer))
    _require_texts(single, f"headers with one text each {to}")
    _require_lists(lists, f"multiValueHeaders with lists of texts {to}")
    if cookies:
        _require_cookies(source, answer, to)


def _require_cookies(source: WebSource, answer: Mapping[str, Any], to: str) -> None:
    fields = [
        *((name, [value]) for name, value in (answer.get("headers") or {}).items()),
        *(answer.get("multiValueHeaders") or {}).items(),
    ]
    found = [value for name, values in fields if name.lower() == "set-cookie" for value in values]
    if source in (HTTP_API, FUNCTION_URL):
        listed = answer.get("cookies")
        require(
            listed == list(SET_COOKIES),
            expected=f"cookies {shown(list(SET_COOKIES))} {to}",
            seen=shown(listed),
        )
        require(not found, expected=f"no header Set-Cookie {to}, beside cookies", seen=shown(found))
        return
    missing = [each for each in SET_COOKIES if each not in found]
    # Where a name has one value only, no more than one cookie can be counted on.
    allowed = 1 if source.answer == "single" else 0
    require(
        len(missing) <= allowed, expected=f"Set-Cookie for {shown(list(SET_COOKIES))} {to}", seen=shown(found)
    )


def _require_texts(headers: Any, expected: str) -> None:
    right = headers is None or (
        isinstance(headers, dict) and all(isinstance(value, str) for value in headers.values())
    )
    require(right, expected=expected, seen=shown(headers))


def _require_lists(headers: Any, expected: str) -> None:
    right = headers is None or (
        isinstance(headers, dict)
        and all(
            isinstance(values, list) and all(isinstance(value, str) for value in values)
            for values in headers.values()
        )
    )
    require(right, expected=expected, seen=shown(headers))
