"""HTTP requests as an application load balancer hands them to a function.

Shape: `lambda-functions` of the Application Load Balancer guide. Unlike a gateway, the balancer does not
decode the query, always has a body, and has either single or multi-value headers, never both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runtimebuilder.events.web import ACCOUNT, REGION, SOURCE_IP, Headers, encode_body, grouped, header_pairs

_TARGET_GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/example/49e9d65c45c6791a"


def alb(
    method: str,
    path: str,
    *,
    query: str = "",
    headers: Headers = (),
    cookies: Sequence[str] = (),
    body: bytes | str = b"",
    multi_value: bool = False,
    base64_body: bool | None = None,
) -> Mapping[str, Any]:
    """A load balancer request. `multi_value`: the target group has multi-value headers enabled.

    Names of headers are lower-cased; keys and values of the query stay percent-encoded. With single values
    the last of a repeated name wins.
    """
    pairs = [(name.lower(), value) for name, value in header_pairs(headers)]
    if cookies:
        pairs.append(("cookie", "; ".join(cookies)))
    given = {name for name, _ in pairs}
    added = [
        ("host", f"example-1234567890.{REGION}.elb.amazonaws.com"),
        ("x-amzn-trace-id", "Root=1-6955b900-0123456789abcdef01234567"),
        ("x-forwarded-for", SOURCE_IP),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
    ]
    pairs += [pair for pair in added if pair[0] not in given]
    fields = [(name, value) for name, _, value in (part.partition("=") for part in query.split("&")) if name]
    text, encoded = encode_body(body, force=base64_body)
    event: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": _TARGET_GROUP}},
        "httpMethod": method,
        "path": path,
    }
    if multi_value:
        event["multiValueQueryStringParameters"] = grouped(fields)
        event["multiValueHeaders"] = grouped(pairs)
    else:
        event["queryStringParameters"] = dict(fields)
        event["headers"] = dict(pairs)
    event["body"] = text or ""
    event["isBase64Encoded"] = encoded
    return event
