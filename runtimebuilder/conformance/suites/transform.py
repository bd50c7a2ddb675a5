"""jq programs on JSON values. The binding is an extra: without it only suites that need it cannot be run."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from runtimebuilder.errors import EnvironmentProblemError


class TransformError(Exception):
    """jq could not take the program, or the program the value; the text is jq's own."""


def check_program(program: str) -> None:
    """Raise what `transformed` would raise for the program alone."""
    _compiled(program)


def transformed(program: str, value: Any) -> list[Any]:
    """All results of a jq program on a value, nulls left out.

    Raises `TransformError`, and `EnvironmentProblemError` (exit 4) when jq is not installed.
    """
    compiled = _compiled(program)
    try:
        results = compiled.input_value(value).all()
    except (ValueError, TypeError) as problem:
        raise TransformError(f"jq {program!r}: {problem}") from problem
    return [result for result in results if result is not None]


@functools.lru_cache(maxsize=256)
def _compiled(program: str) -> Any:
    try:
        jq = importlib.import_module("jq")  # an extra
    except ImportError as missing:
        raise EnvironmentProblemError(
            "the suite transforms what it compares, which takes jq",
            hint="pip install 'runtimebuilder[suites]'",
        ) from missing
    try:
        return jq.compile(program)
    except ValueError as problem:
        raise TransformError(f"jq {program!r}: {problem}") from problem
