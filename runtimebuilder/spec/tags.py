"""Tags that a spec asks for: texts with placeholders, of which some are known when the image is there."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runtimebuilder.spec.model import RuntimeSpec
from runtimebuilder.spec.placeholders import expand, version_values

TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")
# What is known only later, as it might be.
LATER: Mapping[str, str] = {
    "php": "8.2.30",
    "git_sha": "0123456789ab-dirty",
    "date": "20261127",
    "arch": "amd64",
}


def tag_values(runtime: RuntimeSpec, base: str) -> Mapping[str, str]:
    """The placeholders that the spec alone fills."""
    return {**version_values(runtime.version), "variant": runtime.variant, "base": base}


def tag_problem(pattern: str, runtime: RuntimeSpec, base: str) -> str | None:
    """Why a tag cannot be; None when it can. Raises `PlaceholderError` for an unknown placeholder."""
    values = {
        **tag_values(runtime, base),
        **(LATER if runtime.has_php else {name: LATER[name] for name in LATER if name != "php"}),
    }
    example = expand(pattern, values)
    if TAG.match(example):
        return None
    return f"{pattern!r} gives {example!r}, which cannot be a tag: letters, digits, _ . and -, at most 128"
