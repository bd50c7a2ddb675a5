"""Specs to runtimes: a family's versions in its variants, a runtime said in full, and one that extends another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from runtimebuilder.spec.merge import Level, Merged, Part, Place, bases_of, values_of
from runtimebuilder.spec.model import ELSEWHERE, PROVIDED, RuntimeSpec
from runtimebuilder.spec.placeholders import PlaceholderError, expand, version_values
from runtimebuilder.spec.source import Document, Problem
from runtimebuilder.spec.written import ExtendingSpec, FamilySpec, Settings, SingleSpec


@dataclass(frozen=True)
class Resolved:
    """A runtime, and where its parts were said.

    `places`: by part (`("ini", "memory_limit")`, `("base",)`), the last that said it. `anchor`: where mistakes are
    shown whose own place is in another file. `extends`: the names that it comes from, nearest first.
    """

    runtime: RuntimeSpec
    document: Document = field(repr=False)
    levels: tuple[Level, ...] = field(repr=False)
    texts: Mapping[str, Place] = field(repr=False)
    places: Mapping[Part, Place] = field(repr=False)
    anchor: Place = field(repr=False)
    extends: tuple[str, ...] = ()
    elsewhere: Mapping[str, Mapping[Part, Place]] = field(
        default_factory=dict, repr=False
    )  # places, on other bases

    def problem(self, part: Part, message: str, *, on: str | None = None) -> Problem:
        """A mistake in `part`, as it is on the base `on`, or in the nearest thing around it."""
        places = self.elsewhere.get(on or "", self.places)
        for end in range(len(part), 0, -1):
            if place := places.get(part[:end]):
                if place.document is self.document:
                    return place.problem(message)
                return self.anchor.problem(f"{message} (said at {place.where})")
        return self.anchor.problem(message)


def resolve_family(
    family: FamilySpec, document: Document, source: str
) -> tuple[list[Resolved], list[Problem]]:
    """The runtimes of `family`, each version in each variant, in their orders; and what is wrong."""
    found: list[Resolved] = []
    problems: list[Problem] = []
    for version, version_spec in family.versions.items():
        for variant, variant_spec in family.variants.items():
            at_variant = Place(document, ("variants", variant), key=True)
            identity = _Identity(
                family=family.family,
                version=version,
                variant=variant,
                kind=variant_spec.kind or variant,
                template=family.template,
                name=variant_spec.name,
                # Nobody will see it, but the rest can be checked all the same.
                otherwise=f"{family.family}.{version}.{variant}.unnamed",
                summary=family.summary,
                detail=variant_spec.summary,
                source=source,
            )
            texts = {
                "name": Place(document, ("variants", variant, "name")),
                "summary": Place(document, ("summary",)),
                "detail": Place(document, ("variants", variant, "summary")),
                "version": Place(document, ("versions", version), key=True),
                "variant": Place(document, ("variants", variant, "kind"))
                if variant_spec.kind
                else at_variant,
                "template": Place(document, ("template",)),
            }
            levels = (
                Level(document, family, ()),
                Level(document, version_spec, ("versions", version)),
                Level(document, variant_spec, ("variants", variant)),
            )
            found += _resolve(document, levels, identity, texts, problems)
    return found, problems + _unused_builds(family, document, found)


def resolve_single(
    single: SingleSpec, document: Document, source: str
) -> tuple[list[Resolved], list[Problem]]:
    """The one runtime of a file with `name:`; and what is wrong."""
    problems: list[Problem] = []
    kind = single.kind or single.variant
    identity = _Identity(
        family=single.family,
        version=single.version,
        variant=single.variant,
        kind=kind,
        template=single.template or (PROVIDED if kind == PROVIDED else single.family),
        name=single.name,
        otherwise=single.name,
        summary=single.summary or single.name,
        detail="",
        source=source,
    )
    texts = {part: Place(document, (part,)) for part in ("name", "version", "summary", "template")}
    texts["variant"] = Place(document, ("kind" if single.kind else "variant",))
    levels = (Level(document, single, ()),)
    found = _resolve(document, levels, identity, texts, problems)
    return found, problems + _unused_builds(single, document, found)


def resolve_extending(
    spec: ExtendingSpec, document: Document, source: str, parent: Resolved
) -> tuple[list[Resolved], list[Problem]]:
    """`parent` with the changes of `spec`; and what is wrong."""
    problems: list[Problem] = []
    runtime = parent.runtime
    identity = _Identity(
        family=runtime.family,
        version=runtime.version,
        variant=runtime.variant,
        kind=runtime.kind,
        template=spec.template or runtime.template,
        name=spec.name,
        otherwise=spec.name,
        summary=spec.summary if spec.summary is not None else runtime.summary,
        detail="",
        source=source,
    )
    said = [part for part in ("name", "summary", "template") if getattr(spec, part) is not None]
    texts = {**parent.texts, **{part: Place(document, (part,)) for part in said}}
    levels = (*parent.levels, Level(document, spec, ()))
    chain = (spec.extends, *parent.extends)
    anchor = Place(document, ("extends",))
    found = _resolve(document, levels, identity, texts, problems, anchor=anchor, extends=chain)
    return found, problems + _unused_builds(spec, document, found)


@dataclass(frozen=True)
class _Identity:
    """What a runtime is, with placeholders yet to be filled."""

    family: str
    version: str
    variant: str
    kind: str
    template: str
    name: str
    otherwise: str
    summary: str
    detail: str
    source: str


def _resolve(
    document: Document,
    levels: tuple[Level, ...],
    identity: _Identity,
    texts: Mapping[str, Place],
    problems: list[Problem],
    *,
    anchor: Place | None = None,
    extends: tuple[str, ...] = (),
) -> list[Resolved]:
    plain = Merged(levels)
    if plain.base is None:
        problems.append(document.problem((), "the key 'base' is missing", key=True))
        return []
    found: dict[str, tuple[RuntimeSpec, Merged]] = {}
    for base in sorted({plain.base, *bases_of(levels)}):
        merged = Merged(levels, base)
        problems += [problem for problem in merged.problems if problem.file == document.file]
        runtime = _runtime(merged, identity, texts, problems)
        if runtime is None:
            return []
        found[base] = (runtime, merged)
    runtime, merged = found[plain.base]
    others = {base: other for base, (other, _) in found.items() if base != plain.base}
    # On a base that nothing is said for, the runtime is as it is without what is said for its own.
    if others or any(plain.base in level.settings.bases for level in levels):
        rest = _runtime(plain, identity, texts, problems)
        if rest is not None:
            others[ELSEWHERE] = rest
        runtime = runtime.model_copy(update={"others": others})
    places: dict[Part, Place] = dict(merged.places)
    places.update({(part,): place for part, place in texts.items() if part != "detail"})
    elsewhere = {base: {**places, **other.places} for base, (_, other) in found.items() if base != plain.base}
    return [Resolved(runtime, document, levels, texts, places, anchor or texts["name"], extends, elsewhere)]


def _runtime(
    merged: Merged, identity: _Identity, texts: Mapping[str, Place], problems: list[Problem]
) -> RuntimeSpec | None:
    fill = _Texts(identity.version, problems)
    name = fill(identity.name, texts["name"], otherwise=identity.otherwise)
    about = fill(identity.summary, texts["summary"])
    detail = fill(identity.detail, texts["detail"]) if identity.detail else ""
    labels = {key: fill(value, merged.places["labels", key]) for key, value in merged.labels.items()}
    try:
        return RuntimeSpec.model_validate(
            {
                **values_of(merged),
                "name": name,
                "family": identity.family,
                "version": identity.version,
                "variant": identity.variant,
                "kind": identity.kind,
                "summary": f"{about}: {detail}" if detail else about,
                "template": identity.template,
                "labels": labels,
                "source": identity.source,
            }
        )
    except ValidationError as error:  # only a text that placeholders gave can be wrong by now
        problems += [
            texts.get(str(details["loc"][0]), texts["name"]).problem(
                str(details.get("ctx", {}).get("error", details["msg"]))
            )
            for details in error.errors(include_url=False)
        ]
        return None


def _unused_builds(spec: Settings, document: Document, found: list[Resolved]) -> list[Problem]:
    """Builds of extensions that no runtime of this file has: somebody forgot the other half."""
    levels = {
        (level.loc, id(level.settings)): level
        for item in found
        for level in item.levels
        if level.document is document
    }
    levels.setdefault(((), id(spec)), Level(document, spec, ()))
    wanted = {
        name
        for item in found
        for runtime in (item.runtime, *item.runtime.others.values())
        for name in runtime.extensions
    }
    said = [
        (loc, name)
        for level in levels.values()
        for loc, changes in (
            (level.loc, level.settings),
            *(((*level.loc, "bases", base), one) for base, one in level.settings.bases.items()),
        )
        for name in changes.builds
    ]
    return [
        document.problem(
            (*loc, "builds", name), f"builds: {name}: 'extensions' does not name it anywhere", key=True
        )
        for loc, name in said
        if found and name not in wanted
    ]


class _Texts:
    """Fills placeholders and notes what cannot be filled."""

    def __init__(self, version: str, problems: list[Problem]) -> None:
        self.values = version_values(version)
        self.problems = problems

    def __call__(self, text: str, place: Place, *, otherwise: str = "") -> str:
        try:
            return expand(text, self.values)
        except PlaceholderError as error:
            self.problems.append(
                place.document.problem(place.loc, error.message, part=(error.offset, error.length))
            )
            return otherwise
