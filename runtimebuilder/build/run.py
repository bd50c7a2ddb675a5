"""One call for the whole way from names to images."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runtimebuilder.build.caches import check_caches
from runtimebuilder.build.execute import BuildResult, Execution, Progress, execute
from runtimebuilder.build.locking import Locker, locked_base
from runtimebuilder.build.plan import Step, make_plan
from runtimebuilder.build.platforms import (
    catalog_for,
    check_platforms,
    foreign_architecture,
    parse_platforms,
)
from runtimebuilder.build.reproducible import build_again
from runtimebuilder.engine import buildx
from runtimebuilder.engine.bases import AUTO, ResolvedBase, make_present, resolve_base
from runtimebuilder.engine.builder import Builder, SecretSource
from runtimebuilder.engine.buildx import BuildxBuilder
from runtimebuilder.engine.classic import ClassicBuilder
from runtimebuilder.engine.disk import room
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError, SpecError
from runtimebuilder.render.context import FILE_TIME
from runtimebuilder.render.environment import TemplateSet
from runtimebuilder.render.image import render_image
from runtimebuilder.render.mirror import Mirror
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.lock import FILE as LOCK_FILE
from runtimebuilder.spec.lock import Lock, Pins, check_locked, pins_for
from runtimebuilder.spec.model import RuntimeSpec
from runtimebuilder.spec.packages import packages_for

# An installed php-82-fpm with its build cache needs about this much.
ROOM_NEEDED = 1_500_000_000
BUILDERS = ("auto", "buildx", "classic")
_BUILDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")


@dataclass(frozen=True)
class BuildOptions:
    """What the command line says about a build."""

    base: str | None = None  # a base's name, "auto", or None for the spec's own
    mirrors: tuple[Mirror, ...] = ()
    platform: str | None = None
    tags: tuple[str, ...] = ()
    no_cache: bool = False
    pull: bool = False
    builder: str = "auto"  # one of BUILDERS, or the name of one of buildx's builders
    secrets: tuple[SecretSource, ...] = ()
    lock: Lock | None = None
    locked: bool = False  # a runtime that the lock does not fit is refused
    epoch: int | None = None  # seconds, for what has no entry in the lock: see `Step.epoch`
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()
    jobs: int | None = None
    fail_fast: bool = False
    check_reproducible: bool = False  # build everything twice, and compare; every runtime has an epoch then


def choose_builder(engine: Engine, wish: str = "auto") -> Builder:
    """buildx where there is one, else the classic one. `EnvironmentProblemError` when the wish cannot be met."""
    found = None if wish == "classic" else buildx.find()
    if found:
        remote = None if wish in BUILDERS else buildx.named(found[0], wish)
        return BuildxBuilder(*found, engine, remote)
    if wish not in ("auto", "classic"):
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
    *,
    against: str | None = None,
) -> tuple[Step, ...]:
    """Resolve bases, render, compare content keys: with the images under their names, or with `against`.

    Raises what these raise, and `SpecError` (2) for bad options.
    """
    check_options(options, runtimes, catalog)
    platforms = parse_platforms(options.platform) if options.platform else ()
    if len(platforms) > 1:
        plans = [
            plan_builds(engine, catalog, runtimes, replace(options, platform=one), say, against=against)
            for one in platforms
        ]
        return tuple(step for plan in plans for step in plan)
    catalog = catalog_for(engine, catalog, options.platform)
    templates = TemplateSet()
    for runtime in runtimes:
        # A mistake in a template shall not hide behind a registry that cannot be reached, or wait for a base.
        first = catalog.base(options.base if options.base and options.base != AUTO else runtime.base)
        render_image(runtime, first, mirrors=options.mirrors, templates=templates)
    if options.locked:
        _check_locked(catalog, runtimes, options)
    bases: dict[str, ResolvedBase] = {}
    platform = options.platform or engine.ping().platform
    pinned = {runtime.name: _pins(catalog, runtime, options, platform, say) for runtime in runtimes}
    locker = Locker(engine, catalog, options.mirrors, say)

    def base_for(runtime: RuntimeSpec) -> ResolvedBase:
        if pins := pinned[runtime.name]:
            place = f"{pins.base.name}@{pins.platform.digest}"
            if place not in bases:
                bases[place] = make_present(
                    engine,
                    catalog.base(pins.base.name),
                    options.mirrors,
                    say,
                    pull=options.pull,
                    digest=pins.platform.digest,
                )
            if options.locked and pins.platform.made not in (None, locker.made_of(bases[place])):
                raise SpecError(
                    f"base {pins.base.name} was made of other packages than those in {LOCK_FILE}",
                    hint="a base made here has the packages of its day: renew the lock with `runtimebuilder lock "
                    f"--upgrade {runtime.name}`, or build on a base that is pulled",
                )
            if options.base == AUTO and pins.base.name != runtime.base:
                return replace(bases[place], substituted_for=runtime.base)
            return bases[place]
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
            runtime, base.base, mirrors=options.mirrors, templates=templates, pins=pinned[runtime.name]
        ),
        platform=options.platform,
        architecture=foreign_architecture(engine, options.platform),
        extra_tags=options.tags,
        forced=options.no_cache or options.pull or options.check_reproducible,
        pinned=pinned,
        against=against,
        epoch_of=lambda runtime: (
            options.lock.epoch if options.lock and pinned[runtime.name] else options.epoch
        ),
    )


def _check_locked(catalog: Catalog, runtimes: Sequence[RuntimeSpec], options: BuildOptions) -> None:
    """Raise `SpecError` (exit 2) for the first runtime that the lock does not fit; needs no engine."""
    for runtime in runtimes:
        entry = options.lock.runtimes.get(runtime.name) if options.lock else None
        base = locked_base(entry, catalog, options.base, runtime)
        check_locked(options.lock, runtime, base, options.platform)


def _pins(
    catalog: Catalog, runtime: RuntimeSpec, options: BuildOptions, platform: str, say: Callable[[str], None]
) -> Pins | None:
    """The lock's pins for the runtime. One that does not fit any more is told, and not used."""
    entry = options.lock.runtimes.get(runtime.name) if options.lock else None
    if entry is None:
        return None
    base = locked_base(entry, catalog, options.base, runtime)
    try:
        check_locked(options.lock, runtime, base, platform)
    except SpecError as error:
        if options.locked:
            raise
        say(f"WARNING: {error.message}; {runtime.name} is built without it")
        return None
    return pins_for(options.lock, runtime, base, platform)


