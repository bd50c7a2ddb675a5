"""What the other rooms get of specs: frozen models, unknown keys forbidden.

`RuntimeSpec` comes from resolve.py, `BaseSpec` from templates/bases/*/base.yaml. What people write is in written.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool

from runtimebuilder.spec.contents import Layer, LimitSettings, ProjectFile, Stage, VerifySettings
from runtimebuilder.spec.fields import (
    AbsolutePath,
    ConfigureOption,
    Env,
    Extension,
    Handler,
    Ini,
    Labels,
    Line,
    Name,
    Package,
    Platform,
    Release,
    SecretName,
    Sha256,
    SpecModel,
    TextValue,
    Url,
    Version,
    not_empty,
    unique,
    version_key,
)
from runtimebuilder.spec.php_settings import PhpSettings

BOTH_PLATFORMS: tuple[Platform, ...] = ("linux/amd64", "linux/arm64")
ELSEWHERE = "*"
PROVIDED = "provided"  # the kind of a runtime that is not PHP


class ExtensionBuild(SpecModel):
    """An extension of PHP that is compiled from an archive with `config.m4` in it, as PECL has them.

    `url`: where the archive lies; None: at PECL, under the extension's name and `version`. `sha256` is the archive's.
    By base, when there are any: the `packages` that it is compiled with, and those that it needs to run (`libraries`).
    `zend`: it is an extension of the engine (as xdebug is), which PHP loads in another way.
    """

    version: Release
    sha256: Sha256
    url: Url | None = None
    configure: tuple[ConfigureOption, ...] = ()
    packages: Mapping[Name, tuple[Package, ...]] = Field(default_factory=dict)
    libraries: Mapping[Name, tuple[Package, ...]] = Field(default_factory=dict)
    zend: StrictBool = False

    def is_for(self, base: str) -> bool:
        """Whether it is known which packages it takes on `base`; one that takes none anywhere is for every base."""
        return all(base in by_base for by_base in (self.packages, self.libraries) if by_base)


Builds = Mapping[Extension, ExtensionBuild]


class Recipe(ExtensionBuild):
    """A build that comes with the tool, for bases that have no package; `since` and `until` (PHP) are inclusive."""

    since: Version | None = None
    until: Version | None = None

    def has(self, version: str) -> bool:
        """Whether it compiles with PHP `version`."""
        return _is_within(version, self.since, self.until)


class PhpSource(SpecModel):
    """A release of PHP to compile. `url`: where its archive lies; None: at php.net. `sha256` is the archive's."""

    version: Release
    sha256: Sha256
    url: Url | None = None
    configure: tuple[ConfigureOption, ...] = ()


class RecipesFile(SpecModel):
    """templates/php/extensions.yaml."""

    schema_version: Literal[1] = Field(alias="schema")
    extensions: Mapping[Extension, Recipe]


def _is_within(version: str, since: str | None, until: str | None) -> bool:
    key = version_key(version)
    too_early = since is not None and key < version_key(since)
    too_late = until is not None and key > version_key(until)
    return not (too_early or too_late)


class RuntimeSpec(SpecModel):
    """One resolved thing that can be built. Mappings are sorted by key, `extensions` is sorted and unique."""

    name: Name
    family: Name
    version: Version
    variant: Name
    summary: Line
    template: Name
    base: Name
    platforms: tuple[Platform, ...]
    extensions: Annotated[tuple[Extension, ...], AfterValidator(lambda items: tuple(sorted(set(items))))] = ()
    ini: Ini = Field(default_factory=dict)
    ini_reasons: Mapping[str, str] = Field(
        default_factory=dict
    )  # why a setting is as it is, where the spec says so
    env: Env = Field(default_factory=dict)
    labels: Labels = Field(default_factory=dict)
    php: PhpSettings = PhpSettings()
    builds: Builds = Field(default_factory=dict)
    packages: Mapping[Name, tuple[Package, ...]] = Field(
        default_factory=dict
    )  # by base, for this runtime alone
    php_source: PhpSource | None = None  # None: PHP is the base's
    files: tuple[ProjectFile, ...] = ()  # sorted by where they go
    layers: tuple[Layer, ...] = ()  # a later one wins
    stages: tuple[Stage, ...] = ()  # what is built, each for itself
    secrets: tuple[SecretName, ...] = ()  # for the steps of stages, sorted
    bootstrap: ProjectFile | None = None
    handler: Handler | None = None
    tags: tuple[Line, ...] = ()  # with placeholders, see tags.py
    verify: VerifySettings = VerifySettings()
    limits: LimitSettings = LimitSettings()
    slim: StrictBool = False  # an image of what PHP needs, instead of the whole base
    kind: Name  # the variant, or the one that it behaves as; PROVIDED: no PHP at all
    source: Line
    # As it is on other bases, where the spec says something for single ones (`bases:`); ELSEWHERE: on all the rest.
    others: Mapping[str, RuntimeSpec] = Field(default_factory=dict, exclude=True, repr=False)

    def on(self, base: str) -> RuntimeSpec:
        """This runtime on `base`; its own `base` stays the one that the spec asks for."""
        if base == self.base:
            return self
        return self.others.get(base) or self.others.get(ELSEWHERE) or self

    @property
    def has_php(self) -> bool:
        """Whether it is a PHP runtime; else it brings its own bootstrap."""
        return self.kind != PROVIDED

    @property
    def xy(self) -> str:
        """The version without its dot: "82"."""
        return self.version.replace(".", "")


