"""Volumes and networks of the engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runtimebuilder.engine.docker import Engine, EngineError, asking


@dataclass(frozen=True)
class Network:
    """A bridge network: `gateway` is the host's address in it."""

    id: str
    name: str
    gateway: str


def create_volume(engine: Engine, name: str, *, options: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """Create a volume of the local driver; `options` are those of mount(8): type, device, o. Its name."""
    with asking(f"to create volume {name}"):
        engine.api.create_volume(name, driver="local", driver_opts=dict(options), labels=dict(labels))
    return name


def remove_volume(engine: Engine, name: str) -> None:
    """Remove a volume that no container uses. Nothing happens when it is gone."""
    try:
        with asking(f"to remove volume {name}"):
            engine.api.remove_volume(name, force=True)
    except EngineError as error:
        if error.status != 404:
            raise


def volumes_with_label(engine: Engine, label: str) -> tuple[tuple[str, int], ...]:
    """Names of the volumes that carry `label`, sorted, and their birth in Unix seconds."""
    with asking("for its volumes"):
        found = engine.api.volumes(filters={"label": [label]})
    return tuple(
        sorted(
            (str(row["Name"]), unix_seconds(str(row.get("CreatedAt") or "")))
            for row in found.get("Volumes") or ()
        )
    )


def create_bridge_network(
    engine: Engine, name: str, *, labels: Mapping[str, str], internal: bool = True
) -> Network:
    """Create a bridge network. From an `internal` one nothing but the host's own address in it can be reached."""
    with asking(f"to create network {name}"):
        made = engine.api.create_network(name, driver="bridge", internal=internal, labels=dict(labels))
        found = engine.api.inspect_network(made["Id"])
    gateway = _gateway(found)
    if gateway is not None:
        return Network(str(made["Id"]), name, gateway)
    remove_network(engine, str(made["Id"]))
    raise EngineError(
        f"network {name} has no IPv4 gateway address", hint="the engine's address pools may be used up"
    )


def _gateway(network: Mapping[str, Any]) -> str | None:
    """The engine's own IPv4 address in a network."""
    for pool in (network.get("IPAM") or {}).get("Config") or ():
        address = str(pool.get("Gateway") or "").partition("/")[0]
        if "." in address:
            return address
    return None


def remove_network(engine: Engine, network: str) -> None:
    """Remove a network by name or id. Nothing happens when it is gone."""
    try:
        with asking(f"to remove network {network}"):
            engine.api.remove_network(network)
    except EngineError as error:
        if error.status != 404:
            raise


def networks_with_label(engine: Engine, label: str) -> tuple[tuple[str, int], ...]:
    """Ids of the networks that carry `label`, sorted, and their birth in Unix seconds."""
    with asking("for its networks"):
        found = engine.api.networks(filters={"label": [label]})
    return tuple(sorted((str(row["Id"]), unix_seconds(str(row.get("Created") or ""))) for row in found))


def unix_seconds(text: str) -> int:
    """The engine's RFC 3339 times, with nanoseconds or without; 0 for what is none."""
    whole = re.sub(r"\.\d+", "", text).replace("Z", "+00:00")
    try:
        when = datetime.fromisoformat(whole)
    except ValueError:
        return 0
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
