"""An event as it is given on the command line."""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path

from runtimebuilder.errors import SpecError
from runtimebuilder.events import samples

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_JSON_WORDS = ("false", "null", "true")


def event_bytes(text: str) -> bytes:
    """`@FILE`, the name of a sample, or the event itself, which need not be JSON.

    Raises `SpecError` for a word that is neither JSON nor a sample, and for a file that cannot be read.
    """
    if text.startswith("@"):
        try:
            return Path(text[1:]).read_bytes()
        except OSError as problem:
            raise SpecError(f"--event: {text[1:]} cannot be read: {problem.strerror}") from problem
    if text in samples.names():
        return json.dumps(samples.sample(text), ensure_ascii=False).encode()
    if _NAME.fullmatch(text) and text not in _JSON_WORDS:
        near = difflib.get_close_matches(text, samples.names(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(samples.names())}"
        raise SpecError(f"--event: {text!r} is neither JSON nor the name of a sample", hint=hint)
    return text.encode()
