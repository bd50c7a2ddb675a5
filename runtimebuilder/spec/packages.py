"""What a runtime needs on a base: packages, what has to be compiled, and where PHP's files lie.

Packages and paths are the base's data. An extension is had as the spec's own `builds` says; or from the base, built in
or as a package; or by a recipe that comes with the tool (recipes.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runtimebuilder.errors import SpecError
from runtimebuilder.spec.contents import Stage
from runtimebuilder.spec.model import BaseSpec, ExtensionBuild, PhpOnBase, RuntimeSpec
from runtimebuilder.spec.php_source import (
    PREFIX,
    is_compiled,
    source_modules,
    source_options,
    source_problem,
    source_url,
    with_source,
)
from runtimebuilder.spec.placeholders import expand, version_values
from runtimebuilder.spec.problem import did_you_mean
from runtimebuilder.spec.recipes import shipped_recipes

_PECL = "https://pecl.php.net/get/{name}-{version}.tgz"


@dataclass(frozen=True)
class PackageSet:
    """Packages to install, sorted. `common` is the same for all variants of a version: one shared layer."""

    common: tuple[str, ...]
    variant: tuple[str, ...]


@dataclass(frozen=True)
class CompiledExtension:
    """An extension to compile: its archive and the options for `configure`. `zend`: one of the engine's own kind."""

    name: str
    version: str
    url: str
    sha256: str
    configure: tuple[str, ...]
    zend: bool


@dataclass(frozen=True)
class CompiledPhp:
    """A release of PHP to compile for `prefix`, with options for `configure`."""

    version: str
    url: str
    sha256: str
    prefix: str
    configure: tuple[str, ...]
    modules: tuple[str, ...]  # those of the engine's kind, which are files of their own


@dataclass(frozen=True)
class Module:
    """A compiled file that PHP has to be told to load."""

    name: str
    version: str
    zend: bool


@dataclass(frozen=True)
class BuildSet:
    """What is compiled in a stage of its own, with what; extensions sorted by name. None of both: no such stage."""

    php: CompiledPhp | None = None
    extensions: tuple[CompiledExtension, ...] = ()
    packages: tuple[str, ...] = ()
    phpize: str = ""
    php_config: str = ""

    @property
    def modules(self) -> tuple[Module, ...]:
        """What PHP has to be told to load, sorted by name."""
        own = [Module(name, self.php.version, zend=True) for name in self.php.modules] if self.php else []
        others = [Module(one.name, one.version, one.zend) for one in self.extensions]
        return tuple(sorted((*own, *others), key=lambda one: one.name))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is compiled."""
        return self.php is None and not self.extensions


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
    runtime = runtime.on(base.name)
    if message := own_packages_problem(runtime, base):
        raise SpecError(f"{runtime.name}: {message}", hint=f"correct 'packages' in {runtime.source}")
    if message := slim_problem(runtime, base, _shipped_bases()):
        raise SpecError(f"{runtime.name}: {message}", hint=f"correct 'slim' in {runtime.source}")
    if not runtime.has_php:
        return PackageSet((), tuple(sorted(runtime.packages.get(base.name, ()))))
    base, php = _php(runtime, base, bases)
    _check_extensions(runtime, base)
    values = version_values(runtime.version)
    wanted = {*php.packages.common}
    for name in runtime.extensions:
        if build := build_of(name, runtime, base):
            wanted.update(build.libraries.get(base.name, ()))
        elif package := php.extensions[name].package_for(runtime.version):
            wanted.add(package)
    if runtime.slim and base.slim:
        wanted.update(base.slim.packages)
    common = {expand(package, values) for package in wanted}
    variant = {expand(package, values) for package in php.packages.variants[runtime.kind]}
    variant.update(runtime.packages.get(base.name, ()))
    return PackageSet(tuple(sorted(common)), tuple(sorted(variant - common)))


def builds_for(runtime: RuntimeSpec, base: BaseSpec) -> BuildSet:
    """What has to be compiled for `runtime` on `base`. Raises `SpecError` as `packages_for` does."""
    runtime = runtime.on(base.name)
    base, php = _php(runtime, base, ())
    _check_extensions(runtime, base)
    builds = {name: build for name in runtime.extensions if (build := build_of(name, runtime, base))}
    if not builds and runtime.php_source is None:
        return BuildSet()
    assert php.builder is not None  # noqa: S101 -- extension_problem has seen it
    values = version_values(runtime.version)
    packages = {*php.builder.packages}
    for build in builds.values():
        packages.update(build.packages.get(base.name, ()))
    return BuildSet(
        php=_compiled_php(runtime),
        extensions=tuple(
            CompiledExtension(
                name,
                build.version,
                build.url or _PECL.format(name=name, version=build.version),
                build.sha256,
                build.configure,
                build.zend,
            )
            for name, build in sorted(builds.items())
        ),
        packages=tuple(sorted(expand(package, values) for package in packages)),
        phpize=expand(php.builder.phpize, values),
        php_config=expand(php.builder.php_config, values),
    )


def _compiled_php(runtime: RuntimeSpec) -> CompiledPhp | None:
    release = runtime.php_source
    if release is None:
        return None
    return CompiledPhp(
        version=release.version,
        url=source_url(release),
        sha256=release.sha256,
        prefix=PREFIX,
        configure=source_options(runtime, release),
        modules=source_modules(runtime),
    )


def build_of(name: str, runtime: RuntimeSpec, base: BaseSpec) -> ExtensionBuild | None:
    """How extension `name` of `runtime` is compiled on `base`; None: it is not, or cannot be."""
    if own := runtime.builds.get(name):
        return own
    found = base.php.extensions.get(name) if base.php else None
    if found and found.has(runtime.version):
        return None
    return _recipe(name, runtime.version, base)


def _recipe(name: str, version: str, base: BaseSpec) -> ExtensionBuild | None:
    recipe = shipped_recipes().get(name)
    usable = recipe and recipe.has(version) and recipe.is_for(base.name) and base.php and base.php.builder
    return recipe if usable else None


def _check_extensions(runtime: RuntimeSpec, base: BaseSpec) -> None:
    problems = [
        message
        for name in runtime.extensions
        if (message := extension_problem(name, runtime.version, base, build=runtime.builds.get(name)))
    ]
    if problems:
        raise SpecError(
            f"{runtime.name}: {problems[0]}"
            + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""),
            hint=f"correct 'extensions' in {runtime.source}",
            detail="\n".join(problems) if len(problems) > 1 else None,
        )


def layout_for(runtime: RuntimeSpec, base: BaseSpec, *, bases: Iterable[BaseSpec] = ()) -> PhpLayout:
    """Where PHP lies once `runtime` is installed on `base`. Raises `SpecError` as `packages_for` does."""
    runtime = runtime.on(base.name)
    _, php = _php(runtime, base, bases)
    values = version_values(runtime.version)
    folders = tuple(expand(folder, values) for folder in php.ini_directories[runtime.kind])
    return PhpLayout(expand(php.binary, values), expand(php.fpm_binary, values), folders)


def _php(runtime: RuntimeSpec, base: BaseSpec, bases: Iterable[BaseSpec]) -> tuple[BaseSpec, PhpOnBase]:
    """The base as `runtime` sees it, and its PHP."""
    if message := source_problem(runtime, base):
        raise SpecError(f"{runtime.name}: {message}", hint=f"correct 'source' in {runtime.source}")
    base = with_source(base, runtime)
    if message := version_problem(runtime.version, base):
        others = {other.name: other for other in bases or _shipped_bases().values()}
        raise SpecError(f"{runtime.name}: {message}", hint=bases_hint(runtime.version, others))
    if message := variant_problem(runtime.kind, base):
        raise SpecError(f"{runtime.name}: {message}", hint=f"correct 'variants' in {runtime.source}")
    assert base.php is not None  # noqa: S101 -- version_problem has seen it; this is for the type checker
    return base, base.php


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


def own_packages_problem(runtime: RuntimeSpec, base: BaseSpec) -> str | None:
    """Why the spec's own `packages` cannot be installed on `base`; None when they can, or when there are none."""
    if not runtime.packages or base.name in runtime.packages:
        return None
    return f"packages says nothing for base {base.name!r}, only for {', '.join(sorted(runtime.packages))}"


