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
from runtimebuilder.engine.needs import Needs, image_needs
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.render.image import LABEL
from runtimebuilder.spec.catalog import Catalog

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
        needs = image_needs(engine, facts.id, contents.packages)
        kind = engine.manifest_type(facts.id)
    finally:
        engine.close()
    sys.stdout.write(
        _as_json(reference, facts, contents, needs, kind)
        if json_output
        else _text(reference, facts, contents, needs, kind, largest)
    )


def _spec_of(facts: ImageFacts) -> str | None:
    """The file that the image's runtime is described in, as it is found now."""
    runtime = Catalog.load().runtimes.get(facts.labels.get(f"{LABEL}.runtime", ""))
    return runtime.source if runtime else None


def _as_json(
    reference: str, facts: ImageFacts, contents: ImageContents, needs: Needs, kind: str | None
) -> str:
    document = {
        "image": reference,
        "id": facts.id,
        "platform": f"{facts.os}/{facts.architecture}",
        "created": facts.created,
        "size": facts.size,
        "labels": dict(facts.labels),
        "spec": _spec_of(facts),
        "manifest": kind,
        **asdict(contents),
        "needs": asdict(needs),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _text(
    reference: str,
    facts: ImageFacts,
    contents: ImageContents,
    needs: Needs,
    kind: str | None,
    largest: int,
) -> str:
    own = facts.labels.get(f"{LABEL}.runtime")
    lines = [f"{reference}   {facts.os}/{facts.architecture}   {_mb(facts.size)}   {facts.created[:19]}"]
    if own:
        lines.append(
            f"runtime {own} ({facts.labels.get(f'{LABEL}.family')} {facts.labels.get(f'{LABEL}.version')}, "
            f"{facts.labels.get(f'{LABEL}.variant')}) on {facts.labels.get(f'{LABEL}.base')}"
        )
        if source := _spec_of(facts):
            lines.append(f"spec    {source}")
    if kind:
        lines.append(f"kept as {kind}" + (" (an index: no function can use it)" if _is_index(kind) else ""))
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
    lines += _needs_text(needs, largest)
    if facts.labels:
        lines += ["", "Labels", *(f"  {name}={value}" for name, value in facts.labels.items())]
    return "\n".join(lines) + "\n"


def _is_index(kind: str) -> bool:
    return kind.endswith(("image.index.v1+json", "manifest.list.v2+json"))


def _needs_text(needs: Needs, largest: int) -> list[str]:
    lines = [
        "",
        f"Needed: {len(needs.programs)} files of the runtime are linked with {len(needs.libraries)} others",
    ]
    if needs.packages:
        lines[-1] += f" of {len(needs.packages)} packages"
    if needs.missing:
        lines.append(f"  not in the image: {', '.join(needs.missing)}")
    if needs.idle:
        total = sum(package.size for package in needs.idle)
        lines += [
            "",
            f"Nothing is linked with ({len(needs.idle)} packages, {_mb(total)}), the largest",
            *(f"  {_mb(package.size):>9}  {package.name}" for package in needs.idle[:largest]),
            "  What a program starts, or loads by name, does not show in links.",
        ]
    return lines


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
