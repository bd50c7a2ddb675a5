"""`runtimebuilder validate`: every mistake of every spec, at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.errors import ExitCode
from runtimebuilder.spec.catalog import examine, spec_files
from runtimebuilder.spec.problem import count_line


def validate(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE|FOLDER]...", help="By default ./runtimes and the built-in runtimes."),
    ] = None,
) -> None:
    """Check specs and show all mistakes of all files, with their places."""
    examined = examine(spec_files(paths))
    lines = [problem.text() for problem in examined.problems]
    sys.stdout.write("\n".join([*lines, count_line(examined.problems, examined.files)]) + "\n")
    if examined.problems:
        raise typer.Exit(ExitCode.USAGE)
