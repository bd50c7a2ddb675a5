"""`runtimebuilder list`: which runtimes there are."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from runtimebuilder.cli.selection import ChangedSince, Exclude, Family, Names, Own, Variant, select
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.model import RuntimeSpec


def list_command(
    names: Names = None,
    family: Family = None,
    variant: Variant = None,
    exclude: Exclude = None,
    own: Own = False,
    changed_since: ChangedSince = None,
    *,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Names alone, one on a line.")] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="One JSON document with everything resolved.")
    ] = False,
) -> None:
    """List the runtimes that can be built."""
    runtimes = select(Catalog.load(), names, family, variant, exclude, changed_since, own=own)
    if quiet:
        sys.stdout.write("".join(f"{runtime.name}\n" for runtime in runtimes))
    elif json_output:
        document = {"runtimes": [runtime.model_dump(mode="json") for runtime in runtimes]}
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(_table(runtimes))


def _table(runtimes: tuple[RuntimeSpec, ...]) -> str:
    """One line each. Not cut where the output is no terminal, and without colours there."""
    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else 400, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold" if terminal else "")
    for heading in ("NAME", "VERSION", "VARIANT", "BASE", "PLATFORMS"):
        table.add_column(heading, no_wrap=True)
    for runtime in runtimes:
        platforms = ", ".join(platform.removeprefix("linux/") for platform in runtime.platforms)
        table.add_row(
            runtime.name, f"{runtime.family} {runtime.version}", runtime.variant, runtime.base, platforms
        )
    with console.capture() as capture:
        console.print(table)
    return "".join(line.rstrip() + "\n" for line in capture.get().splitlines())
