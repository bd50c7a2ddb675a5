"""Objects of S3, items of DynamoDB, data of Kinesis: encoded as the services do it."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from urllib.parse import unquote_plus

import pytest

from runtimebuilder import events
from runtimebuilder.events.records import attribute


def test_keys_of_objects_stand_encoded() -> None:
    keys = ("a b/c+d.txt", "100% é.txt")
    stored = [record["s3"]["object"]["key"] for record in events.s3(*keys)["Records"]]
    assert stored == ["a+b/c%2Bd.txt", "100%25+%C3%A9.txt"]
    assert tuple(map(unquote_plus, stored)) == keys


def test_a_removed_object_has_no_size() -> None:
    (removed,) = events.s3("x", event="ObjectRemoved:Delete")["Records"]
    (created,) = events.s3("x", size=7)["Records"]
    assert sorted(removed["s3"]["object"]) == ["key", "sequencer"]
    assert created["s3"]["object"]["size"] == 7


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, {"NULL": True}),
        (True, {"BOOL": True}),
        ("x", {"S": "x"}),
        (1, {"N": "1"}),
        (Decimal("7.50"), {"N": "7.50"}),
        (b"\x00\xff", {"B": "AP8="}),
        ([1, "x"], {"L": [{"N": "1"}, {"S": "x"}]}),
        ({"a": {}}, {"M": {"a": {"M": {}}}}),
        ({"b", "a"}, {"SS": ["a", "b"]}),
        (frozenset({2, 1}), {"NS": ["1", "2"]}),
        ({b"x"}, {"BS": ["eA=="]}),
    ],
)
def test_attributes_have_their_type(value: object, written: object) -> None:
    assert attribute(value) == written


@pytest.mark.parametrize("value", [object(), set(), {1, "x"}, {None}])
def test_what_a_table_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="table"):
        attribute(value)


def test_a_change_tells_what_was_and_what_is() -> None:
    inserted, modified, removed = events.dynamodb(
        (None, {"id": "1"}), ({"id": "2", "n": 1}, {"id": "2", "n": 2}), ({"id": "3"}, None)
    )["Records"]
    assert [one["eventName"] for one in (inserted, modified, removed)] == ["INSERT", "MODIFY", "REMOVE"]
    assert modified["dynamodb"]["OldImage"] == {"id": {"S": "2"}, "n": {"N": "1"}}
    assert modified["dynamodb"]["NewImage"] == {"id": {"S": "2"}, "n": {"N": "2"}}
    assert "OldImage" not in inserted["dynamodb"]
    assert "NewImage" not in removed["dynamodb"]
    assert removed["dynamodb"]["Keys"] == {"id": {"S": "3"}}
    assert isinstance(inserted["dynamodb"]["ApproximateCreationDateTime"], float)


def test_data_of_a_stream_is_base64_and_numbers_are_large() -> None:
    first, second = events.kinesis(b"\xff", b"two")["Records"]
    assert base64.b64decode(first["kinesis"]["data"]) == b"\xff"
    assert int(second["kinesis"]["sequenceNumber"]) > 2**128
    assert second["eventID"].endswith(second["kinesis"]["sequenceNumber"])
    assert isinstance(first["kinesis"]["approximateArrivalTimestamp"], float)


@pytest.mark.parametrize("build", [events.s3, events.dynamodb, events.kinesis])
def test_events_are_json_and_the_same_each_time(build: object) -> None:
    assert callable(build)
    assert json.loads(json.dumps(build())) == build()
