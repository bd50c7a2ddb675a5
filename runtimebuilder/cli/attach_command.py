"""`runtimebuilder attach`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.cli import console
from runtimebuilder.cli.registry_options import DEFAULT_ATTEMPTS, AttemptsOption, InsecureOption, session
from runtimebuilder.publish.names import DIGEST, parse_reference
from runtimebuilder.publish.referrers import Attached, attachment
from runtimebuilder.publish.referrers import attach as attach_files


def attach(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REFERENCE", help="An image at a registry: HOST/REPOSITORY@sha256:... or :TAG."
        ),
    ],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="What is attached: an SBOM, provenance.")
    ],
    media_type: Annotated[
        str | None,
        typer.Option(
            "--type",
            metavar="MEDIA_TYPE",
            help="What the files are; .spdx.json, .cdx.json and .intoto.json tell it by themselves.",
        ),
    ] = None,
    attempts: AttemptsOption = DEFAULT_ATTEMPTS,
    insecure_registry: InsecureOption = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Attach files to an image at a registry, beside it: the image and its digest stay as they are."""
    repository, name = parse_reference(reference)
    attachments = [attachment(file, media_type) for file in files]
    done: list[Attached] = []
    with session(attempts, insecure=insecure_registry) as opened:
        for one in attach_files(opened, repository, name, attachments):
            done.append(one)
            if len(done) == 1 and not DIGEST.match(name):
                console.say(f"{reference} is {one.subject}")
            console.say(f"  {one.attachment.file.name}  {one.attachment.media_type}")
            if not json_output:
                sys.stdout.write(f"{one.reference}\n")
                sys.stdout.flush()
    if json_output:
        rows = [
            {
                "file": str(one.attachment.file),
                "type": one.attachment.media_type,
                "subject": repository.at(one.subject),
                "reference": one.reference,
            }
            for one in done
        ]
        sys.stdout.write(json.dumps({"attached": rows}, indent=2) + "\n")
