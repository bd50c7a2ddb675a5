"""Two events as the page printed them from which this project began, without the commas that JSON forbids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ACCEPT = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.9"
)


def printed_api_gateway() -> Mapping[str, Any]:
    """A browser's request through a REST API, with few members of the context and some headers in lists only."""
    return {
        "resource": "/",
        "path": "/",
        "httpMethod": "GET",
        "requestContext": {"resourcePath": "/", "httpMethod": "GET", "path": "/Prod/"},
        "headers": {
            "accept": _ACCEPT,
            "accept-encoding": "gzip, deflate, br",
            "Host": "70ixmpl4fl.execute-api.us-east-2.amazonaws.com",
            "User-Agent": (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/80.0.3987.132 Safari/537.36"
            ),
            "X-Amzn-Trace-Id": "Root=1-5e66d96f-7491f09xmpl79d18acf3d050",
        },
        "multiValueHeaders": {"accept": [_ACCEPT], "accept-encoding": ["gzip, deflate, br"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }


def printed_sqs() -> Mapping[str, Any]:
    """Two messages of a standard queue."""
    return {
        "Records": [
            _message(
                "059f36b4-87a3-44ab-83d2-661975830a7d",
                "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
                ("1545082649183", "1545082649185"),
            ),
            _message(
                "2e1424d4-f796-459a-8184-9c92662be6da",
                "AQEBzWwaftRI0KuVm4tP+/7q1rGgNqicHq...",
                ("1545082650636", "1545082650649"),
            ),
        ]
    }


def _message(identity: str, receipt: str, times: tuple[str, str]) -> Mapping[str, Any]:
    return {
        "messageId": identity,
        "receiptHandle": receipt,
        "body": "Test message.",
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": times[0],
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": times[1],
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
        "awsRegion": "us-east-2",
    }
