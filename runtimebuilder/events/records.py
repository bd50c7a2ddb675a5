"""Records of what has changed: objects of S3, items of DynamoDB, data of Kinesis."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

from runtimebuilder.events.web import ACCOUNT, REGION, SOURCE_IP, TIME_EPOCH_MS

Item = Mapping[str, Any]
"""An item of a table in plain values: text, numbers, bytes, booleans, None, lists, mappings, sets of a kind."""

_SEQUENCE = (
    49_545_115_243_490_985_018_280_067_714_973_144_582_180_062_593_244_200_961  # as large as they come
)


def s3(
    *keys: str,
    bucket: str = "uploads",
    event: str = "ObjectCreated:Put",
    size: int = 1024,
) -> Mapping[str, Any]:
    """Notifications of a bucket. Keys as they are: in the event they stand encoded, a space as `+`.

    Shape: `notification-content-structure` of the S3 guide.
    """
    return {
        "Records": [
            _object(place, key, bucket, event, size) for place, key in enumerate(keys or ("photo.jpg",))
        ]
    }


def dynamodb(
    *changes: tuple[Item | None, Item | None], table: str = "orders", key: str = "id"
) -> Mapping[str, Any]:
    """Changes of a table's items: (before, after) each, None for an item that was not there or is not any more.

    `key` is the member that is the item's key. Shape: `with-ddb` of the Lambda guide. Numbers are texts, and the
    time of the change a float.
    """
    pairs = enumerate(changes or _CHANGES)
    return {"Records": [_change(place, before, after, table, key) for place, (before, after) in pairs]}


def kinesis(*data: bytes, stream: str = "clicks", partition_key: str = "user-1") -> Mapping[str, Any]:
    """Records of a stream, whose data is base64 in the event. Shape: `with-kinesis` of the Lambda guide."""
    return {
        "Records": [
            _record(place, each, stream, partition_key) for place, each in enumerate(data or (b"click",))
        ]
    }


def attribute(value: Any) -> Mapping[str, Any]:
    """A value with its type, as DynamoDB writes it: `{"N": "1.5"}`. TypeError for what a table cannot hold."""
    for kinds, write in _WRITERS:
        if isinstance(value, kinds):
            return write(value)
    raise TypeError(f"a table has no attribute of the type {type(value).__name__}")


_CHANGES: tuple[tuple[Item | None, Item | None], ...] = (
    (
        None,
        {
            "id": "A-1001",
            "total": Decimal("7.50"),
            "tags": {"new", "gift"},
            "scan": b"\x00\xff",
            "note": None,
        },
    ),
    ({"id": "A-1000", "paid": False}, {"id": "A-1000", "paid": True}),
    ({"id": "A-0999"}, None),
)


def _object(place: int, key: str, bucket: str, event: str, size: int) -> Mapping[str, Any]:
    removed = event.startswith("ObjectRemoved")
    stored: dict[str, Any] = {"key": quote_plus(key, safe="/"), "sequencer": f"{0x0066C10000 + place:016X}"}
    if not removed:
        stored |= {"size": size, "eTag": f"{place:032x}"}
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": "2026-01-01T00:00:00.000Z",
        "eventName": event,
        "userIdentity": {"principalId": "AWS:AIDAEXAMPLE0123456789"},
        "requestParameters": {"sourceIPAddress": SOURCE_IP},
        "responseElements": {"x-amz-request-id": "EXAMPLE0123456789", "x-amz-id-2": "example/id+two="},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads-to-function",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "A3EXAMPLE"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": stored,
        },
    }


def _change(place: int, before: Item | None, after: Item | None, table: str, key: str) -> Mapping[str, Any]:
    name = "MODIFY"
    if before is None or after is None:
        name = "INSERT" if before is None else "REMOVE"
    known = after if after is not None else before
    change: dict[str, Any] = {
        "ApproximateCreationDateTime": TIME_EPOCH_MS / 1000,
        "Keys": {key: attribute((known or {}).get(key, ""))},
        "SequenceNumber": str(_SEQUENCE % 10**24 + place),
        "SizeBytes": 59,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    for member, item in (("NewImage", after), ("OldImage", before)):
        if item is not None:
            change[member] = {each: attribute(value) for each, value in item.items()}
    return {
        "eventID": f"{place:032x}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": change,
        "eventSourceARN": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/2026-01-01T00:00:00.000",
    }


def _record(place: int, data: bytes, stream: str, partition_key: str) -> Mapping[str, Any]:
    sequence = str(_SEQUENCE + place)
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": partition_key,
            "sequenceNumber": sequence,
            "data": base64.b64encode(data).decode(),
            "approximateArrivalTimestamp": TIME_EPOCH_MS / 1000 + 0.128 + place,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{ACCOUNT}:role/consumer",
        "awsRegion": REGION,
        "eventSourceARN": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}",
    }


def _set(values: set[Any] | frozenset[Any]) -> Mapping[str, Any]:
    kinds = {next(iter(attribute(each))) for each in values}
    if len(kinds) != 1 or not kinds <= {"S", "N", "B"}:
        raise TypeError("a set of a table holds texts, numbers or bytes, all of one kind, and at least one")
    (kind,) = kinds
    return {f"{kind}S": sorted(attribute(each)[kind] for each in values)}


# bool stands before int, which it is one of
_WRITERS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Mapping[str, Any]]], ...] = (
    (type(None), lambda _: {"NULL": True}),
    (bool, lambda value: {"BOOL": value}),
    (str, lambda value: {"S": value}),
    ((int, float, Decimal), lambda value: {"N": str(value)}),
    (bytes, lambda value: {"B": base64.b64encode(value).decode()}),
    (Mapping, lambda value: {"M": {name: attribute(each) for name, each in value.items()}}),
    ((list, tuple), lambda value: {"L": [attribute(each) for each in value]}),
    ((set, frozenset), _set),
)
