"""`runtimebuilder inspect`: what an image consists of."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from runtimebuilder.cli.subject import resolve_subject
from runtimebuilder.engine.contents import ImageContents, image_contents
from runtimebuilder.engine.docker import Engine, ImageFacts
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.render.image import LABEL

_WIDTH = 78


def inspect(
    target: Annotated[
        str, typer.Argument(metavar="NAME|IMAGE", help="A runtime that was built here, or any image.")
    ],
    base: Annotated[
        str | None, typer.Option("--base", metavar="NAME", help="Which of a runtime's images, by its base.")
    ] = None,
    largest: Annotated[
        int, typer.Option("--largest", metavar="N", min=1, help="How many files and packages to show.")
    ] = 20,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON document, with everything.")
    ] = False,
) -> None:
    """Show what is in an image: layers, the largest files and packages, labels, architecture."""
    engine = Engine.connect()
    try:
        reference = resolve_subject(engine, target, base)
        facts = engine.image(reference)
        if facts is None:
            raise EnvironmentProblemError(f"the engine has no image {reference}")
        contents = image_contents(engine, facts.id)
    finally:
        engine.close()
    sys.stdout.write(
        _as_json(reference, facts, contents) if json_output else _text(reference, facts, contents, largest)
    )


def _as_json(reference: str, facts: ImageFacts, contents: ImageContents) -> str:
    document = {
        "image": reference,
        "id": facts.id,
        "platform": f"{facts.os}/{facts.architecture}",
        "created": facts.created,
        "size": facts.size,
        "labels": dict(facts.labels),
        **asdict(contents),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _text(reference: str, facts: ImageFacts, contents: ImageContents, largest: int) -> str:
    own = facts.labels.get(f"{LABEL}.runtime")
    lines = [f"{reference}   {facts.os}/{facts.architecture}   {_mb(facts.size)}   {facts.created[:19]}"]
    if own:
        lines.append(
            f"runtime {own} ({facts.labels.get(f'{LABEL}.family')} {facts.labels.get(f'{LABEL}.version')}, "
            f"{facts.labels.get(f'{LABEL}.variant')}) on {facts.labels.get(f'{LABEL}.base')}"
        )
    lines += ["", f"Layers ({len(contents.layers)} that add something)"]
    lines += [f"  {_mb(layer.size):>9}  {_cut(layer.made_by, _WIDTH - 13)}" for layer in contents.layers]
    total = sum(file.size for file in contents.files)
    lines += ["", f"Files ({len(contents.files)}, {_mb(total)}), the largest"]
    lines += [f"  {_mb(file.size):>9}  {file.path}" for file in contents.files[:largest]]
    if contents.manager:
        total = sum(package.size for package in contents.packages)
        lines += ["", f"Packages ({len(contents.packages)}, {_mb(total)}), the largest"]
        lines += [
            f"  {_mb(package.size):>9}  {package.name} {package.version}"
            for package in contents.packages[:largest]
        ]
    else:
        lines += ["", "Packages: the image has no database of packages that can be read"]
    if facts.labels:
        lines += ["", "Labels", *(f"  {name}={value}" for name, value in facts.labels.items())]
    return "\n".join(lines) + "\n"


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
