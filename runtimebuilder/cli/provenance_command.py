"""`runtimebuilder provenance`: how a runtime's image came to be, for programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.attest.provenance import BUILDER_ID, check_subject, provenance, surroundings
from runtimebuilder.build.run import BuildOptions, epoch_of, plan_builds
from runtimebuilder.cli import console
from runtimebuilder.cli.options import BaseOption, MirrorOption, SetOption, variable
from runtimebuilder.cli.selection import select
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import SpecError
from runtimebuilder.render.mirror import configured
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.config import load_config
from runtimebuilder.spec.lock import read_lock
from runtimebuilder.spec.overrides import override
from runtimebuilder.spec.whole_file import write_text


def provenance_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A runtime that was built here.")],
    base: BaseOption = None,
    mirror: MirrorOption = None,
    settings: SetOption = None,
    platform: Annotated[
        str | None,
        typer.Option(
            metavar="OS/ARCH", help="The --platform that it was built with.", **variable("platform")
        ),
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            metavar="REFERENCE@sha256:DIGEST",
            help="The image as a registry has it, instead of its id here.",
            **variable("subject"),
        ),
    ] = None,
    builder_id: Annotated[
        str,
        typer.Option(
            "--builder-id",
            metavar="URI",
            help="Who built: of your CI system, say.",
            **variable("builder-id"),
        ),
    ] = BUILDER_ID,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it there instead of to standard output."),
    ] = None,
) -> None:
    """Print an in-toto statement (SLSA provenance 1) of the image of a runtime.

    Only for an image that was built of the spec as it is now; else exit 1. It is not signed.
    """
    if subject is not None:
        check_subject(subject)
    catalog, config, lock = Catalog.load(), load_config(), read_lock()
    runtimes = select(catalog, [name], None, None, None)
    catalog, runtimes = override(catalog, runtimes, settings or ())
    if len(runtimes) != 1:
        raise SpecError(f"{name!r} names {len(runtimes)} runtimes", hint="one statement is of one image")
    options = BuildOptions(
        base=base or config.base,
        mirrors=configured(mirror or (), config.mirrors),
        platform=platform,
        lock=lock,
        epoch=epoch_of(os.environ.get("SOURCE_DATE_EPOCH"), reproducible=False),
    )
    engine = Engine.connect()
    try:
        (step,) = plan_builds(engine, catalog, runtimes, options, console.say)
        around = surroundings(engine, lock, builder_id)
        text = provenance(step, engine.image(step.tags[0]), around, subject)
    finally:
        engine.close()
    if output is None:
        sys.stdout.write(text)
    else:
        write_text(output, text)
