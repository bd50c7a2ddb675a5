"""`runtimebuilder bake`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.build.bakefile import write_bake
from runtimebuilder.build.caches import cache_from as read_caches
from runtimebuilder.build.caches import cache_to as written_caches
from runtimebuilder.build.run import BuildOptions, check_options, execution, parse_secret, plan_builds
from runtimebuilder.cli import console
from runtimebuilder.cli.options import BaseOption, CacheFromOption, CacheToOption, MirrorOption, SetOption
from runtimebuilder.cli.selection import ChangedSince, Exclude, Family, Names, Own, Variant, select
from runtimebuilder.engine.docker import Engine
from runtimebuilder.render.mirror import configured
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.config import load_config
from runtimebuilder.spec.lock import read_lock
from runtimebuilder.spec.overrides import override


def bake(
    names: Names = None,
    family: Family = None,
    variant: Variant = None,
    exclude: Exclude = None,
    own: Own = False,
    changed_since: ChangedSince = None,
    base: BaseOption = None,
    mirror: MirrorOption = None,
    settings: SetOption = None,
    cache_from: CacheFromOption = None,
    cache_to: CacheToOption = None,
    platform: Annotated[
        str | None,
        typer.Option(metavar="OS/ARCH", help="Build for this platform instead of the builder's own."),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            "--secret",
            metavar="id=NAME,src=FILE|env=VAR",
            help="Where a secret's value is when bake runs. Repeatable.",
        ),
    ] = None,
    contexts: Annotated[
        Path,
        typer.Option("--contexts", metavar="DIR", help="Where the build contexts are written."),
    ] = Path(".runtimebuilder/bake"),
    carry_bases: Annotated[
        bool,
        typer.Option(
            "--carry-bases",
            help="Write bases that only this engine has beside them, for builders elsewhere.",
        ),
    ] = False,
) -> None:
    """Print the plan for `docker buildx bake -f -`, and write the contexts that it reads.

    All images are one solve, on any of BuildKit's builders; what they are called and labelled is as `build` does it.
    """
    catalog = Catalog.load()
    config = load_config()
    runtimes = select(catalog, names, family, variant, exclude, changed_since, own=own, is_all=False)
    catalog, runtimes = override(catalog, runtimes, settings or ())
    options = BuildOptions(
        base=base or config.base,
        mirrors=configured(mirror or (), config.mirrors),
        platform=platform,
        secrets=tuple(parse_secret(text) for text in secret or ()),
        lock=read_lock(),
        cache_from=read_caches(cache_from or ()),
        cache_to=written_caches(cache_to or (), runtimes=len(runtimes)),
    )
    check_options(options, runtimes, catalog)
    engine = Engine.connect()
    try:
        plan = plan_builds(engine, catalog, runtimes, options, console.say)
        text = write_bake(engine, plan, execution(options), contexts, carry_bases=carry_bases)
    finally:
        engine.close()
    made = sorted({step.base.reference for step in plan if step.base.base.make is not None})
    if made and not carry_bases:
        console.say(f"WARNING: {', '.join(made)}: no builder elsewhere has it; --carry-bases gives it to one")
    sys.stdout.write(text)
