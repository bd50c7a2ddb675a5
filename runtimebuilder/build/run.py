"""One call for the whole way from names to images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runtimebuilder.build.execute import BuildResult, Progress, execute
from runtimebuilder.build.plan import Step, make_plan
from runtimebuilder.engine import buildx
from runtimebuilder.engine.bases import ResolvedBase, resolve_base
from runtimebuilder.engine.builder import Builder
from runtimebuilder.engine.buildx import BuildxBuilder
from runtimebuilder.engine.classic import ClassicBuilder
from runtimebuilder.engine.disk import room
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError, SpecError
from runtimebuilder.render.environment import TemplateSet
from runtimebuilder.render.image import render_image
from runtimebuilder.render.mirror import Mirror
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.model import RuntimeSpec

# An installed php-82-fpm with its build cache needs about this much.
ROOM_NEEDED = 1_500_000_000


@dataclass(frozen=True)
class BuildOptions:
    """What the command line says about a build."""

    base: str | None = None  # a base's name, "auto", or None for the spec's own
    mirrors: tuple[Mirror, ...] = ()
    platform: str | None = None
    tags: tuple[str, ...] = ()
    no_cache: bool = False
    pull: bool = False
    builder: str = "auto"  # "auto", "buildx" or "classic"


def choose_builder(engine: Engine, wish: str = "auto") -> Builder:
    """buildx where there is one, else the classic one. `EnvironmentProblemError` when the wish cannot be met."""
    found = None if wish == "classic" else buildx.find()
    if found:
        return BuildxBuilder(*found)
    if wish == "buildx":
        oldest = ".".join(map(str, buildx.OLDEST))
        raise EnvironmentProblemError(
            f"there is no buildx {oldest} or newer here",
            hint="install the docker-buildx package, or use --builder auto",
        )
    return ClassicBuilder(engine)


def plan_builds(
    engine: Engine,
    catalog: Catalog,
    runtimes: Sequence[RuntimeSpec],
    options: BuildOptions,
    say: Callable[[str], None],
) -> tuple[Step, ...]:
    """Resolve bases, render, compare content keys. Raises what these raise."""
    if options.tags and len(runtimes) > 1:
        raise SpecError(
            f"--tag with {len(runtimes)} runtimes would give one name to several images",
            hint="build one runtime, or leave --tag out",
        )
    templates = TemplateSet()
    bases: dict[str, ResolvedBase] = {}

    def base_for(runtime: RuntimeSpec) -> ResolvedBase:
        # Per version: with --base auto the base depends on who has that PHP.
        place = f"{runtime.base} {runtime.version}"
        if place not in bases:
            bases[place] = resolve_base(
                engine,
                runtime,
                catalog,
                wish=options.base,
                mirrors=options.mirrors,
                say=say,
                pull=options.pull,
            )
        return bases[place]

    return make_plan(
        engine,
        runtimes,
        base_for=base_for,
        render=lambda runtime, base: render_image(
            runtime, base.base, mirrors=options.mirrors, templates=templates
        ),
        platform=options.platform,
        extra_tags=options.tags,
        forced=options.no_cache or options.pull,
    )


def run_plan(
    engine: Engine,
    plan: Sequence[Step],
    options: BuildOptions,
    progress: Progress,
    say: Callable[[str], None],
) -> tuple[BuildResult, ...]:
    """Build what the plan says has to be built. Raises `EnvironmentProblemError` when the disk is all but full."""
    if all(step.reason == "unchanged" for step in plan):
        return execute(engine, ClassicBuilder(engine), plan, progress)
    _check_room(engine)
    builder = choose_builder(engine, options.builder)
    if builder.warning:
        say(f"WARNING: {builder.warning}")
    return execute(engine, builder, plan, progress, no_cache=options.no_cache)


def _check_room(engine: Engine) -> None:
    there = room(engine)
    if there is not None and there.free < ROOM_NEEDED:
        raise EnvironmentProblemError(
            f"only {there.free / 1e9:.1f} GB are free where the Docker engine keeps images ({there.folder}); a build "
            f"needs about {ROOM_NEEDED / 1e9:.1f} GB",
            hint="free some room; `docker system df` shows what uses it, `docker builder prune` empties the cache",
        )
