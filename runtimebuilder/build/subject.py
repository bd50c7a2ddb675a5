"""From a runtime's name to the image that was built of it here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from runtimebuilder.build.plan import default_tags
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.render.image import LABEL
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.contents import VerifySettings


@dataclass(frozen=True)
class Subject:
    """An image reference, and what people have to know about the choice."""

    reference: str
    note: str | None = None


def own_tests_of(catalog: Catalog, target: str) -> tuple[Path, ...]:
    """A project's own tests of a runtime: for runtimes/shop-api.yaml the file runtimes/test_shop_api.py beside it."""
    runtime = catalog.runtimes.get(target)
    if runtime is None:
        return ()
    spec = Path(runtime.source)
    tests = spec.with_name(f"test_{re.sub('[^A-Za-z0-9]', '_', spec.stem)}.py")
    return (tests,) if spec.is_file() and tests.is_file() else ()


def verify_settings_of(catalog: Catalog, target: str) -> tuple[VerifySettings, Path]:
    """What a runtime's spec says of how it is judged, and the folder that paths in it are relative to."""
    item = catalog.resolved.get(target)
    if item is None:
        return VerifySettings(), Path()
    place = item.places.get(("verify", "known-failing"))
    return item.runtime.verify, (place.document if place else item.document).root


def find_image(engine: Engine, catalog: Catalog, target: str, base: str | None = None) -> Subject:
    """The image for `target`: a runtime's name (built here, on `base` or the spec's own) or any image reference.

    A runtime that was built on another base only (`--base auto` in a place without the registry) is taken, with a
    note. Raises `EnvironmentProblemError` (exit 4) when there is no such image.
    """
    runtime = catalog.runtimes.get(target)
    if runtime is None:
        if base is not None:
            target = f"{target}:{base}"
        if engine.image(target) is None:
            raise EnvironmentProblemError(
                f"the engine has no image {target}",
                hint=f"pull it (`docker pull {target}`), or name a runtime of `runtimebuilder list`",
            )
        return Subject(target)
    wanted = default_tags(runtime, catalog.base(base or runtime.base).name)[0]
    if engine.image(wanted) is not None:
        return Subject(wanted)
    others = [] if base else [other for other in catalog.bases if other != runtime.base]
    for other in others:
        reference = default_tags(runtime, other)[0]
        facts = engine.image(reference)
        if facts is not None and facts.labels.get(f"{LABEL}.runtime") == runtime.name:
            return Subject(
                reference,
                f"{runtime.name} was not built on {runtime.base} here; taking {reference}, built on {other}",
            )
    raise EnvironmentProblemError(
        f"{runtime.name} has not been built here" + (f" on {base}" if base else ""),
        hint=f"runtimebuilder build {runtime.name}" + (f" --base {base}" if base else ""),
    )
