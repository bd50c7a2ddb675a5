"""What a runtime needs on a base: packages, and where PHP's files lie. All of it is the base's data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runtimebuilder.errors import SpecError
from runtimebuilder.spec.model import BaseSpec, PhpOnBase, RuntimeSpec
from runtimebuilder.spec.placeholders import expand, version_values
from runtimebuilder.spec.problem import did_you_mean


@dataclass(frozen=True)
class PackageSet:
    """Packages to install, sorted. `common` is the same for all variants of a version: one shared layer."""

    common: tuple[str, ...]
    variant: tuple[str, ...]


@dataclass(frozen=True)
class PhpLayout:
    """Where PHP's files lie in an image: absolute paths, because Lambda's PATH has no sbin.

    `ini_directories`: every folder that a PHP process of this variant scans for ini files.
    """

    php: str
    fpm: str
    ini_directories: tuple[str, ...]


def packages_for(runtime: RuntimeSpec, base: BaseSpec, *, bases: Iterable[BaseSpec] = ()) -> PackageSet:
    """What has to be installed for `runtime` on `base`.

    Raises `SpecError` (exit 2) when the base has no such PHP version or variant, or lacks an extension for
    it. `bases` are the others that may be named as a way out.
    """
    php = _php(runtime, base, bases)
    problems = [
        message for name in runtime.extensions if (message := extension_problem(name, runtime.version, base))
    ]
    if problems:
        raise SpecError(
            f"{runtime.name}: {problems[0]}"
            + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""),
            hint=f"correct 'extensions' in {runtime.source}",
            detail="\n".join(problems) if len(problems) > 1 else None,
        )
    values = version_values(runtime.version)
    wanted = {*php.packages.common}
    wanted |= {
        package
        for name in runtime.extensions
        if (package := php.extensions[name].package_for(runtime.version))
    }
    common = {expand(package, values) for package in wanted}
    variant = {expand(package, values) for package in php.packages.variants[runtime.variant]}
    return PackageSet(tuple(sorted(common)), tuple(sorted(variant - common)))


def layout_for(runtime: RuntimeSpec, base: BaseSpec, *, bases: Iterable[BaseSpec] = ()) -> PhpLayout:
    """Where PHP lies once `runtime` is installed on `base`. Raises `SpecError` as `packages_for` does."""
    php = _php(runtime, base, bases)
    values = version_values(runtime.version)
    folders = tuple(expand(folder, values) for folder in php.ini_directories[runtime.variant])
    return PhpLayout(expand(php.binary, values), expand(php.fpm_binary, values), folders)


def _php(runtime: RuntimeSpec, base: BaseSpec, bases: Iterable[BaseSpec]) -> PhpOnBase:
    if message := version_problem(runtime.version, base):
        others = {other.name: other for other in bases or _shipped_bases().values()}
        raise SpecError(f"{runtime.name}: {message}", hint=bases_hint(runtime.version, others))
    if message := variant_problem(runtime.variant, base):
        raise SpecError(f"{runtime.name}: {message}", hint=f"correct 'variants' in {runtime.source}")
    assert base.php is not None  # noqa: S101 -- version_problem has seen it; this is for the type checker
    return base.php


def _shipped_bases() -> Mapping[str, BaseSpec]:
    from runtimebuilder.spec.bases import shipped_bases  # noqa: PLC0415 -- bases.py checks bases with this module

    return shipped_bases()


def version_problem(version: str, base: BaseSpec) -> str | None:
    """Why PHP `version` cannot be had on `base`; None when it can."""
    if base.php is None:
        return f"base {base.name!r} has no PHP"
    if version not in base.php.versions:
        return f"base {base.name!r} has no PHP {version}, only {', '.join(base.php.versions)}"
    return None


def bases_hint(version: str, bases: Mapping[str, BaseSpec]) -> str:
    """Which of `bases` have PHP `version`, as an advice."""
    names = [name for name, base in sorted(bases.items()) if base.php and version in base.php.versions]
    return f"PHP {version} is on {', '.join(names)}" if names else f"no base has PHP {version}"


def variant_problem(variant: str, base: BaseSpec) -> str | None:
    """Why `variant` cannot be built on `base`; None when it can."""
    known = sorted(base.php.packages.variants) if base.php else []
    if variant in known:
        return None
    hint = did_you_mean(variant, known) or f"; known are {', '.join(known)}"
    return f"unknown variant {variant!r}{hint}"


def extension_problem(
    name: str, version: str, base: BaseSpec, bases: Mapping[str, BaseSpec] | None = None
) -> str | None:
    """Why PHP `version` on `base` cannot have extension `name`; None when it can.

    `bases`: all there are, so that those which have it can be named.
    """
    known = base.php.extensions if base.php else {}
    if name not in known:
        having = [
            f"{other.name} (PHP {', '.join(version for version in other.php.versions if found.has(version))})"
            for _, other in sorted((bases or {}).items())
            if other.php and (found := other.php.extensions.get(name))
        ]
        if having:
            return (
                f"extension {name!r} is not there on base {base.name!r}; it is on {' and on '.join(having)}"
            )
        return f"unknown extension {name!r}{did_you_mean(name, known) or f' on base {base.name!r}'}"
    extension = known[name]
    if extension.has(version):
        return None
    bound = f"from {extension.since} on" if extension.since else ""
    if extension.until:
        bound += f"{' ' if bound else ''}up to {extension.until}"
    return f"extension {name!r} is not there for PHP {version} on base {base.name!r}, only {bound}"
