"""Settings of a runtime put together, level by level, each value with the place where it was said last.

Levels are the parts of a family (itself, a version, a variant) or a runtime, and before them those of what it extends.
Later ones win: ini, env, labels, php, builds, verify and limits key by key; base, platforms, source, handler,
bootstrap, slim and tags as a whole; extensions and packages are replaced, or changed with + and -; files by where they
go; layers and build stages add up. What a level says for one base (`bases:`) comes right after the level itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runtimebuilder.spec.contents import (
    MOST_LAYERS,
    BuildStage,
    FileEntry,
    Layer,
    LimitSettings,
    ProjectFile,
    Stage,
)
from runtimebuilder.spec.model import BOTH_PLATFORMS, ExtensionBuild, PhpSource
from runtimebuilder.spec.source import Document, Loc, Problem
from runtimebuilder.spec.written import Changes, Settings

Part = tuple[str, ...]  # ("ini", "memory_limit"), ("extensions", "redis"), ("base",)


@dataclass(frozen=True)
class Place:
    """Where in which file something of a runtime was said. `word`: offset and length inside a list's item."""

    document: Document = field(repr=False)
    loc: Loc
    word: tuple[int, int] | None = None
    key: bool = False

    def problem(self, message: str) -> Problem:
        """A mistake here."""
        return self.document.problem(self.loc, message, key=self.key, part=self.word)

    @property
    def where(self) -> str:
        """`file:line`."""
        return f"{self.document.file}:{self.document.mark(self.loc, key=self.key).line}"


@dataclass(frozen=True)
class Level:
    """One part of a spec that has settings."""

    document: Document = field(repr=False)
    settings: Settings
    loc: Loc


def bases_of(levels: Iterable[Level]) -> tuple[str, ...]:
    """The bases that any of the levels says something for, sorted."""
    return tuple(sorted({name for level in levels for name in level.settings.bases}))


