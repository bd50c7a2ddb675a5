"""What a setting of the runtime changes about its probe: the same handler can show less, or more."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from runtimebuilder.conformance.case import Need
from runtimebuilder.conformance.probes.known import NO_STREAM
from runtimebuilder.conformance.probes.probe import Probe

_OWN_PROCESS = "each event is handled in a process of its own (RUNTIMEBUILDER_STATE)"

_ALWAYS_STREAMED = "every answer of a page is streamed, and a stream may be larger"


def fitted(probe: Probe | None, environment: Mapping[str, str]) -> Probe | None:
    """The probe as it is under these variables of the function (docs/php.md, Settings)."""
    if probe is None or probe.name not in {"php-function", "php-fpm"}:
        return probe
    lacking = dict(probe.lacking)
    handler = probe.handler
    if _word(environment, "RUNTIMEBUILDER_STREAMING") in {"1", "true", "on", "yes"}:
        lacking = {need: why for need, why in lacking.items() if need not in NO_STREAM}
        if probe.name == "php-function":
            handler = "streaming.php"
        else:
            lacking[Need.LARGE] = _ALWAYS_STREAMED
    if probe.name == "php-function" and _word(environment, "RUNTIMEBUILDER_STATE") in {"fork", "process"}:
        lacking |= dict.fromkeys((Need.EXIT, Need.PROCESS), _OWN_PROCESS)
    return dataclasses.replace(probe, handler=handler, lacking=lacking)


def _word(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, "").strip().lower()
