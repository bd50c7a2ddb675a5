"""`build --check-reproducible`: everything once more from the start, and compared."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from runtimebuilder.build.execute import (
    BuildResult,
    BuiltImage,
    Execution,
    FailedBuild,
    Progress,
    normalisation,
)
from runtimebuilder.engine.builder import Builder
from runtimebuilder.engine.difference import first_difference
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.normalise import Normaliser
from runtimebuilder.errors import SubjectFailedError, UserError


def build_again(
    engine: Engine, builder: Builder, results: Sequence[BuildResult], how: Execution, progress: Progress
) -> tuple[BuildResult, ...]:
    """The results, with an error for each image that comes out another one when it is built again without the cache.

    The second images get no names, and are removed. Every step must have an epoch.
    """
    built = {result.step.tags[0]: result for result in results if isinstance(result, BuiltImage)}
    progress.build_started([result.step for result in built.values()])
    outcomes = builder.build(
        {name: replace(how, no_cache=True).request(result.step) for name, result in built.items()},
        lambda name, event: progress.event(built[name].step, event),
        jobs=how.jobs,
        fail_fast=how.fail_fast,
    )
    errors: dict[str, UserError] = {}
    with tempfile.TemporaryDirectory(prefix="runtimebuilder-") as folder:
        normaliser = Normaliser(engine, Path(folder))
        for outcome in outcomes:
            first = built[outcome.name]
            try:
                if outcome.error is not None or outcome.image_id is None:
                    raise outcome.error or SubjectFailedError("the builder gave no image")
                second = normaliser.replace(
                    outcome.image_id,
                    normalisation(first.step, first.step.epoch or 0),
                    with_parents=True,
                )
                if second != first.image_id:
                    errors[outcome.name] = _difference(engine, first, second)
                    engine.remove_image(second)
            except UserError as error:
                errors[outcome.name] = error
    return tuple(
        FailedBuild(result.step, errors[result.step.tags[0]], result.seconds)
        if result.step.tags[0] in errors
        else result
        for result in results
    )


def _difference(engine: Engine, first: BuiltImage, second: str) -> UserError:
    found = first_difference(engine, first.image_id, second)
    name = first.step.runtime.name
    if found is None:
        return SubjectFailedError(
            f"{name} is not reproducible: {first.image_id} and {second} have the same content"
        )
    return SubjectFailedError(
        f"{name} is not reproducible: {found.where}: {found.what}",
        hint="let the step that makes it leave out times, random values, and what depends on the machine",
        detail="\n".join(f"  {line}" for line in found.lines) or None,
    )
