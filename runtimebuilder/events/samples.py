"""Events that are not HTTP, ready-made: queue messages and direct invocations."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

from runtimebuilder.events.web import ACCOUNT, REGION, TIME_EPOCH_MS

_MESSAGES = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def sqs(*bodies: str, queue: str = "orders", group: str | None = None) -> Mapping[str, Any]:
    """A batch of messages from a standard queue; with `group`, a message group, from a FIFO queue.

    Shape: `with-sqs` of the Lambda guide. Ids are made from place and body: the same batch has the same ids.
    """
    return {"Records": [_message(place, body, queue, group) for place, body in enumerate(bodies or ("{}",))]}


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
