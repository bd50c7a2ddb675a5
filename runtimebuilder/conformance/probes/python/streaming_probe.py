"""The Python probe for runtimes that stream: `stream` gives an iterator of bytes, the rest is the ordinary probe.

The iterator may tell two things by attributes: `content_type`, and `prelude`, an object with statusCode, headers and
cookies for an HTTP caller. Both are None where nothing is said.
"""

import importlib
import time
from typing import Any, Iterator  # noqa: UP035 - for Python 3.6 to 3.8 too

probe = importlib.import_module("probe")


def handler(event: Any, context: Any) -> Any:
    if isinstance(event, dict) and event.get("do") == "stream":
        return Stream(event)
    return probe.handler(event, context)


class Stream:
    """The steps of a `stream` command, each taken when the runtime asks for it."""

    def __init__(self, event: Any) -> None:
        self.content_type = event.get("content_type")
        self.prelude = event.get("http")
        self._pieces = _pieces(event["steps"])

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)


def _pieces(steps: Any) -> Iterator[bytes]:
    for step in steps:
        if "pause" in step:
            time.sleep(step["pause"])
        elif "raise" in step:
            probe.handler({"do": "raise", "message": step["raise"]}, None)
        else:
            for _ in range(step.get("times", 1)):
                yield _piece(step)


def _piece(step: Any) -> bytes:
    """New bytes every time: who keeps them all shall need the memory for it."""
    if "bytes" in step:
        return b"x" * int(step["bytes"])
    return bytes.fromhex(step["hex"]) if "hex" in step else str(step["text"]).encode("utf-8")
