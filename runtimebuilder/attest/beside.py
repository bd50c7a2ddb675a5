"""What `build` writes beside images: NAME.spdx.json, NAME.cdx.json, NAME.intoto.json."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from runtimebuilder.attest.provenance import provenance, surroundings
from runtimebuilder.attest.sbom import SbomFormat, sbom
from runtimebuilder.build.execute import BuildResult, BuiltImage
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.lock import Lock
from runtimebuilder.spec.whole_file import write_text

_ENDINGS = {SbomFormat.SPDX: "spdx.json", SbomFormat.CYCLONEDX: "cdx.json"}


def write_beside(
    engine: Engine,
    catalog: Catalog,
    results: Sequence[BuildResult],
    *,
    sboms: Path | None,
    provenances: Path | None,
    lock: Lock | None,
    epoch: int | None,
    say: Callable[[str], None],
) -> None:
    """Write the documents of each image that is good, built or unchanged, into the folders that are named.

    Raises `EnvironmentProblemError` (exit 4) when a file cannot be written; the images are there all the same.
    """
    built = [result for result in results if isinstance(result, BuiltImage)]
    try:
        for result in built if sboms else ():
            for form, ending in _ENDINGS.items():
                when = result.step.epoch if result.step.epoch is not None else epoch
                text, notes = sbom(engine, catalog, result.step.tags[0], form, when)
                write_text((sboms or Path()) / f"{_name(result)}.{ending}", text)
            for note in notes:
                say(f"WARNING: {result.step.runtime.name}: {note}")
        if provenances is not None and built:
            around = surroundings(engine, lock)
            for result in built:
                text = provenance(result.step, engine.image(result.image_id), around)
                write_text(provenances / f"{_name(result)}.intoto.json", text)
    except OSError as error:
        raise EnvironmentProblemError(
            f"{error.filename or sboms or provenances} cannot be written: {error.strerror}",
            hint="the images are built all the same",
        ) from error


def _name(result: BuiltImage) -> str:
    """The runtime's, with the architecture where it is not the engine's own."""
    step = result.step
    return f"{step.runtime.name}-{step.architecture}" if step.architecture else step.runtime.name
