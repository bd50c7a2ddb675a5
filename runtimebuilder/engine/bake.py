"""What `docker buildx bake` reads: all images of a plan as one file, which one solve builds.

The file is JSON in bake's own words, so that the same plan runs by hand on any of BuildKit's builders. Steps that
images share are run once in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runtimebuilder.engine.builder import BuildRequest

# Attestations inside the image's own index make Lambda refuse it (buildx issue 1533).
_NO_ATTESTATIONS = ("type=provenance,disabled=true", "type=sbom,disabled=true")


@dataclass(frozen=True)
class BakeTarget:
    """One image: its request, where its context lies, and what it is called in the end."""

    request: BuildRequest
    context: str  # a folder, absolute or from where bake is run
    tags: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    contexts: Mapping[str, str] = field(
        default_factory=dict
    )  # what stands behind a name of FROM, and where it is


def target_names(names: Sequence[str]) -> Mapping[str, str]:
    """For each runtime's name one that bake takes: it knows no dots. Different names stay different."""
    targets: dict[str, str] = {}
    for name in names:
        wanted = target = re.sub(r"[^A-Za-z0-9_-]", "_", name)
        number = 2
        while target in targets.values() or (target != name and target in names):
            target, number = f"{wanted}_{number}", number + 1
        targets[name] = target
    return targets


def bake_file(targets: Mapping[str, BakeTarget]) -> str:
    """The file's text; `targets` by bake's names. Sorted, and no value can be taken for an expression of bake's."""
    document = {
        "group": {"default": {"targets": sorted(targets)}},
        "target": {name: _target(target) for name, target in sorted(targets.items())},
    }
    return json.dumps(_escaped(document), indent=2, ensure_ascii=False) + "\n"


def _target(target: BakeTarget) -> dict[str, Any]:
    request = target.request
    entry: dict[str, Any] = {
        "attest": list(_NO_ATTESTATIONS),
        "context": target.context,
        "dockerfile": "Dockerfile",
        "labels": dict(sorted(request.labels.items())),
    }
    if target.contexts:
        entry["contexts"] = dict(sorted(target.contexts.items()))
    if request.platform:
        entry["platforms"] = [request.platform]
    if request.no_cache:
        entry["no-cache"] = True
    if request.epoch is not None:
        entry["args"] = {"SOURCE_DATE_EPOCH": str(request.epoch)}
    if request.secrets:  # where their values are; never the values
        entry["secret"] = [str(secret) for secret in request.secrets]
    if request.cache_from:
        entry["cache-from"] = list(request.cache_from)
    if request.cache_to:
        entry["cache-to"] = list(request.cache_to)
    if target.tags:
        entry["tags"] = list(target.tags)
    if target.output:
        entry["output"] = list(target.output)
    return entry


def _escaped(value: Any) -> Any:
    """Bake reads `${...}` and `%{...}` in every string, JSON or not, as expressions."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, dict):
        return {_escaped(key): _escaped(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [_escaped(inside) for inside in value]
    return value
