"""Whether an image is still what its spec says: told by the image's label, without a base and without a registry."""

from __future__ import annotations

from collections.abc import Sequence

from runtimebuilder.build.plan import PARTS_LABEL, differences, parts_of
from runtimebuilder.engine.bases import ResolvedBase
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.render.image import render_image
from runtimebuilder.render.mirror import Mirror
from runtimebuilder.spec.lock import Lock, pins_for
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec


def stale(
    runtime: RuntimeSpec, base: BaseSpec, image: ImageFacts, *, mirrors: Sequence[Mirror], lock: Lock | None
) -> tuple[str, ...]:
    """What has changed since the image was built, in the words of `plan`; () when nothing has.

    Whether the base has moved since is not asked: that would mean to fetch or to make it. Raises `SpecError` (2).
    """
    then = image.labels.get(PARTS_LABEL)
    if not then:
        return ()
    pins = pins_for(lock, runtime, base, image.platform)
    context = render_image(runtime, base, mirrors=tuple(mirrors), pins=pins)
    parts = dict(parts_of(runtime, context, ResolvedBase(base, "", "", None, "present"), pins))
    before = dict(part.split("=", 1) for part in then.split(";") if "=" in part)
    parts["base"] = before.get("base", "")
    return differences(then, parts)
