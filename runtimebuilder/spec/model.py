"""The grammar of specs, and what comes out of it: frozen models, unknown keys forbidden.

What people write is `FamilySpec` and `SingleSpec`; what the other rooms get is `RuntimeSpec` (from
resolve.py) and `BaseSpec` (from templates/bases/*/base.yaml). Places of mistakes are kept by source.py, not
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StrictBool,
)
from pydantic.json_schema import JsonSchemaValue, models_json_schema
from pydantic_core import CoreSchema

from runtimebuilder.spec.fields import (
    AbsolutePath,
    ConfigureOption,
    Env,
    Extension,
    ExtensionChange,
    Ini,
    Labels,
    Line,
    Name,
    Package,
    Platform,
    Release,
    Sha256,
    TextValue,
    Url,
    Version,
    at,
    not_empty,
    not_texts,
    one_kind_of_change,
    unique,
    version_key,
)
from runtimebuilder.spec.php_settings import PhpSettings

BOTH_PLATFORMS: tuple[Platform, ...] = ("linux/amd64", "linux/arm64")


class SpecModel(BaseModel):
    """What all models share: values do not change, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
    kind: Name  # the variant, or the one that it behaves as
    source: Line

    @property
    def xy(self) -> str:
        """The version without its dot: "82"."""
        return self.version.replace(".", "")


# --- what people write ------------------------------------------------------------


def _empty_is_nothing(value: object) -> object:
    return {} if value is None else value


class Settings(SpecModel):
    """What a family sets and its versions and variants may change. None: not said here."""

    base: Name | None = None
    platforms: Annotated[tuple[Platform, ...], AfterValidator(not_empty), AfterValidator(unique)] | None = (
        None
    )
    extensions: Annotated[tuple[ExtensionChange, ...], AfterValidator(one_kind_of_change)] | None = None
    ini: Ini = Field(default_factory=dict)
    env: Env = Field(default_factory=dict)
    labels: Labels = Field(default_factory=dict)
    php: PhpSettings = PhpSettings()
    builds: Builds = Field(default_factory=dict)
    packages: Mapping[Name, tuple[Package, ...]] = Field(default_factory=dict)
    source: PhpSource | None = None


class VersionSpec(Settings):
    """What one version does differently from its family; `extensions` may be changes (`[-sodium]`)."""


class VariantSpec(Settings):
    """One variant of a family: the names of its runtimes, what they are, and what they do differently.

    `kind`: what it behaves as, another variant that bases know; None: as its own name says.
    """

    name: Line
    kind: Name | None = None
    summary: Line = ""


def _versions(value: object) -> object:
    """`["8.1", "8.2"]` is short for `{"8.1": {}, "8.2": {}}`."""
    if not isinstance(value, list):
        return value
    if wrong := [index for index, item in enumerate(value) if not isinstance(item, str)]:
        raise not_texts(wrong)
    result: dict[str, object] = {}
    for index, item in enumerate(value):
        if item in result:
            raise at(index, f"{item!r} stands here twice")
        result[item] = {}
    return result


class _VersionsSchema:
    """Tells the JSON Schema that a list of versions is as good as a mapping."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        versions = handler(schema)
        overrides = versions.pop("patternProperties")
        versions["patternProperties"] = {
            pattern: {"anyOf": [override, {"type": "null"}]} for pattern, override in overrides.items()
        }
        pattern = next(iter(overrides))
        listed = {"type": "array", "items": {"type": "string", "pattern": pattern}, "minItems": 1}
        return {"anyOf": [listed, versions]}


class FamilySpec(Settings):
    """`runtimes/php.yaml`: every version in every variant is one runtime."""

    schema_version: Literal[1] = Field(alias="schema")
    family: Name
    summary: Line
    template: Name
    versions: Annotated[
        Mapping[Version, Annotated[VersionSpec, BeforeValidator(_empty_is_nothing)]],
        BeforeValidator(_versions),
        AfterValidator(not_empty),
        _VersionsSchema,
    ]
    variants: Annotated[Mapping[Name, VariantSpec], AfterValidator(not_empty)]


class SingleSpec(Settings):
    """A file with `name:` is one runtime, said in full."""

    schema_version: Literal[1] = Field(alias="schema")
    name: Name
    family: Name
    version: Version
    variant: Name
    kind: Name | None = None
    base: Name
    summary: Line = ""
    template: Name | None = None  # None: the family's name


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

    @property
    def path(self) -> str:
        """The image's PATH. On AWS it has no sbin."""
        return self.env["PATH"]


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a file under `runtimes/`, for editors."""
    models: list[tuple[type[BaseModel], Literal["validation"]]] = [
        (FamilySpec, "validation"),
        (SingleSpec, "validation"),
    ]
    references, definitions = models_json_schema(models)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "runtimebuilder spec",
        "if": {"required": ["name"]},
        "then": references[SingleSpec, "validation"],
        "else": references[FamilySpec, "validation"],
        **definitions,
    }
