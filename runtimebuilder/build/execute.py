"""Carrying out a plan: all images in one go, one failure hiding none of the others."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runtimebuilder.build.plan import Reason, Step
from runtimebuilder.build.tags import Tagger
from runtimebuilder.engine.builder import Builder, BuildEvent, BuildRequest, SecretSource
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.normalise import Normalisation, Normaliser
from runtimebuilder.errors import SubjectFailedError, UserError
from runtimebuilder.render.dockerfile import layer_steps


@dataclass(frozen=True)
class BuiltImage:
    """An image under its final names."""

    step: Step
    image_id: str
    size: int  # bytes, as the engine counts
    seconds: float  # since the plan was begun
    built: bool  # False: it was there already
    names: tuple[str, ...] = ()  # all that it has now, the step's first
    change: int | None = None  # bytes more than the image that had its name before; None: there was none


@dataclass(frozen=True)
class FailedBuild:
    """A step that gave no image; the names still point where they did before."""

    step: Step
    error: UserError
    seconds: float


BuildResult = BuiltImage | FailedBuild
# In `--cache-to` and `--cache-from`: the runtime's name, so that each has a cache of its own.
CACHE_NAME = "{name}"


class Progress(Protocol):
    """Who listens while a plan runs."""

    def build_started(self, steps: Sequence[Step]) -> None: ...
    def event(self, step: Step, event: BuildEvent) -> None: ...
    def step_finished(self, result: BuildResult) -> None: ...


@dataclass(frozen=True)
class Execution:
    """How a plan is carried out.

    `accept`: asked before a built image gets its names, with the step and the image's id; a `UserError` that it raises
    is the step's, and the names stay where they were.
    """

    no_cache: bool = False
    secrets: tuple[SecretSource, ...] = ()
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    jobs: int | None = None
    fail_fast: bool = False
    accept: Callable[[Step, str], None] | None = None

    def request(self, step: Step) -> BuildRequest:
        """What the builder is asked for: of the secrets those that the runtime names."""
        return BuildRequest(
            context=step.context,
            labels=dict(step.labels),
            platform=step.platform,
            no_cache=self.no_cache,
            secrets=tuple(secret for secret in self.secrets if secret.name in step.runtime.secrets),
            epoch=step.epoch,
            local_base=step.base.reference if step.base.base.make is not None else None,
            cache_from=_for_runtime(self.cache_from, step),
            cache_to=_for_runtime(self.cache_to, step),
        )


def execute(
    engine: Engine,
    builder: Builder,
    plan: Sequence[Step],
    progress: Progress,
    how: Execution = Execution(),
) -> tuple[BuildResult, ...]:
    """Run every step; what is unchanged only gets its names. Results in the plan's order.

    A name is given to an image only when it is whole: built, of the right architecture, and accepted. With `fail_fast`
    the steps that were not begun after the first error have no result.
    """
    with tempfile.TemporaryDirectory(prefix="runtimebuilder-") as folder:
        return _execute(builder, plan, progress, how, Normaliser(engine, Path(folder)))


def _execute(
    builder: Builder,
    plan: Sequence[Step],
    progress: Progress,
    how: Execution,
    normaliser: Normaliser,
) -> tuple[BuildResult, ...]:
    started = time.monotonic()
    engine = normaliser.engine
    tagger = Tagger(engine)
    results: dict[str, BuildResult] = {}

    def finish(step: Step, image_id: str | None, error: UserError | None, *, built: bool) -> None:
        result: BuildResult
        try:
            if error is not None or image_id is None:
                raise error or SubjectFailedError(f"{step.runtime.name}: the builder gave no image")
            if built:
                _check_platform(engine, step, image_id)
                if step.epoch is not None:
                    image_id = normaliser.replace(image_id, normalisation(step, step.epoch))
            result = _named(engine, tagger, step, image_id, built=built, how=how, since=started)
        except UserError as failed:
            result = FailedBuild(step, failed, time.monotonic() - started)
        results[step.tags[0]] = result
        progress.step_finished(result)

    wanted: dict[
        str, Step
    ] = {}  # by the name that its image gets: one runtime may be there for several platforms
    for step in plan:
        if step.reason is Reason.UNCHANGED and step.existing:
            finish(step, step.existing, None, built=False)
        else:
            wanted[step.tags[0]] = step
    progress.build_started(tuple(wanted.values()))
    outcomes = builder.build(
        {name: how.request(step) for name, step in wanted.items()},
        lambda name, event: progress.event(wanted[name], event),
        jobs=how.jobs,
        fail_fast=how.fail_fast,
    )
    for outcome in outcomes:
        finish(wanted[outcome.name], outcome.image_id, outcome.error, built=True)
        if how.fail_fast and isinstance(results[outcome.name], FailedBuild):
            break
    return tuple(results[step.tags[0]] for step in plan if step.tags[0] in results)


def _named(
    engine: Engine, tagger: Tagger, step: Step, image_id: str, *, built: bool, how: Execution, since: float
) -> BuiltImage:
    facts = engine.image(image_id)
    size = facts.size if facts else 0
    _check_size(step, size)
    before = engine.image(step.existing) if step.existing and built else None
    if how.accept:
        how.accept(step, image_id)
    names = (*step.tags, *tagger.names(step, image_id))
    for name in names:
        engine.tag(image_id, name)
    change = size - before.size if before else None
    return BuiltImage(step, image_id, size, time.monotonic() - since, built, names, change)


def _check_size(step: Step, size: int) -> None:
    limit = step.runtime.on(step.base.base.name).limits.size
    if limit is not None and size > limit:
        raise SubjectFailedError(
            f"{step.runtime.name}: the image has {size / 1e6:.1f} MB, and its limit is {limit / 1e6:.1f} MB",
            hint=f"make it smaller, or raise 'limits' in {step.runtime.source}; its names are as they were",
        )


def normalisation(step: Step, epoch: int) -> Normalisation:
    """How the step's image is written anew."""
    is_slim = step.runtime.on(step.base.base.name).slim
    return Normalisation(
        epoch=epoch,
        # A slim image begins empty.
        base_layers=0 if is_slim else len(step.base.diff_ids),
        steps=layer_steps(step.context.dockerfile),
        is_base_made=step.base.base.make is not None and not is_slim,
    )


def _for_runtime(caches: Sequence[str], step: Step) -> tuple[str, ...]:
    return tuple(cache.replace(CACHE_NAME, step.runtime.name) for cache in caches)


def _check_platform(engine: Engine, step: Step, image_id: str) -> None:
    facts = engine.image(image_id)
    if facts is None:
        raise SubjectFailedError(
            f"{step.runtime.name}: the builder reported {image_id}, which the engine does not have"
        )
    # A base of another architecture goes unnoticed by builders (buildah issue 3135): look for ourselves.
    if step.platform and facts.platform != step.platform:
        raise SubjectFailedError(
            f"{step.runtime.name}: asked for {step.platform}, the image is {facts.platform}",
            hint="the base has no image for that platform",
        )
