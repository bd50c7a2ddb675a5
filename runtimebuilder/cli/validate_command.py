"""`runtimebuilder validate`: every mistake of every spec, at once. `runtimebuilder schema`: the grammar for editors."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.errors import ExitCode, NothingSelectedError, SpecError
from runtimebuilder.spec.library import examine, spec_files
from runtimebuilder.spec.problem_formats import FORMATS
from runtimebuilder.spec.reference import described_schema


def validate(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE|FOLDER]...", help="By default ./runtimes and the built-in runtimes."),
    ] = None,
    *,
    output_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            show_default=False,
            help="How mistakes are written. In GitHub Actions it is github, else text.",
        ),
    ] = None,
) -> None:
    """Check specs and show all mistakes of all files, with their places."""
    wanted = output_format or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text")
    if wanted not in FORMATS:
        raise SpecError(f"--format {wanted!r} is not one of {', '.join(FORMATS)}")
    files = spec_files(paths)
    if paths and not files:
        raise NothingSelectedError(
            f"there is no spec (*.yaml, *.yml) in {', '.join(map(str, paths))}",
            hint="name the folder that holds them: folders within it are not looked into",
        )
    examined = examine(files)
    sys.stdout.write(FORMATS[wanted](examined.problems, examined.files))
    if examined.problems:
        raise typer.Exit(ExitCode.USAGE)


def schema() -> None:
    """Print the JSON Schema of specs, for editors and other tools."""
    sys.stdout.write(json.dumps(described_schema(), indent=2) + "\n")
