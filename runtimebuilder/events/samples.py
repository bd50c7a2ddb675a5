"""Ready-made events by name: what `runtimebuilder invoke --event NAME` sends, and the suite's PL cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from runtimebuilder.events.balancer import alb
from runtimebuilder.events.messages import direct, eventbridge, schedule, sns, sqs, step_functions
from runtimebuilder.events.others import cloudwatch_logs, cognito, kafka, websocket
from runtimebuilder.events.printed import printed_api_gateway, printed_sqs
from runtimebuilder.events.records import dynamodb, kinesis, s3
from runtimebuilder.events.web import function_url, http_v1, http_v2

_QUERY = "name=x&tag=a&tag=b"
_COOKIES = ("theme=dark",)
_CALLBACK = "AAAAKgAAAAIexample"

_MAKERS: Mapping[str, Callable[[], Any]] = {
    "alb": partial(alb, "GET", "/hello", query=_QUERY, cookies=_COOKIES),
    "alb-multi-value": partial(alb, "GET", "/hello", query=_QUERY, cookies=_COOKIES, multi_value=True),
    "api-gateway-printed": printed_api_gateway,
    "cloudwatch-logs": cloudwatch_logs,
    "cognito": cognito,
    "direct": direct,
    "dynamodb": dynamodb,
    "eventbridge": partial(eventbridge, detail={"orderId": "A-1001", "total": 7.5, "notes": {}}),
    "function-url": partial(function_url, "GET", "/hello", query=_QUERY, cookies=_COOKIES),
    "http-api": partial(http_v2, "GET", "/hello", query=_QUERY, cookies=_COOKIES),
    "kafka": kafka,
    "kinesis": partial(kinesis, b"click", b"\x00\xff"),
    "rest-api": partial(http_v1, "GET", "/hello", query=_QUERY, cookies=_COOKIES),
    "s3": partial(s3, "holiday/first photo.jpg", "100% \u00e9+more.txt"),
    "s3-delete": partial(s3, "photo.jpg", event="ObjectRemoved:Delete"),
    "schedule": schedule,
    "sns": partial(sns, '{"orderId":"A-1001"}', subject="Order placed", attributes={"kind": "order"}),
    "sqs": partial(sqs, '{"orderId":"A-1001"}', "plain text"),
    "sqs-fifo": partial(sqs, "first", "second", group="customer-1"),
    "sqs-printed": printed_sqs,
    "step-functions": step_functions,
    "step-functions-callback": partial(step_functions, token=_CALLBACK),
    "step-functions-error": partial(step_functions, error=("States.TaskFailed", '{"errorType":"Oops"}')),
    "websocket": websocket,
    "websocket-connect": partial(websocket, "CONNECT"),
}


def names() -> tuple[str, ...]:
    """The names of all samples, sorted."""
    return tuple(sorted(_MAKERS))


def sample(name: str) -> Any:
    """A new event of this name; KeyError when there is none."""
    return _MAKERS[name]()
