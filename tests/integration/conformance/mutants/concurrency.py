"""Mistakes with several events at once."""

from __future__ import annotations

from collections.abc import Mapping

# case number -> value of MUTATION in tests/miniatures
MUTATIONS: Mapping[str, str] = {
    "RT-031": "trace-set-among-workers",
    "MI-01": "two-workers-always",
    "MI-02": "one-worker-too-many",
    "MI-03": "one-context-for-all",
    "MI-04": "log-of-last-request",
    "MI-05": "worker-ends-all",
    "MI-06": "410-ends-worker",
    "MI-08": "next-with-body",
    "MI-09": "lost-connection-ends-worker",
    "MI-10": "events-through-one-file",
    "MI-12": "huge-message-uncut",
}
