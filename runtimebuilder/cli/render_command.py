"""`runtimebuilder render`: what is built, as files; and whether files that were committed are still that."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from runtimebuilder.cli import console
from runtimebuilder.cli.options import BaseOption, MirrorOption
from runtimebuilder.cli.selection import ChangedSince, Exclude, Family, Names, Own, Variant, select
from runtimebuilder.engine.bases import AUTO
from runtimebuilder.errors import SpecError, SubjectFailedError
from runtimebuilder.render.context import BuildContext
from runtimebuilder.render.environment import TemplateSet
from runtimebuilder.render.image import render_image
from runtimebuilder.render.mirror import configured
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.config import load_config


def render(
    names: Names = None,
    family: Family = None,
    variant: Variant = None,
    exclude: Exclude = None,
    own: Own = False,
    changed_since: ChangedSince = None,
    base: BaseOption = None,
    mirror: MirrorOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write the build context to DIR; of several runtimes, or a glob, to DIR/NAME.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Write nothing; exit 1 when what is in DIR is not what would be written."
        ),
    ] = False,
) -> None:
    """Print the Dockerfile of a runtime, or write whole build contexts. Needs no engine."""
    catalog = Catalog.load()
    runtimes = select(catalog, names, family, variant, exclude, changed_since, own=own, is_all=False)
    config = load_config()
    # What `auto` comes to is known only with an engine: without one it is the spec's own base.
    wish = next((one for one in (base, config.base) if one and one != AUTO), None)
    mirrors, templates = configured(mirror or (), config.mirrors), TemplateSet()
    contexts = {
        runtime.name: render_image(
            runtime, catalog.base(wish or runtime.base), mirrors=mirrors, templates=templates
        )
        for runtime in runtimes
    }
    if output is None:
        _print_one(contexts, check=check)
        return
    is_one = list(contexts) == list(names or ())
    folders = {name: output if is_one else output / name for name in contexts}
    if check:
        _check(contexts, folders)
        return
    for name, context in contexts.items():
        context.write(folders[name])
        console.say(f"wrote {len(context.files)} files to {folders[name]}")


def _print_one(contexts: dict[str, BuildContext], *, check: bool) -> None:
    if check or len(contexts) > 1:
        what = "--check" if check else f"{len(contexts)} runtimes"
        raise SpecError(f"{what} needs a folder: --output DIR")
    (context,) = contexts.values()
    console.out().print(Text(context.dockerfile), soft_wrap=True, end="")


def _check(contexts: dict[str, BuildContext], folders: dict[str, Path]) -> None:
    found = [line for name, context in contexts.items() for line in context.differences(folders[name])]
    if found:
        raise SubjectFailedError(
            f"{len(found)} rendered file{'s are' if len(found) > 1 else ' is'} not what the specs give",
            detail="\n".join(found),
            hint="the same command without --check writes them; `runtimebuilder diff` shows what has changed",
        )
    console.say(f"{len(contexts)} rendered as the specs say")
