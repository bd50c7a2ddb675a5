"""`runtimebuilder plan` and `runtimebuilder diff`: what would be built, why, and what is different in it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from runtimebuilder.build.run import BuildOptions, check_options, is_image_name, plan_builds
from runtimebuilder.ci import revision
from runtimebuilder.ci.changes import Change, What, compare, diff
from runtimebuilder.cli import console
from runtimebuilder.cli.options import BaseOption, MirrorOption
from runtimebuilder.cli.plan_table import PlanRow, row, show
from runtimebuilder.cli.selection import ChangedSince, Exclude, Family, Names, Own, Variant, select
from runtimebuilder.engine.bases import AUTO
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import SpecError
from runtimebuilder.render.mirror import configured
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.config import load_config
from runtimebuilder.spec.lock import read_lock
from runtimebuilder.spec.model import RuntimeSpec

Against = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="REF|IMAGE",
        help="Compare with this revision of the project (needs no engine), or one runtime with this image.",
    ),
]


def plan(
    names: Names = None,
    family: Family = None,
    variant: Variant = None,
    exclude: Exclude = None,
    own: Own = False,
    changed_since: ChangedSince = None,
    against: Against = None,
    base: BaseOption = None,
    mirror: MirrorOption = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print the plan as one JSON document.")] = False,
) -> None:
    """Say what would be built, and why; build nothing.

    Without --against it compares with the images that are here, and makes bases present that are not.
    """
    catalog = Catalog.load()
    runtimes = select(catalog, names, family, variant, exclude, changed_since, own=own)
    config = load_config()
    mirrors = configured(mirror or (), config.mirrors)
    wish = base or config.base
    if against is not None and is_image_name(against) and not revision.is_revision(against):
        rows = _against_image(
            catalog, runtimes, BuildOptions(base=wish, mirrors=mirrors, lock=read_lock()), against
        )
    elif against is not None:
        with revision.at(against) as before:
            on = wish if wish != AUTO else None
            changes = compare(before, revision.here(catalog), runtimes, base=on, mirrors=mirrors)
        rows = [PlanRow(one.name, one.base, str(one.what), one.why) for one in changes]
    else:
        options = BuildOptions(base=wish, mirrors=mirrors, lock=read_lock())
        check_options(options, runtimes, catalog)
        engine = Engine.connect()
        try:
            steps = plan_builds(engine, catalog, runtimes, options, console.say)
        finally:
            engine.close()
        rows = [row(step) for step in steps]
    show(rows, json_output=json_output)


def _against_image(
    catalog: Catalog, runtimes: Sequence[RuntimeSpec], options: BuildOptions, reference: str
) -> list[PlanRow]:
    if len(runtimes) > 1:
        raise SpecError(
            f"there is no revision {reference!r} here, and an image can be compared with one runtime alone",
            hint="name the runtime, or a revision; a shallow clone has the last commit alone",
        )
    check_options(options, runtimes, catalog)
    engine = Engine.connect()
    try:
        steps = plan_builds(engine, catalog, runtimes, options, console.say, against=reference)
    finally:
        engine.close()
    return [row(step) for step in steps]


def diff_command(
    names: Names = None,
    family: Family = None,
    variant: Variant = None,
    exclude: Exclude = None,
    own: Own = False,
    changed_since: ChangedSince = None,
    against: Annotated[
        str, typer.Option("--against", metavar="REF", help="The revision of the project to compare with.")
    ] = "HEAD",
    base: BaseOption = None,
) -> None:
    """Print what is different in the rendered files since a revision, as a unified diff."""
    catalog = Catalog.load()
    runtimes = select(catalog, names, family, variant, exclude, changed_since, own=own)
    wish = base or load_config().base
    with revision.at(against) as before:
        changes = compare(before, revision.here(catalog), runtimes, base=wish if wish != AUTO else None)
        text = "".join(_told(change) for change in changes)
    sys.stdout.write(text)
    changed = sum(change.what is not What.UNCHANGED for change in changes)
    console.say(f"{changed} of {len(changes)} changed since {against}")


def _told(change: Change) -> str:
    return diff(change) if change.what is not What.UNCHANGED else ""
