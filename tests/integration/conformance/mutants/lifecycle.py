"""For every case of starts, ends, the freezer and children a mistake that it has to find.

Most are made in tests/miniatures/lifecycle.py; LC-06, LC-07, LC-15 and LC-18 to LC-20 stand with the Runtime API's.
"""

from __future__ import annotations

from collections.abc import Mapping

MUTATIONS: Mapping[str, str] = {
    "LC-02": "starts-slowly",
    "LC-03": "lock-while-starting",
    "LC-09": "ends-for-good",
    "LC-10": "watchdog-by-clock",
    "LC-11": "sends-again-after-a-pause",
    "LC-12": "prints-after-response",
    "LC-13": "goodbye-in-3-s",
    "LC-14": "goodbye-in-400-ms",
    "LC-16": "answers-on-sigterm",
    "LC-17": "helper-as-daemon",
    "LC-22": "children-not-reaped",
}