# What registries and engines take as a name: lower-case path, tag of at most 128 characters.
_NAME = re.compile(r"[a-z0-9]+(?:[._:/-]+[a-zA-Z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?\Z")


def is_image_name(text: str) -> bool:
    """Whether an image can have that name at all."""
    return _NAME.match(text) is not None


def check_options(options: BuildOptions, runtimes: Sequence[RuntimeSpec], catalog: Catalog) -> None:
    """Raise `SpecError` (exit 2) for options that cannot be meant. Needs no engine."""
    if not _BUILDER.match(options.builder):
        raise SpecError(
            f"--builder {options.builder!r} is neither {', '.join(BUILDERS)} nor a builder's name",
            hint="`docker buildx ls` lists the builders",
        )
    if options.tags and len(runtimes) > 1:
        raise SpecError(
            f"--tag with {len(runtimes)} runtimes would give one name to several images",
            hint="build one runtime, or leave --tag out",
        )
    for tag in options.tags:
        if not is_image_name(tag):
            raise SpecError(
                f"--tag {tag!r} is not an image name", hint="for example --tag registry.example.com/app:7"
            )
    platforms = parse_platforms(options.platform) if options.platform else ()
    if options.tags and len(platforms) > 1:
        raise SpecError(
            f"--tag with {len(platforms)} platforms would give one name to several images",
            hint="build one platform, or leave --tag out",
        )
    for runtime in runtimes:
        for platform in platforms:
            if platform not in runtime.platforms:
                raise SpecError(
                    f"{runtime.name} is not built for {platform!r}",
                    hint=f"its platforms are {', '.join(runtime.platforms)} ({runtime.source})",
                )
        if options.base != AUTO:
            # Now, not after a base has been pulled or made: does it have that PHP and these extensions?
            packages_for(runtime, catalog.base(options.base or runtime.base))


