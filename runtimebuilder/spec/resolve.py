"""Families to runtimes: each version in each variant, with family's, version's and variant's settings.

Later settings win: ini, env, labels, php, builds and packages key by key, base, platforms and source as a whole;
extensions are replaced, or changed with + and -. `extends` between specs will be one more step before this one: it
gives the settings to begin with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from runtimebuilder.spec.model import (
    BOTH_PLATFORMS,
    ExtensionBuild,
    FamilySpec,
    PhpSource,
    RuntimeSpec,
    Settings,
    SingleSpec,
)
from runtimebuilder.spec.placeholders import PlaceholderError, expand, version_values
from runtimebuilder.spec.source import Document, Loc, Problem


@dataclass(frozen=True)
class Place:
    """Where in its file something of a runtime was said; `inset` skips the sign of `+redis`."""

    loc: Loc
    inset: int = 0
    key: bool = False


@dataclass(frozen=True)
class Resolved:
    """A runtime and where its parts were said.

    `places` has name, version, variant (or kind), base, packages and source; the others have extensions, keys of `php`
    and builds.
    """

    runtime: RuntimeSpec
    document: Document = field(repr=False)
    places: Mapping[str, Place]
    extension_places: Mapping[str, Place]
    php_places: Mapping[str, Place]
    build_places: Mapping[str, Place]

    def problem(self, part: str, message: str) -> Problem:
        """A mistake in `part`: name, version, variant, base, packages or source."""
        place = self.places[part]
        return self.document.problem(place.loc, message, key=place.key)

    def extension_problem(self, name: str, message: str) -> Problem:
        """A mistake about extension `name`."""
        place = self.extension_places[name]
        return self.document.problem(place.loc, message, part=(place.inset, len(name)))

    def php_problem(self, key: str, message: str) -> Problem:
        """A mistake about `php: key`."""
        return self.document.problem(self.php_places[key].loc, message)

    def build_problem(self, name: str, message: str) -> Problem:
        """A mistake about `builds: name`."""
        place = self.build_places[name]
        return self.document.problem(place.loc, message, key=place.key)


@dataclass
class _Merged:
    """Settings while they are put together."""

    document: Document
    problems: list[Problem]
    base: str | None = None
    base_place: Place = Place(())
    platforms: tuple[str, ...] = BOTH_PLATFORMS
    extensions: dict[str, Place] = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)
    ini: dict[str, str] = field(default_factory=dict)
    ini_reasons: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    php: dict[str, str | bool] = field(default_factory=dict)
    php_places: dict[str, Place] = field(default_factory=dict)
    builds: dict[str, ExtensionBuild] = field(default_factory=dict)
    build_places: dict[str, Place] = field(default_factory=dict)
    packages: dict[str, tuple[str, ...]] = field(default_factory=dict)
    packages_place: Place = Place(("packages",))
    php_source: PhpSource | None = None
    source_place: Place = Place(("source",))

    def add(self, settings: Settings, loc: Loc) -> None:
        if settings.base is not None:
            self.base, self.base_place = settings.base, Place((*loc, "base"))
        if settings.platforms is not None:
            self.platforms = settings.platforms
        self._add_extensions(settings.extensions, (*loc, "extensions"), first=not loc)
        self.ini.update(settings.ini)
        self.ini_reasons.update({key: self.document.comment((*loc, "ini", key)) for key in settings.ini})
        self.env.update(settings.env)
        self.labels.update(settings.labels)
        for key, value in settings.php.said().items():
            self.php[key], self.php_places[key] = value, Place((*loc, "php", key))
        for name, build in settings.builds.items():
            self.builds[name], self.build_places[name] = build, Place((*loc, "builds", name), key=True)
        if settings.packages:
            self.packages.update(settings.packages)
            self.packages_place = Place((*loc, "packages"), key=True)
        if settings.source is not None:
            self.php_source, self.source_place = settings.source, Place((*loc, "source"), key=True)

    def _add_extensions(self, items: tuple[str, ...] | None, loc: Loc, *, first: bool) -> None:
        if items is None:
            return
        if not any(item[0] in "+-" for item in items):
            self.extensions = {}
        for index, item in enumerate(items):
            sign, name = (item[0], item[1:]) if item[0] in "+-" else ("", item)
            place = Place((*loc, index), inset=len(sign))
            if sign and first:
                message = f"{item!r} changes a list, and there is none above it; write {name!r}"
                self.problems.append(self.document.problem(place.loc, message))
            elif sign == "-":
                if name not in self.ever:
                    message = f"{item!r} takes away what is not there"
                    self.problems.append(self.document.problem(place.loc, message))
                self.extensions.pop(name, None)
            else:
                self.extensions[name] = place
                self.ever.add(name)


def resolve_family(
    family: FamilySpec, document: Document, source: str
) -> tuple[list[Resolved], list[Problem]]:
    """The runtimes of `family`, each version in each variant, in their orders; and what is wrong."""
    found: list[Resolved] = []
    problems: list[Problem] = []
    for version, version_spec in family.versions.items():
        for variant, variant_spec in family.variants.items():
            merged = _Merged(document, problems)
            merged.add(family, ())
            merged.add(version_spec, ("versions", version))
            merged.add(variant_spec, ("variants", variant))
            texts = _Texts(document, version, problems)
            name = texts.expand(
                variant_spec.name,
                ("variants", variant, "name"),
                # Nobody will see it, but the rest can be checked all the same.
                otherwise=f"{family.family}.{version}.{variant}.unnamed",
            )
            about = texts.expand(family.summary, ("summary",))
            detail = texts.expand(variant_spec.summary, ("variants", variant, "summary"))
            labels = {
                key: texts.expand(value, _label_loc(document, key, version, variant))
                for key, value in merged.labels.items()
            }
            places = {
                "name": Place(("variants", variant, "name")),
                "version": Place(("versions", version), key=True),
                "variant": Place(("variants", variant), key=True)
                if variant_spec.kind is None
                else Place(("variants", variant, "kind")),
                "base": merged.base_place,
                "packages": merged.packages_place,
                "source": merged.source_place,
            }
            found += _runtime(
                merged,
                places,
                {
                    "name": name,
                    "family": family.family,
                    "version": version,
                    "variant": variant,
                    "kind": variant_spec.kind or variant,
                    "summary": f"{about}: {detail}" if detail else about,
                    "template": family.template,
                    "labels": labels,
                    "source": source,
                },
            )
    return found, problems + _unused_builds(family, document, found)


def resolve_single(
    single: SingleSpec, document: Document, source: str
) -> tuple[list[Resolved], list[Problem]]:
    """The one runtime of a file with `name:`; and what is wrong."""
    problems: list[Problem] = []
    merged = _Merged(document, problems)
    merged.add(single, ())
    texts = _Texts(document, single.version, problems)
    summary = texts.expand(single.summary or single.name, ("summary",))
    labels = {key: texts.expand(value, ("labels", key)) for key, value in merged.labels.items()}
    places = {part: Place((part,)) for part in ("name", "version", "base")}
    places["variant"] = Place(("kind" if single.kind else "variant",))
    places["packages"] = merged.packages_place
    places["source"] = merged.source_place
    values = {
        "name": single.name,
        "family": single.family,
        "version": single.version,
        "variant": single.variant,
        "kind": single.kind or single.variant,
        "summary": summary,
        "template": single.template or single.family,
        "labels": labels,
        "source": source,
    }
    found = _runtime(merged, places, values)
    return found, problems + _unused_builds(single, document, found)


def _unused_builds(spec: FamilySpec | SingleSpec, document: Document, found: list[Resolved]) -> list[Problem]:
    """Builds of extensions that no runtime of this file has: somebody forgot the other half."""
    said: list[tuple[Loc, Settings]] = [((), spec)]
    if isinstance(spec, FamilySpec):
        said += [(("versions", version), settings) for version, settings in spec.versions.items()]
        said += [(("variants", variant), settings) for variant, settings in spec.variants.items()]
    wanted = {name for item in found for name in item.runtime.extensions}
    return [
        document.problem(
            (*loc, "builds", name), f"builds: {name}: 'extensions' does not name it anywhere", key=True
        )
        for loc, settings in said
        for name in settings.builds
        if found and name not in wanted
    ]


def _runtime(merged: _Merged, places: Mapping[str, Place], values: Mapping[str, object]) -> list[Resolved]:
    if merged.base is None:
        merged.problems.append(merged.document.problem((), "the key 'base' is missing", key=True))
        return []
    try:
        runtime = RuntimeSpec.model_validate(
            {
                **values,
                "base": merged.base,
                "platforms": merged.platforms,
                "extensions": tuple(merged.extensions),
                "ini": merged.ini,
                "ini_reasons": {key: text for key, text in sorted(merged.ini_reasons.items()) if text},
                "env": merged.env,
                "php": merged.php,
                "packages": {base: merged.packages[base] for base in sorted(merged.packages)},
                "php_source": merged.php_source,
                "builds": {
                    name: merged.builds[name] for name in sorted(merged.builds) if name in merged.extensions
                },
            }
        )
    except ValidationError as error:  # only a text that placeholders gave can be wrong by now
        merged.problems += [
            merged.document.problem(
                places.get(str(details["loc"][0]), Place(())).loc,
                str(details.get("ctx", {}).get("error", details["msg"])),
            )
            for details in error.errors(include_url=False)
        ]
        return []
    return [
        Resolved(runtime, merged.document, places, merged.extensions, merged.php_places, merged.build_places)
    ]


class _Texts:
    """Fills placeholders and notes what cannot be filled."""

    def __init__(self, document: Document, version: str, problems: list[Problem]) -> None:
        self.document = document
        self.values = version_values(version)
        self.problems = problems

    def expand(self, text: str, loc: Loc, *, otherwise: str = "") -> str:
        try:
            return expand(text, self.values)
        except PlaceholderError as error:
            self.problems.append(self.document.problem(loc, error.message, part=(error.offset, error.length)))
            return otherwise


def _label_loc(document: Document, key: str, version: str, variant: str) -> Loc:
    """Where label `key` was said last."""
    candidates: Iterable[Loc] = (("variants", variant), ("versions", version), ())
    return next(
        ((*loc, "labels", key) for loc in candidates if (*loc, "labels", key) in document.values),
        ("labels", key),
    )
