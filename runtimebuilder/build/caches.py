"""`--cache-from` and `--cache-to`, as buildx takes them, made fit for several runtimes and for ECR."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runtimebuilder.build.execute import CACHE_NAME
from runtimebuilder.engine.builder import Builder
from runtimebuilder.engine.buildx import BuildxBuilder
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError, SpecError

_WHERE = {"registry": "ref", "local": "dest"}  # what says where a cache is written to
_ECR = re.compile(r"\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/")
# ECR stores a cache only as an image manifest of OCI's types (containers-roadmap issue 876).
_ECR_WANTS = ("image-manifest=true", "oci-mediatypes=true")


def cache_from(texts: Sequence[str]) -> tuple[str, ...]:
    """Caches to read. A bare reference means `type=registry`. Raises `SpecError` (exit 2) for what cannot be meant."""
    return tuple(",".join(_parts(text, "--cache-from")) for text in texts)


def cache_to(texts: Sequence[str], *, runtimes: int) -> tuple[str, ...]:
    """Caches to write; to ECR in the form that it takes.

    Raises `SpecError` (exit 2) for what cannot be meant, and where several `runtimes` would write over each other.
    """
    found = []
    for text in texts:
        parts = _parts(text, "--cache-to")
        fields = dict(part.split("=", 1) for part in parts)
        place = fields.get(_WHERE.get(fields["type"], ""), "")
        if runtimes > 1 and fields["type"] in _WHERE and CACHE_NAME not in place:
            raise SpecError(
                f"--cache-to {text!r}: {runtimes} runtimes would write over each other's cache",
                hint=f"write {CACHE_NAME} where the runtime's name shall stand: ref=HOST/cache:{CACHE_NAME}",
            )
        if fields["type"] == "registry" and _ECR.match(place):
            parts += [want for want in _ECR_WANTS if want.split("=")[0] not in fields]
        found.append(",".join(parts))
    return tuple(found)


def _parts(text: str, option: str) -> list[str]:
    if "=" not in text and text:
        return ["type=registry", f"ref={text}"]
    parts = text.split(",")
    keys = [part.partition("=")[0] for part in parts]
    if any("=" not in part or part.endswith("=") for part in parts) or "type" not in keys:
        raise SpecError(
            f"{option} {text!r} is not type=TYPE,KEY=VALUE", hint="for example type=registry,ref=HOST/cache"
        )
    return parts


def check_caches(engine: Engine, builder: Builder, caches: Sequence[str]) -> None:
    """Raise `EnvironmentProblemError` (exit 4) when the builder cannot write `caches`, before anything is built."""
    wanted = [cache for cache in caches if "type=inline" not in cache.split(",")]
    if not wanted:
        return
    if not isinstance(builder, BuildxBuilder):
        raise EnvironmentProblemError(
            f"the {builder.name} cannot write caches", hint="install the docker-buildx package"
        )
    if not builder.is_elsewhere and not engine.ping().has_containerd_store:
        raise EnvironmentProblemError(
            "this engine's own builder cannot write caches",
            hint="turn on the engine's containerd image store, or use `docker buildx create` and --builder NAME",
        )
