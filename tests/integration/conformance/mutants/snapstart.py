"""Mistakes around snapshots."""

from __future__ import annotations

from collections.abc import Mapping

# case number -> value of MUTATION in tests/miniatures
MUTATIONS: Mapping[str, str] = {
    "SS-01": "restore-always",
    "SS-02": "hooks-after-snapshot",
    "SS-03": "before-hook-unreported",
    "SS-04": "after-hook-unreported",
    "SS-07": "needs-log-group",
}
