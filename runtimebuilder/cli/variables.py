"""`--env NAME=VALUE`, for every command that starts a function."""

from __future__ import annotations

from collections.abc import Sequence

from runtimebuilder.errors import SpecError


def parse_variables(pairs: Sequence[str]) -> dict[str, str]:
    """The variables by name; the last one of a name wins. Raises `SpecError` (exit 2) for what is not NAME=VALUE."""
    variables = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise SpecError(f"--env {pair!r} is not of the form NAME=VALUE")
        variables[name] = value
    return variables
