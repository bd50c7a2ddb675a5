"""Features that a runtime may have or not: SnapStart hooks, several events at once.

A runtime that has one is judged by its cases; for one that has not, they are unsupported. Who declares a feature has
it, and must show it; otherwise the suite looks whether it shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from runtimebuilder.conformance.case import Need
from runtimebuilder.conformance.expectation import fail, unsupported
from runtimebuilder.conformance.probes.probe import Probe
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.errors import SpecError

FEATURES_LABEL = "dev.runtimebuilder.features"
"""The label by which an image says what its runtime has, for example "snapstart,concurrency"."""

FEATURES = (Need.SNAPSTART, Need.CONCURRENCY)
"""What can be declared."""


class Features:
    """What the image or the probe declares, and what the run has found missing so far."""

    def __init__(self, declared: Iterable[Need]) -> None:
        self._declared = frozenset(declared)
        self._missing: dict[Need, str] = {}

    def declares(self, feature: Need) -> bool:
        """Whether the runtime is said to have it."""
        return feature in self._declared

    def look_for(self, feature: Need) -> None:
        """Go on, unless the runtime is known not to have this feature: then the case is unsupported."""
        if feature in self._missing:
            unsupported(self._missing[feature])

    def is_missing(self, feature: Need, *, expected: str, seen: str) -> None:
        """The feature does not show: the case fails where it is declared, and is unsupported elsewhere."""
        if self.declares(feature):
            fail(expected=expected, seen=seen)
        self._missing[feature] = (
            f"{seen}: no feature of this runtime (one that must have it is labelled {FEATURES_LABEL}={feature})"
        )
        unsupported(self._missing[feature])


def declared_features(image: ImageFacts, probe: Probe | None) -> tuple[Need, ...]:
    """What the image's label and the probe say that the runtime has; `SpecError` for an unknown word."""
    words = re.findall(r"[^,\s]+", image.labels.get(FEATURES_LABEL, "").lower())
    unknown = [word for word in words if word not in FEATURES]
    if unknown:
        raise SpecError(
            f"the image's label {FEATURES_LABEL} names an unknown feature {unknown[0]!r}",
            hint=f"features are: {', '.join(FEATURES)}",
        )
    told = () if probe is None else probe.features
    return tuple(one for one in FEATURES if one in words or one in told)