def slim_problem(runtime: RuntimeSpec, base: BaseSpec, bases: Mapping[str, BaseSpec]) -> str | None:
    """Why `runtime` cannot be a slim image on `base`; None when it can, or does not want to."""
    if not runtime.slim or base.slim is not None:
        return None
    having = [name for name, other in sorted(bases.items()) if other.slim is not None]
    return f"slim: base {base.name!r} has no slim images, only {', '.join(having)}"


def stage_packages_problem(stage: Stage, base: BaseSpec) -> str | None:
    """Why the packages of a `build` cannot be installed on `base`; None when they can, or when there are none."""
    if not stage.packages or base.name in stage.packages:
        return None
    return (
        f"build: packages says nothing for base {base.name!r}, only for {', '.join(sorted(stage.packages))}"
    )


def extension_problem(
    name: str,
    version: str,
    base: BaseSpec,
    bases: Mapping[str, BaseSpec] | None = None,
    *,
    build: ExtensionBuild | None = None,
) -> str | None:
    """Why PHP `version` on `base` cannot have extension `name`; None when it can.

    `build`: the spec's own. `bases`: all there are, so that those which have it can be named.
    """
    if build is not None:
        return build_problem(name, build, base)
    known = base.php.extensions if base.php else {}
    if _recipe(name, version, base) or (name in known and known[name].has(version)):
        return None
    if name not in known:
        having = [
            f"{other.name} (PHP {', '.join(versions)})"
            for _, other in sorted((bases or {}).items())
            if (versions := _versions_with(name, other))
        ]
        if having and is_compiled(base):
            return f"extension {name!r} is not known for a PHP that is compiled; say where its archive lies: builds"
        if having:
            where = f"on base {base.name!r}"
            if _versions_with(name, base):
                where = f"for PHP {version} {where}"
            return f"extension {name!r} is not there {where}; it is on {' and on '.join(having)}"
        near = did_you_mean(name, {*known, *shipped_recipes()})
        return f"unknown extension {name!r}{near or f' on base {base.name!r}; what has no package is compiled: builds'}"
    extension = known[name]
    bound = f"from {extension.since} on" if extension.since else ""
    if extension.until:
        bound += f"{' ' if bound else ''}up to {extension.until}"
    return f"extension {name!r} is not there for PHP {version} on base {base.name!r}, only {bound}"


def _versions_with(name: str, base: BaseSpec) -> list[str]:
    """The versions of PHP that have extension `name` on `base`, packaged or compiled."""
    if base.php is None:
        return []
    found = base.php.extensions.get(name)
    return [
        version
        for version in base.php.versions
        if (found and found.has(version)) or _recipe(name, version, base)
    ]


def build_problem(name: str, build: ExtensionBuild, base: BaseSpec) -> str | None:
    """Why the spec's own `build` of extension `name` is not possible on `base`; None when it is."""
    if base.php is None or base.php.builder is None:
        return f"builds: {name}: base {base.name!r} has nothing to compile an extension with"
    for what, by_base in (("packages", build.packages), ("libraries", build.libraries)):
        if by_base and base.name not in by_base:
            said = ", ".join(sorted(by_base))
            return f"builds: {name}: {what} says nothing for base {base.name!r}, only for {said}"
    return None
