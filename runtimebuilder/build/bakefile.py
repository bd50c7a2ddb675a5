"""A plan as a file for `docker buildx bake`, with its contexts in a folder: for builders that we do not drive."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from runtimebuilder.build.execute import Execution
from runtimebuilder.build.plan import Step
from runtimebuilder.engine.bake import BakeTarget, bake_file, target_names
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.oci_layout import write_layout


def write_bake(
    engine: Engine, plan: Sequence[Step], how: Execution, folder: Path, *, carry_bases: bool = False
) -> str:
    """Write the plan's contexts into `folder` (one folder each) and return the text of the bake file for them.

    Paths in it are as `folder` is given: from where bake shall be run, or absolute. `carry_bases`: bases that only this
    engine has are written too, as OCI layouts. Raises `SpecError` (exit 2) when a folder holds what is not ours.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    times = Counter(step.runtime.name for step in plan)
    labels = [step.runtime.name if times[step.runtime.name] == 1 else step.tags[0] for step in plan]
    targets = target_names(labels)
    layouts: dict[str, str] = {}
    baked = {}
    for label, step in zip(labels, plan, strict=True):
        request = how.request(step)
        place = folder / label.replace(":", "-")
        request.context.write(place)
        if carry_bases and request.local_base and request.local_base not in layouts:
            layouts[request.local_base] = _layout(engine, request.local_base, folder)
        baked[targets[label]] = BakeTarget(
            request,
            context=os.fspath(place),
            tags=step.tags,
            contexts={name: where for name, where in layouts.items() if name == request.local_base},
        )
    return bake_file(baked)


def _layout(engine: Engine, reference: str, folder: Path) -> str:
    facts = engine.image(reference)
    # Named after its content: what is there already is whole, and right.
    place = folder / "bases" / (facts.id.removeprefix("sha256:")[:24] if facts else "unknown")
    marker = place / "digest"
    if marker.is_file():
        return f"oci-layout://{place}@{marker.read_text()}"
    place.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as created:
        staging = Path(created) / "layout"
        digest = write_layout(engine, reference, staging)
        (staging / marker.name).write_text(digest)
        staging.rename(place)
    return f"oci-layout://{place}@{digest}"
