"""Pinning: what a base, its package manager and registries give now, as entries of the lock; and what has moved on."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from runtimebuilder.engine.bases import AUTO, ResolvedBase, resolve_base
from runtimebuilder.engine.docker import Engine, EngineError, asking
from runtimebuilder.engine.packages import Versions, installed, resolve
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.render.mirror import Mirror
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.lock import (
    COMMON,
    VARIANT,
    Lock,
    LockedPlatform,
    LockedRuntime,
    Wants,
    staleness,
    wants_of,
)
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec

Say = Callable[[str], None]


@dataclass
class Locker:
    """Asks an engine, each question once."""

    engine: Engine
    catalog: Catalog
    mirrors: tuple[Mirror, ...]
    say: Say
    base: str | None = None  # another base than the specs' own, or "auto"
    pull: bool = False
    _resolved: dict[tuple[object, ...], tuple[Versions, ...]] = field(default_factory=dict)
    _bases: dict[str, ResolvedBase] = field(default_factory=dict)
    _made: dict[str, str] = field(default_factory=dict)

    @property
    def platform(self) -> str:
        """The engine's own platform: what is found holds for it."""
        return self.engine.ping().platform

    def present_base(self, runtime: RuntimeSpec) -> ResolvedBase:
        """The runtime's base, which is in the engine then. Raises as `resolve_base` does."""
        key = f"{runtime.base} {runtime.version}"
        if key not in self._bases:
            self._bases[key] = resolve_base(
                self.engine,
                runtime,
                self.catalog,
                wish=self.base,
                mirrors=self.mirrors,
                say=self.say,
                pull=self.pull,
            )
        return self._bases[key]

    def entry(self, runtime: RuntimeSpec, earlier: LockedRuntime | None, *, upgrade: bool) -> LockedRuntime:
        """The runtime's entry: the earlier one while it fits, unless everything shall be asked anew."""
        base = self.present_base(runtime)
        wants = wants_of(runtime, base.base)
        if earlier and not upgrade and not staleness(earlier, wants, base.base.name, self.platform):
            return earlier
        self.say(f"locking {runtime.name} on {base.base.name} for {self.platform}")
        platforms: dict[str, LockedPlatform] = {self.platform: self.found(base, wants)}
        if earlier and not upgrade and not staleness(earlier, wants, base.base.name, None):
            platforms = {**dict(earlier.platforms.items()), **platforms}
        return LockedRuntime.model_validate(
            {
                "base": base.base.name,
                "wanted": wants.wanted,
                "sources": wants.sources,
                "images": {image: self.digest_of(image) for image in wants.images},
                "platforms": dict(sorted(platforms.items())),
            }
        )

    def found(self, base: ResolvedBase, wants: Wants) -> LockedPlatform:
        """What the base and its package manager give now."""
        packages: dict[str, Versions] = {}
        # The image's own steps follow each other; every stage begins with the base again.
        own = [step for step in (COMMON, VARIANT) if step in wants.wanted]
        for steps in (own, *([step] for step in wants.wanted if step not in own)):
            names = [wants.wanted[step] for step in steps]
            if names:
                packages.update(zip(steps, self._resolve(base, names), strict=True))
        return LockedPlatform.model_validate(
            {
                "digest": base.digest,
                "made": self.made_of(base) if base.base.make else None,
                "packages": dict(sorted(packages.items())),
            }
        )

    def made_of(self, base: ResolvedBase) -> str:
        """A hash of the packages that a base made here consists of."""
        if base.image_id not in self._made:
            found = installed(self.engine, base.image_id, base.base.package_manager)
            text = "".join(f"{name} {version}\n" for name, version in found.items())
            self._made[base.image_id] = hashlib.sha256(text.encode()).hexdigest()
        return self._made[base.image_id]

    def digest_of(self, image: str) -> str:
        """The digest under which its registry has an image now. `EnvironmentProblemError` (exit 4) when it has not."""
        reference = next((name for mirror in self.mirrors if (name := mirror.rewrite(image))), image)
        try:
            with asking(f"which digest {reference} has"):
                found = self.engine.api.inspect_distribution(reference)
        except EngineError as error:
            raise EnvironmentProblemError(
                f"the digest of {reference} cannot be had from its registry", detail=error.detail
            ) from error
        return str(found["Descriptor"]["digest"])

    def _resolve(self, base: ResolvedBase, steps: Sequence[Sequence[str]]) -> tuple[Versions, ...]:
        key = (base.image_id, tuple(map(tuple, steps)))
        if key not in self._resolved:
            self._resolved[key] = resolve(self.engine, base.image_id, base.base.package_manager, steps)
        return self._resolved[key]


def make_lock(
    locker: Locker, runtimes: Sequence[RuntimeSpec], earlier: Lock | None, *, upgrade: bool = False
) -> Lock:
    """The lock with an entry for each of `runtimes`; entries of others stay, those of runtimes that are gone go.

    Raises as the `Locker`'s methods do. The time that builds take for theirs is renewed by an upgrade.
    """
    entries = {
        name: entry
        for name, entry in (earlier.runtimes if earlier else {}).items()
        if name in locker.catalog.runtimes
    }
    for runtime in runtimes:
        entries[runtime.name] = locker.entry(runtime, entries.get(runtime.name), upgrade=upgrade)
    epoch = earlier.epoch if earlier and not upgrade else int(time.time())
    return Lock(schema=1, epoch=epoch, runtimes=dict(sorted(entries.items())))


@dataclass(frozen=True, order=True)
class Moved:
    """Something that is newer than the lock. `now`: "" for what is gone, `locked`: "" for what is new."""

    runtime: str
    what: str
    locked: str
    now: str


def moved_on(locker: Locker, runtimes: Sequence[RuntimeSpec], lock: Lock) -> tuple[Moved, ...]:
    """What of the locked runtimes has moved on, sorted: bases, packages, images of layers. Raises as `make_lock`."""
    found: list[Moved] = []
    for runtime in runtimes:
        entry = lock.runtimes[runtime.name]
        base = locker.present_base(runtime)
        locked = next((one for name, one in entry.platforms.items() if name == locker.platform), None)
        if locked is None:
            continue
        wants = Wants(entry.wanted, entry.sources, tuple(entry.images))
        now = locker.found(base, wants)
        if locked.digest is not None:
            current = locker.digest_of(base.base.image or "")
            if current != locked.digest:
                found.append(Moved(runtime.name, f"base {base.base.name}", locked.digest, current))
        elif locked.made != now.made:
            found.append(Moved(runtime.name, f"base {base.base.name}", locked.made or "", now.made or ""))
        then_packages, now_packages = _flat(locked), _flat(now)
        for name in {*then_packages, *now_packages}:
            then, current = then_packages.get(name, ""), now_packages.get(name, "")
            if then != current:
                found.append(Moved(runtime.name, name, then, current))
        for image, digest in entry.images.items():
            current = locker.digest_of(image)
            if current != digest:
                found.append(Moved(runtime.name, f"layer {image}", digest, current))
    return tuple(sorted(found))


def _flat(platform: LockedPlatform) -> dict[str, str]:
    return {name: version for step in platform.packages.values() for name, version in step.items()}


def locked_base(
    entry: LockedRuntime | None, catalog: Catalog, wish: str | None, runtime: RuntimeSpec
) -> BaseSpec:
    """The base that a lock is compared with: the wish, or with `auto` the one that was locked."""
    if wish == AUTO:
        return catalog.base(entry.base if entry else runtime.base)
    return catalog.base(wish or runtime.base)
