"""What stands behind NAME or IMAGE on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runtimebuilder.build.subject import find_image, own_tests_of, verify_settings_of
from runtimebuilder.cli import console
from runtimebuilder.cli.selection import select
from runtimebuilder.conformance.options import VerifyOptions
from runtimebuilder.engine.docker import Engine
from runtimebuilder.spec.catalog import Catalog


def resolve_subject(engine: Engine, target: str, base: str | None = None) -> str:
    """The image reference; says so when a runtime's image is not on the base that its spec asks for."""
    found = find_image(engine, Catalog.load(), target, base)
    if found.note:
        console.say(f"WARNING: {found.note}")
    return found.reference


def matching(
    targets: Sequence[str],
    family: Sequence[str] | None = None,
    variant: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    changed_since: str | None = None,
    *,
    own: bool = False,
) -> tuple[str, ...]:
    """The targets with patterns (`shop-*`) replaced by the runtimes that match, each once.

    With an option that selects, targets are runtimes, as for every other command.
    """
    if family or variant or exclude or changed_since or own:
        chosen = select(Catalog.load(), targets, family, variant, exclude, changed_since, own=own)
        return tuple(runtime.name for runtime in chosen)
    found: list[str] = []
    for target in targets:
        pattern = set("*?[") & set(target)
        found += [runtime.name for runtime in Catalog.load().select([target])] if pattern else [target]
    return tuple(dict.fromkeys(found))


def with_settings(options: VerifyOptions, target: str) -> VerifyOptions:
    """The options, with what the runtime's spec says where the command line says nothing."""
    return options.with_settings(*verify_settings_of(Catalog.load(), target))


def resolve_tests(target: str) -> tuple[Path, ...]:
    """The project's own tests of this runtime, which lie beside its spec; none of an image."""
    return own_tests_of(Catalog.load(), target)
