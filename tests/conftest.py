"""What all tests share."""

from __future__ import annotations

import os

# testcontainers' reaper is an image that a closed network cannot pull; our tests remove what they make, by label.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

# A job of GitHub Actions that runs our tests shall not show what the tests make verify say to it.
for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
    os.environ.pop(name, None)
