"""`runtimebuilder promote`."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer

from runtimebuilder.cli import console
from runtimebuilder.cli.options import variable
from runtimebuilder.cli.registry_options import DEFAULT_ATTEMPTS, AttemptsOption, InsecureOption, session
from runtimebuilder.errors import SpecError
from runtimebuilder.publish import metadata
from runtimebuilder.publish.names import parse_place, parse_tagged
from runtimebuilder.publish.promote import Promoted
from runtimebuilder.publish.promote import promote as promote_image
from runtimebuilder.publish.repositories import ensure
from runtimebuilder.spec.config import load_config


def promote(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME[:TAG|@DIGEST]", help="A runtime, or any repository below the prefix."),
    ],
    source: Annotated[
        str,
        typer.Option("--from", metavar="HOST[/PREFIX]", help="Where it is.", **variable("promote-from")),
    ],
    target: Annotated[
        str,
        typer.Option("--to", metavar="HOST[/PREFIX]", help="Where it shall be.", **variable("promote-to")),
    ],
    tag: Annotated[
        list[str] | None,
        typer.Option(
            "--tag", "-t", metavar="TAG", help="Its tag there; as it is here when none is said. Repeatable."
        ),
    ] = None,
    create_repository: Annotated[
        bool,
        typer.Option(
            "--create-repository",
            help="Make the repository in ECR, if it is not there.",
            **variable("create-repository"),
        ),
    ] = False,
    attempts: AttemptsOption = DEFAULT_ATTEMPTS,
    insecure_registry: InsecureOption = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Copy an image to another place by its digest, with what is attached to it. Nothing is built.

    Prints HOST/REPOSITORY@sha256:... once the target has confirmed that all is there.
    """
    path, reference, tags = parse_tagged(name, tag or ())
    if reference is None:
        raise SpecError(f"say which {path}: {path}:TAG, {path}@sha256:..., or --tag TAG")
    here = parse_place(source, "--from").repository(path)
    there = parse_place(target, "--to").repository(path)
    if create_repository and ensure(there, load_config().publish.repository, ()):
        console.say(f"{there} is created")
    with session(attempts, insecure=insecure_registry) as opened:
        done = promote_image(opened, here, reference, there, tags=tags, say=console.say)
    console.say(f"  {_summary(done)}")
    row = {
        "repository": str(done.repository),
        "tags": list(done.tags),
        "digest": done.digest,
        "platforms": list(done.platforms),
        "attached": done.attached,
    }
    metadata.tell_github([(done.reference, done.digest)], [row], os.environ, "images")
    sys.stdout.write(json.dumps(row, indent=2) + "\n" if json_output else f"{done.reference}\n")


def _summary(done: Promoted) -> str:
    sent = done.sent
    what = f"sent {sent.sent} of {sent.blobs} blobs, {sent.size / 1e6:.1f} MB"
    what += f", {sent.mounted} mounted" if sent.mounted else ""
    what += f", {done.attached} attached" if done.attached else ""
    return f"{done.repository}  {', '.join(done.tags) or 'no tag'}  {', '.join(done.platforms)}  {what}"