# --- bases ------------------------------------------------------------


class DebianBase(SpecModel):
    """A base that the tool makes itself: Debian's `suite` as a minimal system, with `packages` on top."""

    suite: Name
    packages: tuple[Line, ...] = ()


def _package_entry(value: object) -> object:
    """`php-curl` is short for `{package: php-curl}`; nothing or "": no package of its own is needed."""
    return {"package": value or None} if value is None or isinstance(value, str) else value


class ExtensionOnBase(SpecModel):
    """Which package holds an extension, None when none is needed. `since` and `until` are inclusive."""

    package: Line | None = None
    since: Version | None = None
    until: Version | None = None
    built_in_since: Version | None = None

    def has(self, version: str) -> bool:
        """Whether PHP `version` has the extension on this base."""
        return _is_within(version, self.since, self.until)

    def package_for(self, version: str) -> str | None:
        """The package (placeholders not yet filled) for PHP `version`, None when none is needed."""
        built_in = self.built_in_since is not None and version_key(version) >= version_key(
            self.built_in_since
        )
        return None if built_in else self.package


class PhpPackages(SpecModel):
    """What to install for PHP itself: `common` for every variant, `variants` what one needs besides."""

    common: tuple[Line, ...]
    variants: Mapping[Name, tuple[Line, ...]]


class PhpBuilder(SpecModel):
    """What compiles an extension: `packages` to install first, and PHP's two programs for it."""

    packages: Annotated[tuple[Line, ...], AfterValidator(not_empty)]
    phpize: AbsolutePath
    php_config: AbsolutePath


class PhpOnBase(SpecModel):
    """A base's PHP. Texts may hold `{{ version }}` and `{{ xy }}`."""

    versions: Annotated[tuple[Version, ...], AfterValidator(not_empty), AfterValidator(unique)]
    binary: AbsolutePath
    fpm_binary: AbsolutePath
    ini_directories: Mapping[Name, tuple[AbsolutePath, ...]]  # by variant: all that its processes scan
    packages: PhpPackages
    builder: PhpBuilder | None = None
    extensions: Mapping[Extension, Annotated[ExtensionOnBase, BeforeValidator(_package_entry)]]


class SlimOnBase(SpecModel):
    """What an image needs that is made of single files of the base: `packages` to install for it; of what comes along,
    packages to leave out (`leave`), and extensions of PHP that are there only when the spec names them (`if_named`).
    """

    packages: tuple[Line, ...] = ()
    leave: tuple[Line, ...] = ()
    if_named: tuple[Extension, ...] = ()


class BaseSpec(SpecModel):
    """One base, from templates/bases/<name>/base.yaml: `image` is pulled, or `make` says how it is made.

    `env`, `workdir` and `entrypoint` are what the image has (and gets, where we make it):
    public.ecr.aws/lambda/provided is the model.
    """

    schema_version: Literal[1] = Field(alias="schema", default=1)
    name: Name
    summary: Line
    image: Line | None = None
    make: DebianBase | None = None
    package_manager: Literal["apt", "dnf"]
    env: Mapping[str, TextValue]
    workdir: AbsolutePath
    entrypoint: tuple[AbsolutePath, ...]
    php: PhpOnBase | None = None
    slim: SlimOnBase | None = None  # None: no slim images on this base
    # Of a base made here, when it is made for another platform than the engine's own; no file says it.
    architecture: Literal["amd64", "arm64"] | None = Field(default=None, exclude=True)

    @property
    def path(self) -> str:
        """The image's PATH. On AWS it has no sbin."""
        return self.env["PATH"]
