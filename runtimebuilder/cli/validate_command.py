"""`runtimebuilder validate`: every mistake of every spec, at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.errors import ExitCode, NothingSelectedError
from runtimebuilder.spec.library import examine, spec_files
from runtimebuilder.spec.problem import count_line


def validate(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE|FOLDER]...", help="By default ./runtimes and the built-in runtimes."),
    ] = None,
) -> None:
    """Check specs and show all mistakes of all files, with their places."""
    files = spec_files(paths)
    if paths and not files:
        raise NothingSelectedError(
            f"there is no spec (*.yaml, *.yml) in {', '.join(map(str, paths))}",
            hint="name the folder that holds them: folders within it are not looked into",
        )
    examined = examine(files)
    lines = [problem.text() for problem in examined.problems]
    sys.stdout.write("\n".join([*lines, count_line(examined.problems, examined.files)]) + "\n")
    if examined.problems:
        raise typer.Exit(ExitCode.USAGE)
