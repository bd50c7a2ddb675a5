"""The grammar of what people write under `runtimes/`: FamilySpec, SingleSpec, ExtendingSpec; its JSON Schema.

Places of mistakes are kept by source.py, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, GetJsonSchemaHandler, StrictBool
from pydantic.json_schema import JsonSchemaValue, models_json_schema
from pydantic_core import CoreSchema

from runtimebuilder.spec.contents import BuildStage, FileEntry, Layers, LimitSettings, VerifySettings
from runtimebuilder.spec.fields import (
    Env,
    ExtensionChange,
    Handler,
    Ini,
    Labels,
    Line,
    Name,
    PackageChange,
    Platform,
    ProjectPath,
    SecretName,
    SpecModel,
    Version,
    at,
    not_empty,
    not_texts,
    one_kind_of_change,
    unique,
)
from runtimebuilder.spec.model import Builds, PhpSource
from runtimebuilder.spec.php_settings import PhpSettings


def _empty_is_nothing(value: object) -> object:
    return {} if value is None else value


Extensions = Annotated[tuple[ExtensionChange, ...], AfterValidator(one_kind_of_change)]
Packages = Mapping[Name, Annotated[tuple[PackageChange, ...], AfterValidator(one_kind_of_change)]]


class Changes(SpecModel):
    """What may be said of a family, a version, a variant, a runtime, and each of them on one base.

    `extensions` and lists of `packages` are whole lists, or changes (`[+redis, -soap]`) of what stands above.
    """

    extensions: Extensions | None = None
    ini: Ini = Field(default_factory=dict)
    env: Env = Field(default_factory=dict)
    labels: Labels = Field(default_factory=dict)
    php: PhpSettings = PhpSettings()
    builds: Builds = Field(default_factory=dict)
    packages: Packages = Field(default_factory=dict)
    source: PhpSource | None = None
    files: tuple[FileEntry, ...] = ()
    layers: Layers = ()
    build: BuildStage | None = None
    secrets: Annotated[tuple[SecretName, ...], AfterValidator(unique)] = ()
    bootstrap: ProjectPath | None = None
    handler: Handler | None = None
    tags: Annotated[tuple[Line, ...], AfterValidator(unique)] | None = None
    verify: VerifySettings = VerifySettings()
    limits: LimitSettings = LimitSettings()
    slim: StrictBool | None = None


class BaseChanges(Changes):
    """What is different on one base; it comes after what the same part of the spec says for all."""


class Settings(Changes):
    """What a family sets and its versions and variants may change. None: not said here."""

    base: Name | None = None
    platforms: Annotated[tuple[Platform, ...], AfterValidator(not_empty), AfterValidator(unique)] | None = (
        None
    )
    bases: Mapping[Name, BaseChanges] = Field(default_factory=dict)


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


class ExtendingSpec(Settings):
    """A file with `name:` and `extends:` is one runtime: another one, with changes.

    Family, version, variant and kind are the other's. A runtime may extend the built-in one of its own name.
    """

    schema_version: Literal[1] = Field(alias="schema")
    name: Name
    extends: Name
    summary: Line | None = None
    template: Name | None = None


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a file under `runtimes/`, for editors."""
    models: list[tuple[type[BaseModel], Literal["validation"]]] = [
        (FamilySpec, "validation"),
        (SingleSpec, "validation"),
        (ExtendingSpec, "validation"),
    ]
    references, definitions = models_json_schema(models)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "runtimebuilder spec",
        "if": {"required": ["extends"]},
        "then": references[ExtendingSpec, "validation"],
        "else": {
            "if": {"required": ["name"]},
            "then": references[SingleSpec, "validation"],
            "else": references[FamilySpec, "validation"],
        },
        **definitions,
    }
