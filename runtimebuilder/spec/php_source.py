"""PHP compiled from a release, for a version that a base has no package of: a spec's `source`.

Such a runtime sees another PHP on its base than the base's own: `with_source` gives the base as it is for this runtime,
and everything else is as with packages.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from runtimebuilder import shipped
from runtimebuilder.spec.fields import (
    ConfigureOption,
    Extension,
    Name,
    Package,
    SpecModel,
    Version,
    version_key,
)
from runtimebuilder.spec.model import (
    BaseSpec,
    ExtensionOnBase,
    PhpBuilder,
    PhpOnBase,
    PhpPackages,
    PhpSource,
    RuntimeSpec,
)
from runtimebuilder.spec.recipes import load

PREFIX = "/var/lang"
"""Where a language lies in Lambda's own images; `bin` of it stands first in PATH."""

_URL = "https://www.php.net/distributions/php-{version}.tar.xz"
_INI = f"{PREFIX}/etc/conf.d"
_VARIANTS = ("console", "fpm", "function")


class Part(SpecModel):
    """Something of PHP that is compiled in: options of configure, and by base what it is compiled and runs with.

    `module_until`: up to this version of PHP it is a module of the engine's kind, which has to be loaded.
    """

    options: tuple[ConfigureOption, ...] = ()
    packages: Mapping[Name, tuple[Package, ...]] = Field(default_factory=dict)
    libraries: Mapping[Name, tuple[Package, ...]] = Field(default_factory=dict)
    module_until: Version | None = None


class SourceRecipe(SpecModel):
    """templates/php/source.yaml."""

    schema_version: Literal[1] = Field(alias="schema")
    common: Part
    extensions: Mapping[Extension, Part]

    def parts(self, runtime: RuntimeSpec) -> tuple[Part, ...]:
        """What `runtime` is made of; extensions that are unknown here are left out."""
        return (
            self.common,
            *(self.extensions[name] for name in runtime.extensions if name in self.extensions),
        )


@functools.cache
def shipped_recipe() -> SourceRecipe:
    """The recipe that the tool ships."""
    return load(shipped.directory("templates") / "php" / "source.yaml", SourceRecipe)


def with_source(base: BaseSpec, runtime: RuntimeSpec) -> BaseSpec:
    """`base` with the PHP that is compiled for `runtime`; `base` itself where there is none, or a problem with it."""
    if runtime.php_source is None or source_problem(runtime, base) is not None:
        return base
    recipe = shipped_recipe()
    libraries = {name for part in recipe.parts(runtime) for name in part.libraries.get(base.name, ())}
    packages = {name for part in recipe.parts(runtime) for name in part.packages.get(base.name, ())}
    php = PhpOnBase(
        versions=(runtime.version,),
        binary=f"{PREFIX}/bin/php",
        fpm_binary=f"{PREFIX}/sbin/php-fpm",
        ini_directories=dict.fromkeys(_VARIANTS, (_INI,)),
        packages=PhpPackages(common=tuple(sorted(libraries)), variants=dict.fromkeys(_VARIANTS, ())),
        builder=PhpBuilder(
            packages=tuple(sorted(packages)),
            phpize=f"{PREFIX}/bin/phpize",
            php_config=f"{PREFIX}/bin/php-config",
        ),
        extensions={name: ExtensionOnBase() for name in recipe.extensions},
    )
    return base.model_copy(update={"php": php})


def is_compiled(base: BaseSpec) -> bool:
    """Whether this is a base as `with_source` gives it."""
    return base.php is not None and base.php.binary.startswith(f"{PREFIX}/")


def source_problem(runtime: RuntimeSpec, base: BaseSpec) -> str | None:
    """Why `runtime` cannot compile its PHP on `base`; None when it can, or when it does not want to."""
    release = runtime.php_source
    if release is None:
        return None
    if not release.version.startswith(f"{runtime.version}."):
        return f"source: version: {release.version!r} is no release of PHP {runtime.version}"
    if base.name not in shipped_recipe().common.packages:
        return f"source: base {base.name!r} has nothing to compile PHP with"
    return None


def source_modules(runtime: RuntimeSpec) -> tuple[str, ...]:
    """The extensions of `runtime` that PHP compiles as modules of the engine's kind, sorted."""
    parts = shipped_recipe().extensions
    return tuple(
        name
        for name in runtime.extensions
        if (part := parts.get(name))
        and part.module_until
        and version_key(runtime.version) <= version_key(part.module_until)
    )


def source_url(release: PhpSource) -> str:
    """Where the release lies."""
    return release.url or _URL.format(version=release.version)


def source_options(runtime: RuntimeSpec, release: PhpSource) -> tuple[str, ...]:
    """The options of configure, the spec's own after those of the recipe."""
    ours = {option for part in shipped_recipe().parts(runtime) for option in part.options}
    # `--with-x` of an extension takes the place of the common `--without-x`.
    ours -= {option.replace("--with-", "--without-", 1) for option in ours if option.startswith("--with-")}
    return (*sorted(ours), *release.configure)
