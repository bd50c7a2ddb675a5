"""`runtimes.lock`: what was pinned for each runtime, and whether that still fits its spec.

An entry is compared by what it was made for (the packages that are asked for, the archives that are compiled, images of
layers), as parsed, never by bytes: a comment, an ini setting or the order of a list makes no lock stale.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from runtimebuilder.errors import SpecError
from runtimebuilder.spec.fields import ImageName, Line, Name, Package, Platform, Sha256, SpecModel
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec
from runtimebuilder.spec.packages import builds_for, packages_for
from runtimebuilder.spec.whole_file import read_model, write_text

FILE = "runtimes.lock"
COMMON, VARIANT, COMPILED = "common", "variant", "compiled"
_HEADER = "# Written by `runtimebuilder lock`: commit it, do not edit it. JSON, which is YAML too.\n"


def _digest(text: str) -> str:
    if not text.startswith("sha256:") or len(text) != 71:
        raise ValueError(f"{text!r} is not a digest")
    return text


Digest = Annotated[str, AfterValidator(_digest)]


class LockedPlatform(SpecModel):
    """What was found on one platform. `packages`: by the step that installs them, name → version.

    `digest`: of the base's image in its registry. `made`: of the packages of a base that is made here.
    """

    digest: Digest | None = None
    made: Sha256 | None = None
    packages: Mapping[Name, Mapping[Package, Line]]


class LockedRuntime(SpecModel):
    """One runtime's entry. `wanted`: the packages that the spec asks for, by step. `sources`: archives, by name."""

    base: Name
    wanted: Mapping[Name, tuple[Line, ...]]
    sources: Mapping[Line, Sha256] = Field(default_factory=dict)
    images: Mapping[ImageName, Digest] = Field(default_factory=dict)
    platforms: Mapping[Platform, LockedPlatform]


class Lock(SpecModel):
    """The whole file. `epoch`: SOURCE_DATE_EPOCH of builds, seconds."""

    schema_version: Literal[1] = Field(alias="schema")
    epoch: Annotated[int, Field(ge=0)]
    runtimes: Mapping[Name, LockedRuntime] = Field(default_factory=dict)


@dataclass(frozen=True)
class Wants:
    """What a runtime asks for on a base, as far as a lock pins it."""

    wanted: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, str]
    images: tuple[str, ...]


def wants_of(runtime: RuntimeSpec, base: BaseSpec) -> Wants:
    """What there is to pin. Raises `SpecError` (exit 2) as `packages_for` does."""
    runtime = runtime.on(base.name)
    packages = packages_for(runtime, base)
    wanted = {COMMON: packages.common, VARIANT: packages.variant}
    sources: dict[str, str] = {}
    if runtime.has_php:
        compiled = builds_for(runtime, base)
        wanted[COMPILED] = compiled.packages
        sources = {f"{one.name} {one.version}": one.sha256 for one in compiled.extensions}
        if compiled.php is not None:
            sources[f"php {compiled.php.version}"] = compiled.php.sha256
    for number, stage in enumerate(runtime.stages):
        wanted[f"build-{number}"] = tuple(sorted(stage.packages.get(base.name, ())))
    images = tuple(sorted({layer.image for layer in runtime.layers if layer.image is not None}))
    return Wants(
        {step: names for step, names in sorted(wanted.items()) if names},
        dict(sorted(sources.items())),
        images,
    )


def staleness(entry: LockedRuntime, wants: Wants, base: str, platform: str | None) -> tuple[str, ...]:
    """Why the entry does not fit, in words; () when it does. `platform`: None for any that is there."""
    if entry.base != base:
        return (f"it is for base {entry.base}, not {base}",)
    why = []
    for step in sorted({*entry.wanted, *wants.wanted}):
        then, now = set(entry.wanted.get(step, ())), set(wants.wanted.get(step, ()))
        why += [f"{name} is asked for now" for name in sorted(now - then)]
        why += [f"{name} is not asked for any more" for name in sorted(then - now)]
    for name in sorted({*entry.sources, *wants.sources}):
        if entry.sources.get(name) != wants.sources.get(name):
            why.append(f"the archive of {name} is another one")
    if set(entry.images) != set(wants.images):
        why.append("other layers are asked for")
    if platform is not None and platform not in entry.platforms:
        why.append(f"it is not for {platform}")
    return tuple(why)


def read_lock(directory: Path | None = None) -> Lock | None:
    """The lock of `directory` (the working directory); None when there is none.

    Raises `SpecErrors` (exit 2) with the places of what is wrong in it.
    """
    file = (directory or Path()) / FILE
    if not file.exists():
        return None
    return read_model(file, FILE, Lock)


def lock_text(lock: Lock) -> str:
    """The file's content: sorted, the same for the same lock."""
    data = lock.model_dump(mode="json", by_alias=True, exclude_none=True)
    return _HEADER + json.dumps(data, indent=1, sort_keys=True) + "\n"


def write_lock(lock: Lock, directory: Path | None = None) -> bool:
    """Write the lock in one step; whether it was another one before."""
    file = (directory or Path()) / FILE
    text = lock_text(lock)
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return False
    write_text(file, text)
    return True


@dataclass(frozen=True)
class Pins:
    """An entry that fits, for one platform: what rendering puts in the place of what the spec asks for."""

    base: BaseSpec
    platform: LockedPlatform
    images: Mapping[str, str]

    def names(self, step: str) -> tuple[str, ...]:
        """All packages of a step with their versions, as the base's package manager wants them."""
        separator = "=" if self.base.package_manager == "apt" else "-"
        return tuple(
            f"{name}{separator}{version}"
            for name, version in sorted(self.platform.packages.get(step, {}).items())
        )

    def image(self, reference: str) -> str:
        """A layer's image by its digest."""
        return _at_digest(reference, self.images[reference])

    def from_image(self, reference: str) -> str:
        """The base by its digest, where it has one."""
        return _at_digest(reference, self.platform.digest) if self.platform.digest else reference


def _at_digest(reference: str, digest: str) -> str:
    return f"{reference.partition('@')[0]}@{digest}"


def pins_for(lock: Lock | None, runtime: RuntimeSpec, base: BaseSpec, platform: str) -> Pins | None:
    """The pins for a runtime; None when the lock has no entry that fits."""
    entry = lock.runtimes.get(runtime.name) if lock else None
    if entry is None or staleness(entry, wants_of(runtime, base), base.name, platform):
        return None
    return Pins(
        base, next(found for name, found in entry.platforms.items() if name == platform), entry.images
    )


def check_locked(lock: Lock | None, runtime: RuntimeSpec, base: BaseSpec, platform: str | None) -> None:
    """Raise `SpecError` (exit 2), with what has changed, when the lock has no entry that fits."""
    command = f"runtimebuilder lock {runtime.name}"
    if lock is None:
        raise SpecError(f"there is no {FILE} here", hint=f"write it: {command}")
    entry = lock.runtimes.get(runtime.name)
    if entry is None:
        raise SpecError(f"{FILE} says nothing for {runtime.name}", hint=f"add it: {command}")
    if entry.base != base.name:
        command += f" --base {base.name}"
    if why := staleness(entry, wants_of(runtime, base), base.name, platform):
        raise SpecError(
            f"{FILE} does not fit {runtime.name} any more: {'; '.join(why)}", hint=f"renew it: {command}"
        )
