"""For every case a subject on which it fails: a mutation of the miniature, a broken image, a false description.

One module per part of the catalogue. `MUTATIONS`: case number -> value of MUTATION for the bootstrap in
tests/miniatures; `IMAGES`: case number -> Dockerfile lines on top of the miniature's image; `DESCRIPTIONS`: case
number -> what of the image's description is falsified, because no test machine should make such an image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from tests.integration.conformance.mutants import (
    concurrency,
    event_sources,
    extensions,
    lifecycle,
    runtime_api,
    snapstart,
    streaming,
    surroundings,
)

_T = TypeVar("_T")


def _joined(parts: Iterable[Mapping[str, _T]]) -> Mapping[str, _T]:
    """All parts in one; a case that stands in two of them is a mistake."""
    found: dict[str, _T] = {}
    for part in parts:
        twice = found.keys() & part.keys()
        if twice:
            raise ValueError(f"two mutants tables name {sorted(twice)}")
        found.update(part)
    return found


PARTS = (runtime_api, streaming, snapstart, concurrency, event_sources, lifecycle, extensions, surroundings)
"""One module for each part of the catalogue; it leaves out the tables that would be empty."""

MUTATIONS: Mapping[str, str] = _joined(getattr(part, "MUTATIONS", {}) for part in PARTS)
IMAGES: Mapping[str, str] = _joined(getattr(part, "IMAGES", {}) for part in PARTS)
DESCRIPTIONS: Mapping[str, Mapping[str, object]] = _joined(
    getattr(part, "DESCRIPTIONS", {}) for part in PARTS
)
