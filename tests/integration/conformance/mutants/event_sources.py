"""A mistake for each source of events."""

from __future__ import annotations

from collections.abc import Mapping

MUTATIONS: Mapping[str, str] = {
    "PL-01": "null-members-dropped",
    "PL-02": "cookies-joined",
    "PL-03": "single-values-only",
    "PL-04": "result-wrapped",
    "PL-05": "first-record-only",
    "PL-06": "names-in-camel-case",
    "PL-07": "keys-decoded",
    "PL-08": "empty-members-as-lists",
    "PL-09": "attributes-without-type",
    "PL-10": "times-in-seconds",
    "PL-11": "error-without-type",
    "PL-12": "objects-as-lists",
    "PL-13": "logs-unpacked",
}
