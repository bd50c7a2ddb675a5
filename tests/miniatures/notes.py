"""What the parts of the miniature say, and what some mistakes remember."""

import sys
from typing import Any

first: dict[str, Any] = {}  # what some mutations remember of the first invoke


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
