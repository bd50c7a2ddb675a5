"""`runtimebuilder export-layer`: a runtime as a Lambda layer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.build.layer_zip import export_layer
from runtimebuilder.cli import console
from runtimebuilder.engine.docker import Engine
from runtimebuilder.spec.catalog import Catalog


def export_layer_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A runtime that was built here.")],
    base: Annotated[
        str | None,
        typer.Option(
            "--base", metavar="NAME", help="Which of its images, by base.", envvar="RUNTIMEBUILDER_BASE"
        ),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(
            "--arch", metavar="x86_64|arm64", help="Which of its images.", envvar="RUNTIMEBUILDER_ARCH"
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write; NAME-BASE-ARCH.zip by default.",
            envvar="RUNTIMEBUILDER_LAYER",
        ),
    ] = None,
) -> None:
    """Write a runtime as the zip file of a Lambda layer, for functions that are deployed as zip files.

    They use Lambda's OS-only runtime provided.al2023 and this layer. Prints the file's name.
    """
    engine = Engine.connect()
    try:
        layer = export_layer(
            engine, Catalog.load(), name, base=base, arch=arch, output=output, say=console.say
        )
    finally:
        engine.close()
    console.say(
        f"{layer.image}: {layer.files} files, {layer.packed / 1e6:.1f} MB, {layer.unpacked / 1e6:.1f} MB unpacked"
    )
    sys.stdout.write(f"{layer.file}\n")
