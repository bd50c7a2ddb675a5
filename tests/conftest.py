"""What all tests share."""

from __future__ import annotations

import os

# testcontainers' reaper is an image that a closed network cannot pull; our tests remove what they make, by label.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
