"""`runtimebuilder init` and `runtimebuilder new`: a project of one's own, and one more runtime in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.cli import console
from runtimebuilder.errors import SpecError
from runtimebuilder.render.project import new_project, new_runtime
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.project import write_files

Extends = Annotated[
    str, typer.Option("--extends", metavar="RUNTIME", help="The runtime that the new one is made of.")
]


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The project's folder; it may be there.")
    ] = Path(),
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The first runtime's name.")] = "app",
    extends: Extends = "php-84-fpm",
    ci: Annotated[
        str,
        typer.Option(
            "--ci", metavar="github|gitlab|buildkite|none", help="For which CI system a pipeline is written."
        ),
    ] = "github",
) -> None:
    """Begin a project: a runtime, a test of it, the schema for editors, a workflow, a pre-commit hook."""
    if directory.exists() and not directory.is_dir():
        raise SpecError(f"{directory} is not a folder")
    directory.mkdir(parents=True, exist_ok=True)
    os.chdir(directory)  # whose runtimes/ the catalog reads
    _write(new_project(Catalog.load(), name, extends, ci), directory)
    first = "" if directory == Path() else f"cd {directory} && "
    console.say(f"next: {first}runtimebuilder build {name} && runtimebuilder verify {name}")


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new runtime's name.")],
    extends: Extends,
) -> None:
    """Write the spec of one more runtime, with a test, into ./runtimes."""
    _write(new_runtime(Catalog.load(), name, extends), Path())
    console.say(f"next: runtimebuilder build {name} && runtimebuilder verify {name}")


def _write(files: Mapping[str, str], directory: Path) -> None:
    written = write_files(Path(), files)
    for path in written:
        console.say(f"wrote {directory / path}")
    if not written:
        console.say("everything is there already")
