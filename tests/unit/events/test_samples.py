"""Samples by name, and the events of services that are less often behind a function."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from runtimebuilder import events
from runtimebuilder.events import samples

KINDS = {
    "alb", "direct", "dynamodb", "eventbridge", "function-url", "http-api", "kinesis", "rest-api", "s3", "sns", "sqs",
    "step-functions",
}  # fmt: skip


@pytest.mark.parametrize("name", samples.names())
def test_a_sample_is_json_and_the_same_each_time(name: str) -> None:
    first = samples.sample(name)
    assert json.loads(json.dumps(first)) == samples.sample(name)
    assert first is not samples.sample(name)


def test_there_is_a_sample_of_every_kind() -> None:
    assert set(samples.names()) >= KINDS
    assert list(samples.names()) == sorted(samples.names())
    texts = [json.dumps(samples.sample(name)) for name in samples.names()]
    assert len(set(texts)) == len(texts)


def test_an_unknown_sample_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        samples.sample("sqss")


def test_the_printed_request_has_nulls_and_fewer_lists_than_headers() -> None:
    event = samples.sample("api-gateway-printed")
    assert event["httpMethod"] == "GET"
    assert event["requestContext"]["path"] == "/Prod/"
    assert event["queryStringParameters"] is None
    assert event["headers"].keys() - event["multiValueHeaders"].keys() == {
        "Host",
        "User-Agent",
        "X-Amzn-Trace-Id",
    }


def test_the_printed_messages_are_two() -> None:
    records = samples.sample("sqs-printed")["Records"]
    assert [record["body"] for record in records] == ["Test message."] * 2
    assert len({record["messageId"] for record in records}) == 2


def test_lines_of_a_log_are_packed() -> None:
    packed = events.cloudwatch_logs("one", "two")["awslogs"]["data"]
    data = json.loads(gzip.decompress(base64.b64decode(packed)))
    assert [each["message"] for each in data["logEvents"]] == ["one", "two"]


def test_a_topic_of_kafka_has_its_partition_in_the_name() -> None:
    records = events.kafka(b"x", topic="mail", partition=3)["records"]
    assert list(records) == ["mail-3"]
    assert base64.b64decode(records["mail-3"][0]["value"]) == b"x"


def test_only_messages_of_a_socket_have_a_body() -> None:
    message, connect = events.websocket(body="hi"), events.websocket("CONNECT")
    assert message["body"] == "hi"
    assert "body" not in connect
    assert connect["requestContext"]["routeKey"] == "$connect"
    assert connect["multiValueHeaders"]["Host"] == [connect["headers"]["Host"]]


def test_a_trigger_of_a_user_pool_waits_for_a_response() -> None:
    event = events.cognito("PostConfirmation_ConfirmSignUp", user="grace")
    assert event["triggerSource"].startswith("PostConfirmation")
    assert event["userName"] == "grace"
    assert event["response"]