def run_plan(
    engine: Engine,
    plan: Sequence[Step],
    options: BuildOptions,
    progress: Progress,
    say: Callable[[str], None],
    *,
    accept: Callable[[Step, str], None] | None = None,
) -> tuple[BuildResult, ...]:
    """Build what the plan says has to be built. Raises `EnvironmentProblemError` when the disk is all but full.

    `accept`: see `Execution`.
    """
    if all(step.reason == "unchanged" for step in plan):
        return execute(engine, ClassicBuilder(engine), plan, progress, Execution(accept=accept))
    _check_room(engine)
    builder = choose_builder(engine, options.builder)
    if builder.warning:
        say(f"WARNING: {builder.warning}")
    if options.builder in BUILDERS:  # a builder of somebody's may have nodes of other platforms
        check_platforms(engine, plan, builder)
    _check_secrets(plan, options, builder)
    check_caches(engine, builder, options.cache_to)
    how = replace(execution(options), accept=accept)
    results = execute(engine, builder, plan, progress, how)
    if options.check_reproducible:
        say("building everything again, without the cache")
        return build_again(engine, builder, results, how, progress)
    return results


def execution(options: BuildOptions) -> Execution:
    """How a plan is carried out by these options."""
    return Execution(
        no_cache=options.no_cache,
        secrets=options.secrets,
        cache_from=options.cache_from,
        cache_to=options.cache_to,
        jobs=options.jobs,
        fail_fast=options.fail_fast,
    )


def _check_secrets(plan: Sequence[Step], options: BuildOptions, builder: Builder) -> None:
    """Every secret of what is to be built has to be given, before anything is built."""
    given = {secret.name for secret in options.secrets}
    for step in plan:
        if step.reason == "unchanged" or not step.runtime.stages:
            continue
        for name in step.runtime.secrets:
            if name not in given:
                raise SpecError(
                    f"{step.runtime.name} needs the secret {name!r} ({step.runtime.source})",
                    hint=f"--secret id={name},src=FILE, or --secret id={name},env=VARIABLE",
                )
        if step.runtime.secrets and isinstance(builder, ClassicBuilder):
            raise EnvironmentProblemError(
                f"{step.runtime.name} needs a secret while it is built, which the classic builder does not know",
                hint="install the docker-buildx package",
            )


_SECRET = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def parse_secret(text: str) -> SecretSource:
    """`id=NAME,src=FILE`, `id=NAME,env=VARIABLE`, or `id=NAME` for the variable of that name, as buildx takes it.

    Raises `SpecError` (exit 2) for anything else, a file that is not there, and a variable that is not set. The
    value itself is read by the builder alone.
    """
    fields: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or not value or key in fields or key not in ("type", "id", "src", "source", "env"):
            raise SpecError(f"--secret {text!r} is not id=NAME,src=FILE or id=NAME,env=VARIABLE")
        fields[key] = value
    name, file = fields.get("id", ""), fields.get("src") or fields.get("source")
    variable = fields.get("env")
    if not _SECRET.match(name) or (file and variable) or fields.get("type", "file") not in ("file", "env"):
        raise SpecError(f"--secret {text!r} is not id=NAME,src=FILE or id=NAME,env=VARIABLE")
    if file is not None:
        if not Path(file).is_file():
            raise SpecError(f"--secret {name}: there is no file {file}")
        return SecretSource(name, file=Path(file).absolute())
    variable = variable or name
    if variable not in os.environ:
        raise SpecError(f"--secret {name}: the variable {variable} is not set")
    return SecretSource(name, variable=variable)


def epoch_of(variable: str | None, *, reproducible: bool) -> int | None:
    """The epoch of images that have none in the lock, in seconds; None: they are not reproducible.

    `variable`: what SOURCE_DATE_EPOCH holds; without it, and with `reproducible`, the time that a context's files
    have. Raises `SpecError` (exit 2) for what is no number of seconds.
    https://reproducible-builds.org/specs/source-date-epoch/
    """
    if variable:
        if not variable.isascii() or not variable.isdigit():
            raise SpecError(f"SOURCE_DATE_EPOCH is {variable!r}, which is no number of seconds")
        return int(variable)
    return FILE_TIME if reproducible else None


def _check_room(engine: Engine) -> None:
    there = room(engine)
    if there is not None and there.free < ROOM_NEEDED:
        raise EnvironmentProblemError(
            f"only {there.free / 1e9:.1f} GB are free where the Docker engine keeps images ({there.folder}); a build "
            f"needs about {ROOM_NEEDED / 1e9:.1f} GB",
            hint="free some room; `docker system df` shows what uses it, `docker builder prune` empties the cache",
        )
