"""For every case of extensions a mistake that it has to find, most in tests/miniatures/extensions.py."""

from __future__ import annotations

from collections.abc import Mapping

MUTATIONS: Mapping[str, str] = {
    "EX-01": "internal-without-name",
    "EX-02": "internal-asks-for-shutdown",
    "EX-03": "internal-registers-late",
    "EX-11": "kills-strangers",
    "EX-17": "internal-never-asks",
}
