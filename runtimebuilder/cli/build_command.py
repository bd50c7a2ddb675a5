"""`runtimebuilder build`."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer
from rich.text import Text

from runtimebuilder.build.execute import BuildResult, BuiltImage
from runtimebuilder.build.progress import BuildProgress, duration
from runtimebuilder.build.run import BuildOptions, check_options, parse_secret, plan_builds, run_plan
from runtimebuilder.cli import console
from runtimebuilder.cli.selection import ChangedSince, Exclude, Family, Names, Own, Variant, select
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import ExitCode
from runtimebuilder.render.mirror import configured
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.config import load_config
from runtimebuilder.spec.lock import read_lock

BaseOption = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="NAME|auto",
        help="Another base than the spec's; auto: the spec's if its registry answers, else one made here.",
    ),
]
MirrorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--mirror",
        metavar="REGISTRY=HOST[/PATH]",
        help="Take images of REGISTRY from HOST. Repeatable.",
        envvar="RUNTIMEBUILDER_MIRROR",
    ),
]


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
        typer.Option(metavar="OS/ARCH", help="Build for this platform instead of the engine's own."),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", "-t", metavar="NAME", help="One more name for the image. Repeatable."),
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Run every step again.")] = False,
    pull: Annotated[
        bool, typer.Option("--pull", help="Fetch (or make) the base again and build on it.")
    ] = False,
    builder: Annotated[
        str, typer.Option(metavar="auto|buildx|classic", help="Which builder to use.")
    ] = "auto",
    secret: Annotated[
        list[str] | None,
        typer.Option(
            "--secret",
            metavar="id=NAME,src=FILE|env=VAR",
            help="The value of a secret that the spec names. Repeatable.",
        ),
    ] = None,
    locked: Annotated[
        bool,
        typer.Option(
            "--locked",
            envvar="RUNTIMEBUILDER_LOCKED",
            help="Refuse what runtimes.lock does not fit. (Without it, that is told.)",
        ),
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON document.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show everything that the steps print.")
    ] = False,
) -> None:
    """Build runtimes. What has not changed since the last build is not built again."""
    started = time.monotonic()
    catalog = Catalog.load()
    config = load_config()
    runtimes = select(catalog, names, family, variant, exclude, changed_since, own=own, is_all=False)
    options = BuildOptions(
        base=base or config.base,
        mirrors=configured(mirror or (), config.mirrors),
        platform=platform,
        tags=tuple(tag or ()),
        no_cache=no_cache,
        pull=pull,
        builder=builder,
        secrets=tuple(parse_secret(text) for text in secret or ()),
        lock=read_lock(),
        locked=locked,
    )
    check_options(options, runtimes, catalog)
    engine = Engine.connect()
    plan = plan_builds(engine, catalog, runtimes, options, console.say)
    for line in sorted(
        {f"  base  {step.base.base.name}  {step.base.reference}  {step.base.how}" for step in plan}
    ):
        console.say(line)
    width = max(len(runtime.name) for runtime in runtimes)
    with BuildProgress(console.err(), width, verbose=verbose) as progress:
        results = run_plan(engine, plan, options, progress, console.say)
    _print_results(results, json_output=json_output, seconds=time.monotonic() - started)
    if any(not isinstance(result, BuiltImage) for result in results):
        raise typer.Exit(_worst(results))


def _worst(results: tuple[BuildResult, ...]) -> int:
    """A build that failed is 1; when only this machine stood in the way, its own code."""
    codes = {int(result.error.exit_code) for result in results if not isinstance(result, BuiltImage)}
    return ExitCode.FAILED if ExitCode.FAILED in codes else max(codes)


def _print_results(results: tuple[BuildResult, ...], *, json_output: bool, seconds: float) -> None:
    for result in results:
        if not isinstance(result, BuiltImage):
            console.show_error(result.error)
    built = [result for result in results if isinstance(result, BuiltImage)]
    new = sum(result.built for result in built)
    failed = len(results) - len(built)
    if json_output:
        console.out().print(
            Text(json.dumps({"images": [_as_json(result) for result in results]}, indent=2)), soft_wrap=True
        )
        return
    summary = f"{new} built, {len(built) - new} unchanged, {failed} failed in {duration(seconds)}"
    if not new and not failed:
        summary = f"{len(built)} unchanged in {duration(seconds)}"
    console.out().print(Text(summary), soft_wrap=True)


def _as_json(result: BuildResult) -> dict[str, object]:
    step = result.step
    common: dict[str, object] = {
        "runtime": step.runtime.name,
        "base": step.base.base.name,
        "base_substituted_for": step.base.substituted_for,
        "tags": list(step.tags),
        "content_key": step.key,
        "seconds": round(result.seconds, 3),
    }
    if isinstance(result, BuiltImage):
        status = "built" if result.built else "unchanged"
        common["tags"] = list(result.names)
        return {**common, "status": status, "id": result.image_id, "size": result.size}
    return {**common, "status": "failed", "error": result.error.message}
