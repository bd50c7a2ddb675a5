"""`runtimebuilder sbom`: the parts of an image, for programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.attest.sbom import SbomFormat, sbom
from runtimebuilder.build.run import epoch_of
from runtimebuilder.cli import console
from runtimebuilder.cli.options import variable
from runtimebuilder.cli.subject import resolve_subject
from runtimebuilder.engine.docker import Engine
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.whole_file import write_text


def sbom_command(
    target: Annotated[
        str, typer.Argument(metavar="NAME|IMAGE", help="A runtime that was built here, or any image.")
    ],
    base: Annotated[
        str | None,
        typer.Option(
            "--base", metavar="NAME", help="Which of a runtime's images, by its base.", **variable("base")
        ),
    ] = None,
    form: Annotated[
        SbomFormat,
        typer.Option("--format", "-f", help="SPDX 2.3 or CycloneDX 1.6, as JSON.", **variable("sbom-format")),
    ] = SbomFormat.SPDX,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it there instead of to standard output."),
    ] = None,
) -> None:
    """Print the software bill of materials of an image: what its own databases say is in it.

    The same image gives the same bytes. Times are the image's own, or SOURCE_DATE_EPOCH.
    """
    epoch = epoch_of(os.environ.get("SOURCE_DATE_EPOCH"), reproducible=False)
    engine = Engine.connect()
    try:
        text, notes = sbom(engine, Catalog.load(), resolve_subject(engine, target, base), form, epoch)
    finally:
        engine.close()
    for note in notes:
        console.say(f"WARNING: {note}")
    if output is None:
        sys.stdout.write(text)
    else:
        write_text(output, text)
