"""Subscribing to telemetry, and the answer of the Logs API (catalogue EX-13, EX-15, RI-09)."""

from __future__ import annotations

import json
import uuid

import pytest

from runtimebuilder.emulator import Emulator
from runtimebuilder.emulator.telemetry_api import Subscription
from tests.unit.emulator.conftest import Connect
from tests.unit.emulator.test_extensions_api import IDENTIFIER, registered
from tests.unit.emulator.wire import NEXT, Client, Got

TELEMETRY = "/2022-07-01/telemetry"
LOGS = "/2020-08-15/logs"
WANTED = {
    "schemaVersion": "2022-12-13",
    "types": ["platform", "function"],
    "buffering": {"maxItems": 1000, "timeoutMs": 25},
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/"},
}


def put(client: Client, path: str, identifier: str, wanted: object) -> Got:
    client.ask("PUT", path, json.dumps(wanted).encode(), f"{IDENTIFIER}: {identifier}")
    return client.read()


def test_a_subscription_is_taken_and_kept(emulator: Emulator, client: Client) -> None:
    identifier = registered(client)
    got = put(client, TELEMETRY, identifier, WANTED)
    assert (got.status, got.body) == (200, b"OK")
    assert emulator.telemetry_subscriptions() == (
        Subscription(
            "one",
            "2022-12-13",
            ("platform", "function"),
            "http://sandbox.localdomain:4243/",
            max_items=1000,
            max_bytes=262_144,
            timeout_ms=25,
        ),
    )
    put(client, TELEMETRY, identifier, {**WANTED, "types": ["extension"]})
    assert [one.types for one in emulator.telemetry_subscriptions()] == [("extension",)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schemaVersion": "2020"}, "schemaVersion is not one of 2022-07-01, 2022-12-13, 2025-01-29"),
        ({"types": []}, "types is not a list of platform, function, extension"),
        ({"buffering": {"maxItems": 999}}, "buffering.maxItems is not between 1000 and 10000"),
        ({"buffering": {"timeoutMs": True}}, "buffering.timeoutMs is not between 25 and 30000"),
        ({"destination": None}, "destination.protocol is neither HTTP nor TCP"),
        (
            {"destination": {"protocol": "HTTP", "URI": "http://example.com/"}},
            "destination.URI does not begin with http://sandbox.localdomain",
        ),
    ],
)
def test_a_bad_subscription_is_refused(
    emulator: Emulator, client: Client, change: dict[str, object], message: str
) -> None:
    got = put(client, TELEMETRY, registered(client), {**WANTED, **change})
    assert (got.status, got.json()) == (400, {"errorMessage": message, "errorType": "ValidationError"})
    assert emulator.telemetry_subscriptions() == ()


def test_nobody_subscribes_after_the_start(emulator: Emulator, connect: Connect) -> None:
    extension = connect()
    identifier = registered(extension)
    connect().ask("GET", NEXT)
    assert emulator.wait_ready(3)
    got = put(extension, TELEMETRY, identifier, WANTED)
    assert (got.status, got.json()["errorType"]) == (403, "Telemetry.SubscriptionClosed")


def test_a_stranger_cannot_subscribe(client: Client) -> None:
    unknown = str(uuid.uuid4())
    got = put(client, TELEMETRY, unknown, WANTED)
    assert (got.status, got.body) == (
        403,
        f'{{"errorMessage":"Unknown extension {unknown}",'
        '"errorType":"Extension.UnknownExtensionIdentifier"}\n'.encode(),
    )


def test_the_logs_api_is_not_supported_any_more(client: Client) -> None:
    got = put(client, LOGS, registered(client), WANTED)
    body = b'{"errorMessage":"Logs API is not supported","errorType":"Logs.NotSupported"}\n'
    assert (got.status, got.body) == (202, body)
