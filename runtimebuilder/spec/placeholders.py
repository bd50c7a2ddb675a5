"""`{{ version }}` and `{{ xy }}` in a spec's texts: replaced, strictly, and nothing else.

This is no template language: a name between double braces, known or refused. Templates are render/'s
business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runtimebuilder.spec.problem import did_you_mean

_BRACES = re.compile(r"\{\{(?P<inside>.*?)\}\}|\{\{|\}\}", re.DOTALL)
_NAME = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*\Z")


class PlaceholderError(ValueError):
    """A placeholder that cannot be filled; `offset` and `length` are characters in the text."""

    def __init__(self, message: str, offset: int, length: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = length


def expand(text: str, values: Mapping[str, str]) -> str:
    """`text` with each `{{ name }}` replaced by its value. Raises `PlaceholderError`."""

    def replace(match: re.Match[str]) -> str:
        name = _NAME.match(match["inside"] or "")
        length = match.end() - match.start()
        if not name:
            message = f"{match[0]!r} is not a placeholder; write {{{{ name }}}} with one of {_listed(values)}"
            raise PlaceholderError(message, match.start(), length)
        if name[1] not in values:
            hint = did_you_mean(name[1], values) or f"; known are {_listed(values)}"
            raise PlaceholderError(f"unknown placeholder {name[1]!r}{hint}", match.start(), length)
        return values[name[1]]

    return _BRACES.sub(replace, text)


def placeholders_in(text: str) -> tuple[str, ...]:
    """The names between double braces, in their order."""
    inside = (_NAME.match(match["inside"] or "") for match in _BRACES.finditer(text))
    return tuple(name[1] for name in inside if name)


def _listed(values: Mapping[str, str]) -> str:
    return ", ".join(sorted(values))


def version_values(version: str) -> dict[str, str]:
    """The placeholders that a version gives: `version` is "8.2", `xy` is "82"."""
    return {"version": version, "xy": version.replace(".", "")}
