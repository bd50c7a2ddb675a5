"""What a setting of the runtime changes about its probe: the same handler can show less, or more."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from runtimebuilder.conformance.case import Need
from runtimebuilder.conformance.probes.probe import Probe

_OWN_PROCESS = "each event is handled in a process of its own (RUNTIMEBUILDER_STATE)"


def fitted(probe: Probe | None, environment: Mapping[str, str]) -> Probe | None:
    """The probe as it is under these variables of the function (docs/php.md, Settings)."""
    if probe is None or probe.name != "php-function":
        return probe
    if environment.get("RUNTIMEBUILDER_STATE", "").strip().lower() not in {"fork", "process"}:
        return probe
    own = dict.fromkeys((Need.EXIT, Need.PROCESS), _OWN_PROCESS)
    return dataclasses.replace(probe, lacking={**probe.lacking, **own})
