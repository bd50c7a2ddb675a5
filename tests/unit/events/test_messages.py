"""Queue messages and direct invocations."""

from __future__ import annotations

import hashlib
import json

import pytest

from runtimebuilder import events


def test_a_batch_has_a_record_for_each_body() -> None:
    event = events.sqs("one", "zwei é")
    assert [record["body"] for record in event["Records"]] == ["one", "zwei é"]
    assert len({record["messageId"] for record in event["Records"]}) == 2
    assert len({record["receiptHandle"] for record in event["Records"]}) == 2
    assert event == events.sqs("one", "zwei é")
    assert json.loads(json.dumps(event)) == event


def test_a_record_has_the_members_of_the_service() -> None:
    (record,) = events.sqs("x", queue="mail")["Records"]
    assert sorted(record) == [
        "attributes",
        "awsRegion",
        "body",
        "eventSource",
        "eventSourceARN",
        "md5OfBody",
        "messageAttributes",
        "messageId",
        "receiptHandle",
    ]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == "arn:aws:sqs:eu-west-1:123456789012:mail"
    assert record["md5OfBody"] == hashlib.md5(b"x", usedforsecurity=False).hexdigest()
    assert all(isinstance(value, str) for value in record["attributes"].values())


def test_a_fifo_queue_adds_its_attributes() -> None:
    standard, fifo = events.sqs("x")["Records"][0], events.sqs("x", group="g")["Records"][0]
    assert fifo["eventSourceARN"].endswith(":orders.fifo")
    assert sorted(set(fifo["attributes"]) - set(standard["attributes"])) == [
        "MessageDeduplicationId",
        "MessageGroupId",
        "SequenceNumber",
    ]
    assert fifo["attributes"]["MessageGroupId"] == "g"


@pytest.mark.parametrize("value", ["s", 0, False, [], {}, 1.5])
def test_a_direct_event_is_any_value(value: object) -> None:
    assert events.direct(value) == value


def test_the_direct_sample_has_what_is_easily_lost() -> None:
    assert events.direct()["nested"] == {"empty": {}, "none": None}


def test_a_topic_hands_over_in_pascal_case() -> None:
    (record,) = events.sns("hi", topic="news", subject="s", attributes={"kind": "a"})["Records"]
    assert record["EventSource"] == "aws:sns"
    assert record["Sns"]["TopicArn"] == "arn:aws:sns:eu-west-1:123456789012:news"
    assert (record["Sns"]["Subject"], record["Sns"]["Message"]) == ("s", "hi")
    assert record["Sns"]["MessageAttributes"] == {"kind": {"Type": "String", "Value": "a"}}
    assert events.sns("hi")["Records"][0]["Sns"]["Subject"] is None


def test_an_event_of_a_bus_has_its_detail() -> None:
    event = events.eventbridge("Order placed", {"id": 1}, source="shop", resources=("arn:x",))
    assert (event["detail-type"], event["detail"], event["resources"]) == (
        "Order placed",
        {"id": 1},
        ["arn:x"],
    )
    assert events.eventbridge()["detail"] == {}
    assert events.schedule("hourly")["resources"] == ["arn:aws:events:eu-west-1:123456789012:rule/hourly"]


def test_a_state_gets_any_input_a_token_or_an_error() -> None:
    assert events.step_functions([1]) == [1]
    assert events.step_functions(False) is False
    assert events.step_functions({"a": 1}, token="t") == {"taskToken": "t", "input": {"a": 1}}  # noqa: S106 - made up
    assert events.step_functions(error=("E", "c")) == {"Error": "E", "Cause": "c"}
