"""Carrying out a plan: one image after the other, one failure hiding none of the others."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from runtimebuilder.build.plan import Reason, Step
from runtimebuilder.build.tags import Tagger
from runtimebuilder.engine.builder import Builder, BuildEvent, BuildRequest, SecretSource
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import SubjectFailedError, UserError


@dataclass(frozen=True)
class BuiltImage:
    """An image under its final names."""

    step: Step
    image_id: str
    size: int  # bytes, as the engine counts
    seconds: float
    built: bool  # False: it was there already
    names: tuple[str, ...] = ()  # all that it has now, the step's first


@dataclass(frozen=True)
class FailedBuild:
    """A step that gave no image; the names still point where they did before."""

    step: Step
    error: UserError
    seconds: float


BuildResult = BuiltImage | FailedBuild


class Progress(Protocol):
    """Who listens while a plan runs."""

    def step_started(self, step: Step) -> None: ...
    def event(self, step: Step, event: BuildEvent) -> None: ...
    def step_finished(self, result: BuildResult) -> None: ...


def execute(
    engine: Engine,
    builder: Builder,
    plan: Sequence[Step],
    progress: Progress,
    *,
    no_cache: bool = False,
    secrets: Sequence[SecretSource] = (),
    epoch: int | None = None,
) -> tuple[BuildResult, ...]:
    """Run every step, each with those of `secrets` that its runtime names; `epoch`: the lock's, seconds.

    A name is given to an image only when it is whole: built, and of the right architecture.
    """
    results: list[BuildResult] = []
    tagger = Tagger(engine)
    for step in plan:
        started = time.monotonic()
        progress.step_started(step)
        result: BuildResult
        try:
            if step.reason is Reason.UNCHANGED and step.existing:
                image_id, built = step.existing, False
            else:
                request = BuildRequest(
                    context=step.context,
                    labels=dict(step.labels),
                    platform=step.platform,
                    no_cache=no_cache,
                    secrets=tuple(secret for secret in secrets if secret.name in step.runtime.secrets),
                    epoch=epoch,
                )
                image_id = _build(engine, builder, step, progress, request)
                built = True
            facts = engine.image(image_id)
            size = facts.size if facts else 0
            _check_size(step, size)
            names = (*step.tags, *tagger.names(step, image_id))
            for tag in names:
                engine.tag(image_id, tag)
            result = BuiltImage(step, image_id, size, time.monotonic() - started, built, names)
        except UserError as error:
            result = FailedBuild(step, error, time.monotonic() - started)
        results.append(result)
        progress.step_finished(result)
    return tuple(results)


def _check_size(step: Step, size: int) -> None:
    limit = step.runtime.on(step.base.base.name).limits.size
    if limit is not None and size > limit:
        raise SubjectFailedError(
            f"{step.runtime.name}: the image has {size / 1e6:.1f} MB, and its limit is {limit / 1e6:.1f} MB",
            hint=f"make it smaller, or raise 'limits' in {step.runtime.source}; its names are as they were",
        )


def _build(engine: Engine, builder: Builder, step: Step, progress: Progress, request: BuildRequest) -> str:
    image_id = builder.build(request, lambda event: progress.event(step, event))
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
    return image_id
