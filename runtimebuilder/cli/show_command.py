"""`runtimebuilder show`: a runtime as it was understood."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.explain import as_yaml, explain


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The runtime, by name.")],
    base: Annotated[str | None, typer.Option("--base", metavar="NAME", help="As it is on this base.")] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON document: each value with its place.")
    ] = False,
) -> None:
    """Print a runtime said in full: each value, and which line of which file it comes from."""
    catalog = Catalog.load()
    (runtime,) = catalog.select([name])
    item = catalog.resolved[runtime.name]
    if base is not None:
        catalog.base(base)
    said = explain(item, base)
    if not json_output:
        sys.stdout.write(as_yaml(said, item.extends))
        return
    document = {
        "name": runtime.name,
        "extends": list(item.extends),
        "values": [{"path": list(one.path), "value": one.value, "from": one.where} for one in said],
    }
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
