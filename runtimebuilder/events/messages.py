"""Messages: of a queue (SQS), a topic (SNS), an event bus (EventBridge), and what a caller hands over itself."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from runtimebuilder.events.web import ACCOUNT, REGION, TIME_EPOCH_MS

_TIME = "2026-01-01T00:00:00.000Z"
_MESSAGES = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def sqs(*bodies: str, queue: str = "orders", group: str | None = None) -> Mapping[str, Any]:
    """A batch of messages from a standard queue; with `group`, a message group, from a FIFO queue.

    Shape: `with-sqs` of the Lambda guide. Ids are made from place and body: the same batch has the same ids.
    """
    return {"Records": [_message(place, body, queue, group) for place, body in enumerate(bodies or ("{}",))]}


def sns(
    *messages: str,
    topic: str = "alerts",
    subject: str | None = None,
    attributes: Mapping[str, str] | None = None,
) -> Mapping[str, Any]:
    """Messages of a topic; the service hands over one at a time.

    Shape: `with-sns` of the Lambda guide. Member names are in PascalCase; `attributes` are of type String.
    """
    return {
        "Records": [_published(message, topic, subject, attributes or {}) for message in messages or ("{}",)]
    }


def eventbridge(
    detail_type: str = "Order placed",
    detail: Mapping[str, Any] | None = None,
    *,
    source: str = "shop.orders",
    resources: Sequence[str] = (),
) -> Mapping[str, Any]:
    """An event of a bus. `detail` None is the empty object that scheduled events have: it has to stay one.

    Shape: `aws-events` of the EventBridge guide.
    """
    detail = {} if detail is None else detail
    return {
        "version": "0",
        "id": str(uuid.uuid5(_MESSAGES, f"{source} {detail_type}")),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z",
        "region": REGION,
        "resources": list(resources),
        "detail": detail,
    }


def schedule(rule: str = "nightly") -> Mapping[str, Any]:
    """What a scheduled rule of EventBridge sends."""
    arn = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}"
    return eventbridge("Scheduled Event", source="aws.events", resources=(arn,))


def step_functions(
    state_input: Any = None, *, token: str | None = None, error: tuple[str, str] | None = None
) -> Any:
    """The input of a Task state: any JSON value, as it is; an order without one.

    With `token` as a state gets it that waits for a callback; with `error` (its name and cause) as a state
    gets it that catches an error.
    """
    value = {"orderId": "A-1001", "items": [{"sku": "tea", "count": 2}], "total": 7.5}
    if error is not None:
        value = {"Error": error[0], "Cause": error[1]}
    elif state_input is not None:
        value = state_input
    return value if token is None else {"taskToken": token, "input": value}


def direct(value: Any = None) -> Any:
    """What a direct invocation hands over: any JSON value as it is; without one, a small object."""
    return (
        {"name": "Ada", "tags": ["a", "b"], "nested": {"empty": {}, "none": None}} if value is None else value
    )


def _message(place: int, body: str, queue: str, group: str | None) -> Mapping[str, Any]:
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": str(TIME_EPOCH_MS + place),
        "SenderId": "AIDAEXAMPLE0123456789",
        "ApproximateFirstReceiveTimestamp": str(TIME_EPOCH_MS + place + 4),
    }
    if group is not None:
        attributes |= {
            "SequenceNumber": str(18_849_496_460_467_696_128 + place),
            "MessageGroupId": group,
            "MessageDeduplicationId": hashlib.sha256(body.encode()).hexdigest(),
        }
    return {
        "messageId": str(uuid.uuid5(_MESSAGES, f"{place} {body}")),
        "receiptHandle": f"AQEBexample{place:04d}==",
        "body": body,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}{'.fifo' if group is not None else ''}",
        "awsRegion": REGION,
    }


def _published(
    message: str, topic: str, subject: str | None, attributes: Mapping[str, str]
) -> Mapping[str, Any]:
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}"
    host = f"https://sns.{REGION}.amazonaws.com"
    return {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{arn}:{uuid.uuid5(_MESSAGES, topic)}",
        "Sns": {
            "Type": "Notification",
            "MessageId": str(uuid.uuid5(_MESSAGES, f"{topic} {message}")),
            "TopicArn": arn,
            "Subject": subject,
            "Message": message,
            "Timestamp": _TIME,
            "SignatureVersion": "1",
            "Signature": "ZXhhbXBsZQ==",
            "SigningCertUrl": f"{host}/SimpleNotificationService-example.pem",
            "UnsubscribeUrl": f"{host}/?Action=Unsubscribe&SubscriptionArn={arn}",
            "MessageAttributes": {
                name: {"Type": "String", "Value": value} for name, value in attributes.items()
            },
        },
    }
