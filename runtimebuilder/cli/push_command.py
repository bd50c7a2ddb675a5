"""`runtimebuilder push`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.build.platforms import parse_platforms
from runtimebuilder.build.progress import duration
from runtimebuilder.cli import console
from runtimebuilder.cli.options import MirrorOption, SetOption, variable
from runtimebuilder.cli.registry_options import (
    DEFAULT_ATTEMPTS,
    AttemptsOption,
    InsecureOption,
    RegistryOption,
    place_of,
    session,
)
from runtimebuilder.cli.selection import ChangedSince, Exclude, Family, Names, Own, Variant, select
from runtimebuilder.engine.bases import AUTO
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import ExitCode
from runtimebuilder.publish import metadata
from runtimebuilder.publish.push import Intended, NotPushed, Pushed, Pusher, PushOptions, PushResult
from runtimebuilder.render.mirror import configured
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.config import load_config
from runtimebuilder.spec.lock import read_lock
from runtimebuilder.spec.model import RuntimeSpec
from runtimebuilder.spec.overrides import override


def push(
    names: Names = None,
    family: Family = None,
    variant: Variant = None,
    exclude: Exclude = None,
    own: Own = False,
    changed_since: ChangedSince = None,
    registry: RegistryOption = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base", metavar="NAME", help="Which of a runtime's images, by its base.", **variable("base")
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            "--tag",
            "-t",
            metavar="PATTERN",
            help="A tag, with {{ php }}, {{ version }}, {{ arch }}, {{ git_sha }} and so on; primary:PATTERN only "
            "on the spec's own base, other:PATTERN only on others. Repeatable.",
        ),
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(
            metavar="OS/ARCH[,OS/ARCH]",
            help="Which of a runtime's images; the engine's own platform when none is said.",
            **variable("platform"),
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
    metadata_file: Annotated[
        Path | None,
        typer.Option(
            "--metadata-file",
            metavar="FILE",
            help="Write what was pushed as JSON.",
            **variable("push-metadata-file"),  # `build` has an option of that name, and another format
        ),
    ] = None,
    allow_stale: Annotated[
        bool,
        typer.Option(
            "--allow-stale",
            help="Push an image also when its spec has changed since.",
            **variable("allow-stale"),
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen to each tag; send nothing.")
    ] = False,
    attempts: AttemptsOption = DEFAULT_ATTEMPTS,
    insecure_registry: InsecureOption = False,
    mirror: MirrorOption = None,
    settings: SetOption = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Push images that `build` has made here. Prints HOST/REPOSITORY@sha256:... for each.

    Each image is one manifest for one architecture, as Lambda wants it. What is there already is not sent again; a tag
    that is immutable is never moved. Nothing is printed before the registry has confirmed that all is there.
    """
    catalog = Catalog.load()
    config = load_config()
    runtimes = select(catalog, names, family, variant, exclude, changed_since, own=own, is_all=False)
    place = place_of(registry, config)
    catalog, runtimes = override(catalog, runtimes, settings or ())
    wished = base or config.base
    options = PushOptions(
        place=place,
        patterns=tuple(tag or config.publish.tags or ()),
        base=None
        if wished == AUTO
        else wished,  # an image on another base is pushed when it is named, not else
        platforms=parse_platforms(platform) if platform else (),
        repository=config.publish.repository if create_repository else None,
        allow_stale=allow_stale,
        mirrors=configured(mirror or (), config.mirrors),
        lock=read_lock(),
    )
    engine = Engine.connect()
    try:
        with session(attempts, insecure=insecure_registry) as opened:
            pusher = Pusher(engine, catalog, opened, options, console.say)
            if dry_run:
                _dry_run(pusher, runtimes, json_output=json_output)
                return
            results = _push(pusher, runtimes, json_output=json_output)
    finally:
        engine.close()
    images = [metadata.of(result) for result in results if isinstance(result, Pushed)]
    if metadata_file is not None:
        metadata.write(metadata_file, images)
    rows = [image.model_dump(mode="json") for image in images]
    metadata.tell_github([(f"{one.repository}@{one.digest}", one.digest) for one in images], rows, os.environ)
    if json_output:
        sys.stdout.write(json.dumps({"images": [_as_json(result) for result in results]}, indent=2) + "\n")
    if codes := {int(result.error.exit_code) for result in results if isinstance(result, NotPushed)}:
        raise typer.Exit(ExitCode.FAILED if ExitCode.FAILED in codes else max(codes))


def _push(pusher: Pusher, runtimes: Sequence[RuntimeSpec], *, json_output: bool) -> list[PushResult]:
    results = []
    width = max(len(runtime.name) for runtime in runtimes)
    for result in pusher.push(runtimes):
        results.append(result)
        if isinstance(result, NotPushed):
            console.show_error(result.error)
            continue
        console.say(f"  {result.candidate.runtime.name:<{width}}  {_summary(result)}")
        if not json_output:
            sys.stdout.write(f"{result.reference}\n")
            sys.stdout.flush()
    return results


def _summary(result: Pushed) -> str:
    candidate, sent = result.candidate, result.sent
    whole = f"{result.size / 1e6:.1f} MB"
    what = f"unchanged, {whole}" if sent is None else f"sent {sent.size / 1e6:.1f} of {whole}"
    if sent is not None and sent.mounted:
        what += f", {sent.mounted} layers mounted"
    return f"{', '.join(candidate.tags)}  {candidate.image.platform}  {what}  {duration(result.seconds)}"


def _as_json(result: PushResult) -> dict[str, object]:
    if isinstance(result, NotPushed):
        return {"runtime": result.runtime.name, "status": "failed", "error": result.error.message}
    status = "unchanged" if result.sent is None else "pushed"
    return {
        **metadata.of(result).model_dump(mode="json"),
        "status": status,
        "seconds": round(result.seconds, 3),
    }


_WORDS = {
    "new": "new",
    "same": "there already",
    "move": "would be moved from",
    "refuse": "immutable: would be refused; it is",
}


def _dry_run(pusher: Pusher, runtimes: Sequence[RuntimeSpec], *, json_output: bool) -> None:
    intended: list[Intended] = []
    for runtime in runtimes:
        intended += pusher.intend(runtime)
    if json_output:
        rows = [
            {
                "runtime": one.candidate.runtime.name,
                "reference": one.candidate.repository.at(one.tag),
                "platform": one.candidate.image.platform,
                "what": one.what,
                "there": one.there or None,
            }
            for one in intended
        ]
        sys.stdout.write(json.dumps({"tags": rows}, indent=2) + "\n")
    else:
        for one in intended:
            there = f" {one.there}" if one.what in ("move", "refuse") else ""
            sys.stdout.write(f"{one.candidate.repository.at(one.tag)}  {_WORDS[one.what]}{there}\n")
    if any(one.what == "refuse" for one in intended):
        raise typer.Exit(ExitCode.FAILED)
