"""Builds for several platforms: which are meant, and bases that are made for another one than the engine's own.

Without the containerd store one name of an engine holds the image of one platform. So what is for another platform than
the engine's own has its architecture in its names: php-82:debian-12-arm64.
"""

from __future__ import annotations

import re
import types
from collections.abc import Sequence
from dataclasses import replace

from runtimebuilder.build.plan import Reason, Step
from runtimebuilder.engine.builder import Builder
from runtimebuilder.engine.classic import ClassicBuilder
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.emulation import PLATFORMS, check_can_run
from runtimebuilder.errors import EnvironmentProblemError, SpecError
from runtimebuilder.spec.catalog import Catalog

_RUN = re.compile(r"^RUN\s", re.MULTILINE)


def parse_platforms(text: str) -> tuple[str, ...]:
    """`linux/amd64,linux/arm64` → both, each once. Raises `SpecError` (exit 2) for what Lambda does not have."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for one in found:
        if one not in PLATFORMS:
            raise SpecError(f"--platform {one!r} is not one of {', '.join(PLATFORMS)}")
    return found


def foreign_architecture(engine: Engine, platform: str | None) -> str | None:
    """The architecture of `platform` when that is not the engine's own: "arm64"."""
    if platform is None or platform == engine.ping().platform:
        return None
    return platform.removeprefix("linux/")


def catalog_for(engine: Engine, catalog: Catalog, platform: str | None) -> Catalog:
    """The catalog whose bases made here are those for `platform`."""
    architecture = foreign_architecture(engine, platform)
    if architecture is None:
        return catalog
    bases = {
        name: base.model_copy(update={"architecture": architecture}) if base.make is not None else base
        for name, base in catalog.bases.items()
    }
    return replace(catalog, bases=types.MappingProxyType(bases))


def check_platforms(engine: Engine, plan: Sequence[Step], builder: Builder) -> None:
    """Raise `EnvironmentProblemError` (exit 4) when a step is for a platform that this engine cannot build for."""
    foreign = [step for step in plan if step.architecture is not None and step.reason is not Reason.UNCHANGED]
    # Files can be copied for any platform; steps are programs.
    running = [step for step in foreign if _RUN.search(step.context.dockerfile)]
    for platform in sorted({step.platform for step in running if step.platform}):
        check_can_run(engine, platform)
    for step in foreign:
        # It takes an empty image for one of the engine's own platform (seen with Docker 20.10).
        if isinstance(builder, ClassicBuilder) and step.runtime.on(step.base.base.name).slim:
            raise EnvironmentProblemError(
                f"{step.runtime.name} for {step.platform}: the classic builder makes slim images for the engine's own "
                "platform only",
                hint="install the docker-buildx package, or say slim: false",
            )
        if isinstance(builder, ClassicBuilder) and step.base.base.make is None:
            raise EnvironmentProblemError(
                f"{step.runtime.name} for {step.platform}: the classic builder takes a base that is pulled for the "
                "engine's own platform only",
                hint="install the docker-buildx package, or build on a base made here",
            )
