"""`runtimebuilder build`."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from runtimebuilder.build.caches import cache_from as read_caches
from runtimebuilder.build.caches import cache_to as written_caches
from runtimebuilder.build.execute import BuildResult, BuiltImage
from runtimebuilder.build.metadata import as_json, write_metadata
from runtimebuilder.build.plan import Step
from runtimebuilder.build.progress import duration, make_progress
from runtimebuilder.build.run import (
    BuildOptions,
    check_options,
    epoch_of,
    parse_secret,
    plan_builds,
    run_plan,
)
from runtimebuilder.build.subject import own_tests_of, verify_settings_of
from runtimebuilder.cli import console, plan_table
from runtimebuilder.cli.options import BaseOption, CacheFromOption, CacheToOption, MirrorOption, SetOption
from runtimebuilder.cli.options import variable as variable_of
from runtimebuilder.cli.registry_options import (
    DEFAULT_ATTEMPTS,
    InsecureOption,
    RegistryOption,
    place_of,
    session,
)
from runtimebuilder.cli.selection import ChangedSince, Exclude, Family, Names, Own, Variant, select
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import ExitCode, UserError
from runtimebuilder.publish.after_build import push_results
from runtimebuilder.publish.push import NotPushed, Pushed, PushOptions, PushResult
from runtimebuilder.render.mirror import configured
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.config import load_config
from runtimebuilder.spec.lock import read_lock
from runtimebuilder.spec.overrides import override


def build(
    names: Names = None,
    family: Family = None,
    variant: Variant = None,
    exclude: Exclude = None,
    own: Own = False,
    changed_since: ChangedSince = None,
    base: BaseOption = None,
    mirror: MirrorOption = None,
    platform: Annotated[
        str | None,
        typer.Option(
            metavar="OS/ARCH[,...]",
            help="Build for these platforms instead of the engine's own.",
            **variable_of("platform"),
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            "--tag",
            "-t",
            metavar="NAME",
            help="One more name for the image. Repeatable.",
            **variable_of("tag"),
        ),
    ] = None,
    settings: SetOption = None,
    push: Annotated[
        bool,
        typer.Option(
            "--push", help="Push what is good to --registry, as `push` does.", **variable_of("push")
        ),
    ] = False,
    registry: RegistryOption = None,
    create_repository: Annotated[
        bool,
        typer.Option(
            "--create-repository",
            help="With --push: make the repository in ECR, if it is not there.",
            **variable_of("create-repository"),
        ),
    ] = False,
    insecure_registry: InsecureOption = False,
    load: Annotated[  # noqa: ARG001 -- what people type from habit: what is built is always in the engine
        bool,
        typer.Option(
            "--load", help="Put the images into the engine. They always are.", **variable_of("load")
        ),
    ] = True,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Run every step again.", **variable_of("no-cache"))
    ] = False,
    pull: Annotated[
        bool,
        typer.Option("--pull", help="Fetch (or make) the base again and build on it.", **variable_of("pull")),
    ] = False,
    builder: Annotated[
        str,
        typer.Option(
            metavar="auto|buildx|classic|NAME",
            help="Which builder to use; NAME: one of `docker buildx ls`.",
            envvar=["RUNTIMEBUILDER_BUILDER", "BUILDX_BUILDER"],
            show_envvar=False,
        ),
    ] = "auto",
    cache_from: CacheFromOption = None,
    cache_to: CacheToOption = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            "--secret",
            metavar="id=NAME,src=FILE|env=VAR",
            help="The value of a secret that the spec names. Repeatable.",
            **variable_of("secret"),
        ),
    ] = None,
    locked: Annotated[
        bool,
        typer.Option(
            "--locked",
            help="Refuse what runtimes.lock does not fit. (Without it, that is told.)",
            **variable_of("locked"),
        ),
    ] = False,
    reproducible: Annotated[
        bool,
        typer.Option(
            "--reproducible",
            help="The same bytes from every builder. (With a lock, or SOURCE_DATE_EPOCH, always.)",
            **variable_of("reproducible"),
        ),
    ] = False,
    check_reproducible: Annotated[
        bool,
        typer.Option(
            "--check-reproducible",
            help="Build twice without the cache, and name the first file that differs.",
            **variable_of("check-reproducible"),
        ),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            min=1,
            help="Build at most N images at a time (buildx: all; the classic builder: one).",
            **variable_of("jobs"),
        ),
    ] = None,
    fail_fast: Annotated[
        bool,
        typer.Option(
            "--fail-fast/--keep-going",
            help="Begin nothing more after the first failure, or build all that can be built.",
            **variable_of("fail-fast"),
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify/--no-verify",
            help="Give an image its names only when it obeys the Runtime API.",
            **variable_of("verify"),
        ),
    ] = False,
    progress: Annotated[
        str,
        typer.Option(
            metavar="auto|plain|tty|json|quiet",
            help="What to show while it runs, on standard error.",
            envvar=["RUNTIMEBUILDER_PROGRESS", "BUILDKIT_PROGRESS"],
            show_envvar=False,
        ),
    ] = "auto",
    metadata_file: Annotated[
        Path | None,
        typer.Option(
            "--metadata-file",
            metavar="FILE",
            help="Write ids and names as JSON.",
            **variable_of("metadata-file"),
        ),
    ] = None,
    sbom: Annotated[
        Path | None,
        typer.Option(
            "--sbom", metavar="DIR", help="Write NAME.spdx.json, NAME.cdx.json.", **variable_of("sbom")
        ),
    ] = None,
    provenance: Annotated[
        Path | None,
        typer.Option(
            "--provenance", metavar="DIR", help="Write NAME.intoto.json.", **variable_of("provenance")
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be built, and why.", **variable_of("dry-run"))
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON document.", **variable_of("json"))
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Show everything that the steps print.", **variable_of("verbose")
        ),
    ] = False,
) -> None:
    """Build runtimes. What has not changed since the last build is not built again.

    Each option can be set as a variable too: --no-cache is RUNTIMEBUILDER_NO_CACHE=1.
    """
    started = time.monotonic()
    catalog = Catalog.load()
    config = load_config()
    runtimes = select(catalog, names, family, variant, exclude, changed_since, own=own, is_all=False)
    catalog, runtimes = override(catalog, runtimes, settings or ())
    options = BuildOptions(
        base=base or config.base,
        mirrors=configured(mirror or (), config.mirrors),
        platform=platform,
        tags=tuple(tag or ()),
        no_cache=no_cache or check_reproducible,
        check_reproducible=check_reproducible,
        pull=pull,
        builder=builder,
        secrets=tuple(parse_secret(text) for text in secret or ()),
        lock=read_lock(),
        locked=locked,
        epoch=epoch_of(os.environ.get("SOURCE_DATE_EPOCH"), reproducible=reproducible or check_reproducible),
        cache_from=read_caches(cache_from or ()),
        cache_to=written_caches(cache_to or (), runtimes=len(runtimes)),
        jobs=jobs,
        fail_fast=fail_fast,
    )
    check_options(options, runtimes, catalog)
    place = place_of(registry, config) if push else None
    width = max(len(runtime.name) for runtime in runtimes)
    follower = make_progress(progress, console.err(), sys.stderr, width, verbose=verbose)
    say = console.say if progress not in ("json", "quiet") else _nothing
    if sbom:
        from runtimebuilder.attest.sbom import check_libraries  # noqa: PLC0415 -- for this alone

        check_libraries()  # now, not when everything has been built
    engine = Engine.connect()
    plan = plan_builds(engine, catalog, runtimes, options, say)
    if dry_run:
        plan_table.show([plan_table.row(step) for step in plan], json_output=json_output)
        return
    for line in sorted(
        {f"  base  {step.base.base.name}  {step.base.reference}  {step.base.how}" for step in plan}
    ):
        say(line)
    judge = _judge(engine, catalog, say) if verify else None
    with follower:
        results = run_plan(engine, plan, options, follower, say, accept=judge)
    if metadata_file is not None:
        write_metadata(metadata_file, results)
    pushed: tuple[PushResult, ...] = ()
    if place is not None:
        wanted = PushOptions(
            place=place,
            patterns=tuple(config.publish.tags or ()),
            repository=config.publish.repository if create_repository else None,
            mirrors=options.mirrors,
            lock=options.lock,
        )
        with session(DEFAULT_ATTEMPTS, insecure=insecure_registry) as opened:
            pushed = push_results(engine, catalog, opened, results, options=wanted, say=say)
    _print_results(plan, results, pushed, json_output=json_output, seconds=time.monotonic() - started)
    if sbom or provenance:
        from runtimebuilder.attest.beside import write_beside  # noqa: PLC0415 -- for these alone

        folders = {"sboms": sbom, "provenances": provenance}
        write_beside(engine, catalog, results, **folders, lock=options.lock, epoch=options.epoch, say=say)
    errors = [result.error for result in results if not isinstance(result, BuiltImage)]
    errors += [result.error for result in pushed if isinstance(result, NotPushed)]
    if errors:
        raise typer.Exit(_worst(errors))


def _nothing(_: str) -> None:
    """For `--progress json` and `quiet`: what is said besides is not said."""


def _judge(engine: Engine, catalog: Catalog, say: Callable[[str], None]) -> Callable[[Step, str], None]:
    # Here, for the suite takes as long to load as the rest.
    from runtimebuilder.conformance.acceptance import accept  # noqa: PLC0415
    from runtimebuilder.conformance.options import VerifyOptions, jobs_here  # noqa: PLC0415

    common = VerifyOptions(jobs=jobs_here())

    def judge(step: Step, image: str) -> None:
        name = step.runtime.name
        options = common.with_settings(*verify_settings_of(catalog, name))
        accept(engine, image, name, options, own=own_tests_of(catalog, name), say=say)

    return judge


def _worst(errors: Sequence[UserError]) -> int:
    """A build or a push that failed is 1; when only this machine stood in the way, its own code."""
    codes = {int(error.exit_code) for error in errors}
    return ExitCode.FAILED if ExitCode.FAILED in codes else max(codes)


def _errors(results: Sequence[BuildResult]) -> list[tuple[list[str], UserError]]:
    """The errors in order, one that several have (the engine went away) once, with their names."""
    found: dict[tuple[str, str | None], tuple[list[str], UserError]] = {}
    for result in results:
        if not isinstance(result, BuiltImage):
            key = (result.error.message, result.error.detail)
            found.setdefault(key, ([], result.error))[0].append(result.step.runtime.name)
    return list(found.values())


def _print_results(
    plan: Sequence[Step],
    results: Sequence[BuildResult],
    pushed: Sequence[PushResult],
    *,
    json_output: bool,
    seconds: float,
) -> None:
    for names, error in _errors(results):
        console.show_error(error, of=", ".join(names) if len(plan) > 1 else None)
    for one in pushed:
        if isinstance(one, NotPushed):
            console.show_error(one.error, of=one.runtime.name)
    there = [one for one in pushed if isinstance(one, Pushed)]
    built = [result for result in results if isinstance(result, BuiltImage)]
    new = sum(result.built for result in built)
    failed = len(results) - len(built)
    if json_output:
        document = {
            "images": [as_json(result) for result in results],
            "pushed": [{"runtime": one.candidate.runtime.name, "reference": one.reference} for one in there],
        }
        console.out().print(Text(json.dumps(document, indent=2)), soft_wrap=True)
        return
    summary = f"{new} built, {len(built) - new} unchanged, {failed} failed"
    if not new and not failed:
        summary = f"{len(built)} unchanged"
    if left := len(plan) - len(results):
        summary += f", {left} not begun"
    if pushed:
        summary += f", {len(there)} of {len(pushed)} pushed"
    console.out().print(Text(f"{summary} in {duration(seconds)}"), soft_wrap=True)
    for one in there:
        console.out().print(Text(one.reference), soft_wrap=True)