class Merged:
    """Settings of `levels`, as they are on `base`; None: without what is said for single bases."""

    def __init__(self, levels: Sequence[Level], base: str | None = None) -> None:
        self.problems: list[Problem] = []
        self.places: dict[Part, Place] = {}
        self.base: str | None = None
        self.platforms: tuple[str, ...] = BOTH_PLATFORMS
        self.extensions: dict[str, None] = {}
        self.ini: dict[str, str] = {}
        self.ini_reasons: dict[str, str] = {}
        self.env: dict[str, str] = {}
        self.labels: dict[str, str] = {}
        self.php: dict[str, str | bool] = {}
        self.builds: dict[str, ExtensionBuild] = {}
        self.packages: dict[str, dict[str, None]] = {}
        self.php_source: PhpSource | None = None
        self.files: dict[str, ProjectFile] = {}
        self.layers: list[Layer] = []
        self.stages: list[Stage] = []
        self.secrets: set[str] = set()
        self.bootstrap: ProjectFile | None = None
        self.handler: str | None = None
        self.tags: tuple[str, ...] = ()
        self.verify: dict[str, Any] = {}
        self.limits: dict[str, Any] = {}
        self.slim = False
        self._ever: set[str] = set()
        for index, level in enumerate(levels):
            self._settings(level)
            self._changes(level.document, level.settings, level.loc, first=index == 0)
            if base is not None and base in level.settings.bases:
                changes = level.settings.bases[base]
                self._changes(level.document, changes, (*level.loc, "bases", base), first=False)

    def _settings(self, level: Level) -> None:
        settings = level.settings
        if settings.base is not None:
            self.base = settings.base
            self.places["base",] = Place(level.document, (*level.loc, "base"))
        if settings.platforms is not None:
            self.platforms = settings.platforms
            self.places["platforms",] = Place(level.document, (*level.loc, "platforms"))

    def _changes(self, document: Document, changes: Changes, loc: Loc, *, first: bool) -> None:
        said = changes.model_fields_set
        if changes.extensions is not None:
            self._change(
                self.extensions,
                ("extensions",),
                changes.extensions,
                document,
                (*loc, "extensions"),
                first=first,
            )
        for base, items in changes.packages.items():
            part, place = ("packages", base), (*loc, "packages", base)
            self.places["packages",] = Place(document, (*loc, "packages"), key=True)
            self._change(
                self.packages.setdefault(base, {}),
                part,
                items,
                document,
                place,
                first=part not in self.places,
            )
            self.places[part] = Place(document, place)
        self.ini_reasons.update({key: document.comment((*loc, "ini", key)) for key in changes.ini})
        for name, said_here in (
            ("ini", changes.ini),
            ("env", changes.env),
            ("labels", changes.labels),
            ("php", changes.php.said()),
            ("builds", changes.builds),
        ):
            holder: dict[str, Any] = getattr(self, name)
            for key, value in said_here.items():
                holder[key] = value
                self.places[name, key] = Place(document, (*loc, name, key), key=name in ("builds", "ini"))
        for block, model, said_so_far in (
            ("verify", changes.verify, self.verify),
            ("limits", changes.limits, self.limits),
        ):
            for key, value in model:
                if value is not None:
                    alias = type(model).model_fields[key].alias or key
                    said_so_far[alias] = value
                    self.places[block, alias] = Place(document, (*loc, block, alias))
        if changes.source is not None:
            self.php_source = changes.source
            self.places["source",] = Place(document, (*loc, "source"), key=True)
        if changes.slim is not None:
            self.slim = changes.slim
            self.places["slim",] = Place(document, (*loc, "slim"))
        if changes.tags is not None:
            self.tags = changes.tags
            self.places.update(
                {
                    ("tags", tag): Place(document, (*loc, "tags", index))
                    for index, tag in enumerate(changes.tags)
                }
            )
        if said & {"files", "layers", "build", "secrets", "bootstrap", "handler"}:
            self._contents(document, changes, loc)

    def _contents(self, document: Document, changes: Changes, loc: Loc) -> None:
        root = str(document.root)
        for file, place in _files(document, changes.files, (*loc, "files")):
            self.files[file.to] = file
            self.places["files", file.to] = place
        for index, layer in enumerate(changes.layers):
            place = Place(document, (*loc, "layers", index, "zip" if layer.zip else "image"))
            self.places["layers", str(len(self.layers))] = place
            self.layers.append(Layer(root=root, zip=layer.zip, image=layer.image))
            if len(self.layers) == MOST_LAYERS + 1:
                self.problems.append(
                    place.problem(
                        f"with those of what is extended, this is layer {MOST_LAYERS + 1}; Lambda knows 5"
                    )
                )
        if changes.build is not None:
            self._stage(document, changes.build, (*loc, "build"))
        for index, secret in enumerate(changes.secrets):
            self.secrets.add(secret)
            self.places["secrets", secret] = Place(document, (*loc, "secrets", index))
        if changes.bootstrap is not None:
            self.bootstrap = ProjectFile(
                root=root, source=changes.bootstrap, to="/var/runtime/bootstrap", mode="0755"
            )
            self.places["bootstrap",] = Place(document, (*loc, "bootstrap"))
        if changes.handler is not None:
            self.handler = changes.handler
            self.places["handler",] = Place(document, (*loc, "handler"))

    def _stage(self, document: Document, build: BuildStage, loc: Loc) -> None:
        number = str(len(self.stages))
        files = []
        for file, place in _files(document, build.files, (*loc, "files")):
            files.append(file)
            self.places["build", number, "files", file.to] = place
        self.places["build", number] = Place(document, loc, key=True)
        self.places["build", number, "packages"] = Place(document, (*loc, "packages"), key=True)
        self.stages.append(
            Stage(packages=build.packages, files=tuple(files), run=build.run, artefacts=build.artefacts)
        )

    def _change(
        self,
        items: dict[str, None],
        part: Part,
        said: Sequence[str],
        document: Document,
        loc: Loc,
        *,
        first: bool,
    ) -> None:
        """A list of names replaced, or changed by + and -."""
        if not any(item[0] in "+-" for item in said):
            items.clear()
        for index, item in enumerate(said):
            sign, name = (item[0], item[1:]) if item[0] in "+-" else ("", item)
            place = Place(document, (*loc, index), word=(len(sign), len(name)))
            known = "/".join((*part, name))
            if sign and first:
                message = f"{item!r} changes a list, and there is none above it; write {name!r}"
                self.problems.append(document.problem((*loc, index), message))
            elif sign == "-":
                if known not in self._ever:
                    message = f"{item!r} takes away what is not there"
                    self.problems.append(document.problem((*loc, index), message))
                items.pop(name, None)
            else:
                items[name] = None
                self._ever.add(known)
                self.places[(*part, name)] = place


def _files(document: Document, entries: Sequence[FileEntry], loc: Loc) -> Iterator[tuple[ProjectFile, Place]]:
    for index, entry in enumerate(entries):
        to = entry.to + entry.source.rsplit("/", 1)[-1] if entry.to.endswith("/") else entry.to
        file = ProjectFile(root=str(document.root), source=entry.source, to=to, mode=entry.mode)
        yield file, Place(document, (*loc, index, "from"))


def values_of(merged: Merged) -> Mapping[str, object]:
    """What of `merged` goes into a RuntimeSpec as it is."""
    return {
        "base": merged.base,
        "platforms": merged.platforms,
        "extensions": tuple(merged.extensions),
        "ini": merged.ini,
        "ini_reasons": {key: text for key, text in sorted(merged.ini_reasons.items()) if text},
        "env": merged.env,
        "php": merged.php,
        "packages": {base: tuple(names) for base, names in sorted(merged.packages.items())},
        "php_source": merged.php_source,
        "builds": {name: build for name, build in sorted(merged.builds.items()) if name in merged.extensions},
        "files": tuple(file for _, file in sorted(merged.files.items())),
        "layers": tuple(merged.layers),
        "stages": tuple(merged.stages),
        "secrets": tuple(sorted(merged.secrets)),
        "bootstrap": merged.bootstrap,
        "handler": merged.handler,
        "tags": merged.tags,
        "slim": merged.slim,
        "verify": merged.verify,
        "limits": LimitSettings.model_construct(**merged.limits),
    }
