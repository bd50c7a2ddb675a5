"""HTTP requests as API Gateway (both formats) and function URLs hand them to a function.

Shapes: `http-api-develop-integrations-lambda` and `set-up-lambda-proxy-integrations` of the API Gateway
guide, `urls-invocation` of the Lambda guide. Identifiers and times are fixed: equal calls give equal events.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

Headers = Mapping[str, str] | Iterable[tuple[str, str]]
"""Request headers: pairs where a name is repeated."""

ACCOUNT = "123456789012"
REGION = "eu-west-1"
SOURCE_IP = "203.0.113.9"
USER_AGENT = "runtimebuilder"
TIME_EPOCH_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
_TIME = "01/Jan/2026:00:00:00 +0000"
_REQUEST_ID = "JKJaXmPLvHcESHA="
_TRACE = "Root=1-6955b900-0123456789abcdef01234567"


def http_v2(
    method: str,
    path: str,
    *,
    query: str = "",
    headers: Headers = (),
    cookies: Sequence[str] = (),
    body: bytes | str = b"",
    stage: str = "$default",
    base64_body: bool | None = None,
) -> Mapping[str, Any]:
    """An HTTP API request, payload format 2.0.

    `path` as the client sent it; `query` without the question mark; `cookies` as `name=value`. Header names
    are lower-cased and values of repeated ones joined by commas, as the gateway does. `base64_body` None:
    only when the body is not UTF-8; UnicodeDecodeError when it is False and the body is not UTF-8.
    """
    domain = f"x0example.execute-api.{REGION}.amazonaws.com"
    return _format_two(
        method,
        path,
        query=query,
        headers=_complete(headers, host=domain),
        cookies=cookies,
        body=body,
        base64_body=base64_body,
        stage=stage,
        domain=domain,
        account=ACCOUNT,
    )


def function_url(
    method: str,
    path: str,
    *,
    query: str = "",
    headers: Headers = (),
    cookies: Sequence[str] = (),
    body: bytes | str = b"",
    base64_body: bool | None = None,
) -> Mapping[str, Any]:
    """A function URL request without authentication: format 2.0 with the URL's own domain and no stage."""
    domain = f"x0exampleurl0123456789abcdefghij.lambda-url.{REGION}.on.aws"
    return _format_two(
        method,
        path,
        query=query,
        headers=_complete(headers, host=domain),
        cookies=cookies,
        body=body,
        base64_body=base64_body,
        stage="$default",
        domain=domain,
        account="anonymous",
    )


def http_v1(
    method: str,
    path: str,
    *,
    query: str = "",
    headers: Headers = (),
    cookies: Sequence[str] = (),
    body: bytes | str = b"",
    stage: str = "prod",
    version: str | None = None,
    base64_body: bool | None = None,
) -> Mapping[str, Any]:
    """A REST API proxy request; with `version` "1.0" the member by which an HTTP API marks this format.

    Headers keep their case; `headers` has the last value of each, `multiValueHeaders` all. The query is
    decoded, and null when there is none. Cookies are one `Cookie` header.
    """
    domain = f"x0example.execute-api.{REGION}.amazonaws.com"
    pairs = _complete(headers, host=domain, canonical=True)
    if cookies:
        pairs.append(("Cookie", "; ".join(cookies)))
    fields = parse_qsl(query, keep_blank_values=True)
    text, encoded = encode_body(body, force=base64_body)
    return {
        **({} if version is None else {"version": version}),
        "resource": "/{proxy+}",
        "path": unquote(path),
        "httpMethod": method,
        "headers": dict(pairs),
        "multiValueHeaders": grouped(pairs),
        "queryStringParameters": dict(fields) or None,
        "multiValueQueryStringParameters": grouped(fields) or None,
        "pathParameters": {"proxy": unquote(path).lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "x0example",
            "domainName": domain,
            "domainPrefix": "x0example",
            "extendedRequestId": _REQUEST_ID,
            "httpMethod": method,
            "identity": {"sourceIp": SOURCE_IP, "userAgent": USER_AGENT},
            "path": f"/{stage}{path}",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTime": _TIME,
            "requestTimeEpoch": TIME_EPOCH_MS,
            "resourceId": "123456",
            "resourcePath": "/{proxy+}",
            "stage": stage,
        },
        "body": text,
        "isBase64Encoded": encoded,
    }


def encode_body(body: bytes | str, *, force: bool | None = None) -> tuple[str | None, bool]:
    """Text of the body and whether it is base64; None for an empty one. `force` None: base64 unless UTF-8."""
    data = body.encode() if isinstance(body, str) else body
    if not data:
        return None, False
    if force is not True:
        try:
            return data.decode(), False
        except UnicodeDecodeError:
            if force is False:
                raise
    return base64.b64encode(data).decode(), True


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """All values of each name, in the order of their coming."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def header_pairs(headers: Headers) -> list[tuple[str, str]]:
    """Headers as pairs, whichever way they were given."""
    return list(headers.items() if isinstance(headers, Mapping) else headers)


def _complete(headers: Headers, *, host: str, canonical: bool = False) -> list[tuple[str, str]]:
    """The given headers, and those that the gateway adds where the client sent none."""
    pairs = header_pairs(headers)
    given = {name.lower() for name, _ in pairs}
    added = [
        ("Host", host),
        ("User-Agent", USER_AGENT),
        ("X-Amzn-Trace-Id", _TRACE),
        ("X-Forwarded-For", SOURCE_IP),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]
    pairs += [(name, value) for name, value in added if name.lower() not in given]
    return pairs if canonical else [(name.lower(), value) for name, value in pairs]


def _format_two(
    method: str,
    path: str,
    *,
    query: str,
    headers: list[tuple[str, str]],
    cookies: Sequence[str],
    body: bytes | str,
    base64_body: bool | None,
    stage: str,
    domain: str,
    account: str,
) -> Mapping[str, Any]:
    text, encoded = encode_body(body, force=base64_body)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path if stage == "$default" else f"/{stage}{path}",
        "rawQueryString": query,
    }
    if cookies:
        event["cookies"] = list(cookies)
    event["headers"] = {name: ",".join(values) for name, values in grouped(headers).items()}
    fields = grouped(parse_qsl(query, keep_blank_values=True))
    if fields:
        event["queryStringParameters"] = {name: ",".join(values) for name, values in fields.items()}
    event["requestContext"] = {
        "accountId": account,
        "apiId": domain.partition(".")[0],
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": method,
            "path": event["rawPath"],
            "protocol": "HTTP/1.1",
            "sourceIp": SOURCE_IP,
            "userAgent": USER_AGENT,
        },
        "requestId": _REQUEST_ID,
        "routeKey": "$default",
        "stage": stage,
        "time": _TIME,
        "timeEpoch": TIME_EPOCH_MS,
    }
    if text is not None:
        event["body"] = text
    event["isBase64Encoded"] = encoded
    return event
