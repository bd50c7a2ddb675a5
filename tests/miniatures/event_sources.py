"""Mistakes that a runtime makes which knows what is in an event."""

import base64
import gzip
import json
from typing import Any
from urllib.parse import unquote_plus

from mutation import broken


def mangled(event: Any) -> Any:
    """The event as the handler gets it: as it is, but for one mistake."""
    if not isinstance(event, dict) or "do" in event:
        return event
    kept = dict(event)
    if broken("null-members-dropped") and "httpMethod" in event:
        kept = {name: value for name, value in event.items() if value is not None}
    if broken("cookies-joined") and "cookies" in event:
        kept["cookies"] = "; ".join(event["cookies"])
    if broken("single-values-only"):
        kept = {name: value for name, value in event.items() if not name.startswith("multiValue")}
    if broken("logs-unpacked") and "awslogs" in event:
        kept["awslogs"] = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    if broken("empty-members-as-lists"):
        kept = {name: [] if value == {} else value for name, value in event.items()}
    if "Records" in kept:
        kept["Records"] = records(kept["Records"])
    return [] if broken("objects-as-lists") and not kept else kept


def records(found: list[Any]) -> list[Any]:
    """The records of an event, but for one mistake."""
    if broken("first-record-only"):
        return found[:1]
    if broken("names-in-camel-case"):
        return [{name[:1].lower() + name[1:]: value for name, value in each.items()} for each in found]
    for each in found:
        if broken("keys-decoded") and "s3" in each:
            each["s3"]["object"]["key"] = unquote_plus(each["s3"]["object"]["key"])
        if broken("attributes-without-type") and "dynamodb" in each:
            image = each["dynamodb"].get("NewImage", {})
            each["dynamodb"]["NewImage"] = {name: next(iter(value.values())) for name, value in image.items()}
        if broken("times-in-seconds") and "kinesis" in each:
            each["kinesis"]["approximateArrivalTimestamp"] //= 1
    return found


def wrapped(event: Any, result: Any) -> Any:
    """The result as it is posted: as it is, but for one mistake."""
    if broken("result-wrapped") and isinstance(event, dict) and ".lambda-url." in json.dumps(event):
        return {"statusCode": 200, "body": json.dumps(result)}
    return result
