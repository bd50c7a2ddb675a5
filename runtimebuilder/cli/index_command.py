"""`runtimebuilder index`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.cli import console
from runtimebuilder.cli.registry_options import (
    DEFAULT_ATTEMPTS,
    AttemptsOption,
    InsecureOption,
    RegistryOption,
    place_of,
    session,
)
from runtimebuilder.cli.selection import Names, select
from runtimebuilder.errors import SpecError
from runtimebuilder.publish import metadata
from runtimebuilder.publish.index import Indexed, grouped, index_tag, make_index
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.config import load_config


def index(
    names: Names = None,
    registry: RegistryOption = None,
    metadata_file: Annotated[
        list[Path] | None,
        typer.Option(
            "--metadata",
            metavar="FILE",
            help="What `push --metadata-file` wrote, a file for each architecture. Repeatable.",
        ),
    ] = None,
    tag: Annotated[
        str | None,
        typer.Option(
            "--tag",
            "-t",
            metavar="PATTERN",
            help="The index's own tag; {{ version }}-multi when none is said.",
        ),
    ] = None,
    attempts: AttemptsOption = DEFAULT_ATTEMPTS,
    insecure_registry: InsecureOption = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Put what was pushed for each architecture under one name, for FROM.

    No Lambda function can use an index, so its tag is never that of an image.
    """
    catalog = Catalog.load()
    place = place_of(registry, load_config())
    if not metadata_file:
        raise SpecError(
            "say what was pushed: --metadata FILE", hint="`push --metadata-file FILE` writes such a file"
        )
    images = metadata.read(metadata_file)
    there = sorted({image.runtime for image in images})
    chosen = [runtime.name for runtime in select(catalog, names, None, None, None)] if names else there
    groups = grouped(images, chosen)
    done: list[Indexed] = []
    with session(attempts, insecure=insecure_registry) as opened:
        for (name, base), parts in groups.items():
            if name not in catalog.runtimes:
                raise SpecError(f"there is no runtime {name} here, which a metadata file names")
            its_tag = index_tag(catalog.runtimes[name], base, tag)
            made = make_index(opened, place, parts, its_tag, console.say)
            done.append(made)
            what = "" if made.written else "  unchanged"
            console.say(f"  {name}  {made.tag}  {', '.join(made.platforms)}{what}")
            if not json_output:
                sys.stdout.write(f"{made.reference}\n")
                sys.stdout.flush()
    rows = [
        {
            "runtime": one.runtime,
            "repository": str(one.repository),
            "tag": one.tag,
            "digest": one.digest,
            "platforms": list(one.platforms),
            "status": "written" if one.written else "unchanged",
        }
        for one in done
    ]
    metadata.tell_github(
        [(one.repository.at(one.digest), one.digest) for one in done], rows, os.environ, "indexes"
    )
    if json_output:
        sys.stdout.write(json.dumps({"indexes": rows}, indent=2) + "\n")
