"""Names of PHP's settings: to tell one that is nearly right. What is like none of them may be an extension's own."""

from __future__ import annotations

import difflib
import functools

from runtimebuilder import shipped

_NEAR = 0.88  # memory_limt and memory_limit: 0.96; opcache.jit and opcache.jit_debug, both there: 0.83


@functools.cache
def known_settings() -> frozenset[str]:
    """The names in templates/php/ini-settings.txt."""
    text = (shipped.directory("templates") / "php" / "ini-settings.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.split("\n") if line and not line.startswith("#"))


@functools.cache
def nearly(name: str) -> str | None:
    """The known setting that `name` was probably meant to be; None when it is one, or like none."""
    known = known_settings()
    if name in known:
        return None
    # A wrong letter leaves most names: only those of about that length can be near.
    candidates = sorted(one for one in known if abs(len(one) - len(name)) <= 2)
    near = difflib.get_close_matches(name, candidates, n=1, cutoff=_NEAR)
    return near[0] if near else None
