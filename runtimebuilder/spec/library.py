"""Reading spec files: families and runtimes to what they resolve to, `extends` followed from one to the other.

A name behind `extends` is looked for in the file's own folder, then in the others, in their order: one's own runtimes
before the built-in ones. A runtime that extends its own name means the next one of that name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtimebuilder import shipped
from runtimebuilder.errors import SpecError
from runtimebuilder.spec import source
from runtimebuilder.spec.bases import shipped_bases
from runtimebuilder.spec.checks import against_base
from runtimebuilder.spec.model import BaseSpec
from runtimebuilder.spec.problem import Problem, did_you_mean
from runtimebuilder.spec.resolve import Resolved, resolve_extending, resolve_family, resolve_single
from runtimebuilder.spec.source import Document
from runtimebuilder.spec.validation import validate
from runtimebuilder.spec.written import ExtendingSpec, FamilySpec, SingleSpec

_SUFFIXES = (".yaml", ".yml")
_INHERITED = ("family", "version", "variant", "kind", "versions", "variants")


@dataclass(frozen=True)
class Examination:
    """What reading specs gave: every mistake, ordered by place, and how many files were read."""

    problems: tuple[Problem, ...]
    files: int
    resolved: tuple[Resolved, ...]


def default_directories() -> tuple[Path, ...]:
    """The project's ./runtimes, if it is there, before the shipped ones."""
    own, built_in = Path("runtimes"), shipped.directory("runtimes")
    if own.is_dir() and own.resolve() != built_in.resolve():
        return (own, built_in)
    return (built_in,)


def spec_files(paths: Sequence[Path] | None = None) -> tuple[Path, ...]:
    """The spec files that `paths` (files and directories) stand for, in their order; by default all.

    Raises `SpecError` (exit 2) when one is not there.
    """
    found: list[Path] = []
    for path in default_directories() if paths is None else paths:
        found += files_of(path) if path.is_dir() else [path]
        if not path.exists():
            raise SpecError(f"{path} does not exist", hint="name a spec file or a folder of spec files")
    return tuple(dict.fromkeys(found))


def files_of(directory: Path) -> list[Path]:
    """The spec files right in `directory`, sorted. Raises `SpecError` (exit 2) when it is no folder."""
    if not directory.is_dir():
        raise SpecError(f"{directory} is not a folder", hint="name a folder of spec files")
    return sorted(
        file for file in directory.iterdir() if file.suffix in _SUFFIXES and not file.name.startswith(".")
    )


def examine(
    files: Sequence[Path],
    bases: Mapping[str, BaseSpec] | None = None,
    *,
    folders: Sequence[Path] | None = None,
) -> Examination:
    """Read and check `files`; two runtimes of one name in one folder are a mistake.

    `folders`: where else names behind `extends` are looked for; by default ./runtimes and the shipped ones. Raises
    `SpecError` (exit 2) only when a file cannot be read.
    """
    bases = shipped_bases() if bases is None else bases
    library = _Library(default_directories() if folders is None else folders)
    for file in files:
        library.read(file)
    problems = library.resolve_all()
    resolved = library.found_in(files)
    first: dict[tuple[Path, str], Resolved] = {}
    for file, item in resolved:
        earlier = first.setdefault((file.parent, item.runtime.name), item)
        if earlier is not item:
            problems.append(_twice(item, earlier))
        problems += against_base(item, bases)
    return Examination(tuple(sorted(set(problems))), len(files), tuple(item for _, item in resolved))


@dataclass
class _Entry:
    """One file: what it resolved to, or what waits for the runtime that it extends."""

    document: Document | None
    source: str
    problems: list[Problem]
    resolved: list[Resolved] = field(default_factory=list)
    extending: ExtendingSpec | None = None
    named: str | None = None  # what a broken file says that it is
    is_open: bool = False  # its turn is being taken: whoever comes here again goes in a circle


class _Library:
    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(dict.fromkeys(folder.absolute() for folder in folders))
        self._entries: dict[Path, _Entry] = {}
        self._whole: set[Path] = set()  # folders of which every file has been read
        self._asked: list[Path] = []

    def read(self, file: Path) -> None:
        """Read a file whose mistakes are wanted."""
        self._asked.append(file.absolute())
        self._entry(file)

    def found_in(self, files: Sequence[Path]) -> list[tuple[Path, Resolved]]:
        """What `files` resolved to, in their order."""
        return [
            (path, item)
            for path in dict.fromkeys(file.absolute() for file in files)
            for item in self._entries[path].resolved
        ]

    def resolve_all(self) -> list[Problem]:
        """Follow every `extends` of the files that were asked for; all their mistakes."""
        for path in self._asked:
            self._resolve(path, self._entries[path], ())
        return [problem for path in self._asked for problem in self._entries[path].problems]

    def _entry(self, file: Path) -> _Entry:
        path = file.absolute()
        if path not in self._entries:
            try:
                document, problems = source.read(path, _shown(file))
            except OSError as error:
                raise SpecError(f"{file} cannot be read: {error.strerror}") from error
            entry = _Entry(document, f"{path.parent.name}/{path.name}", problems)
            if document is not None:
                _understand(entry, document)
            self._entries[path] = entry
        return self._entries[path]

    def _in_folder(self, folder: Path) -> list[tuple[Path, _Entry]]:
        if folder not in self._whole:
            for file in files_of(folder):
                self._entry(file)
            self._whole.add(folder)
        return [(path, entry) for path, entry in self._entries.items() if path.parent == folder]

    def _resolve(self, path: Path, entry: _Entry, chain: tuple[str, ...]) -> None:
        spec, document = entry.extending, entry.document
        if spec is None or document is None or entry.resolved:
            return
        chain = (*chain, spec.name)
        if entry.is_open:
            circle = " → ".join(chain[chain.index(spec.name) :])
            entry.problems.append(document.problem(("extends",), f"'extends' goes in a circle: {circle}"))
            entry.extending = None
            return
        entry.is_open = True
        parent = self._parent(path, spec, document, chain, entry)
        entry.is_open = False
        if parent is not None and entry.extending is not None:
            entry.resolved, problems = resolve_extending(spec, document, entry.source, parent)
            entry.problems += problems
        entry.extending = None

    def _parent(
        self, path: Path, spec: ExtendingSpec, document: Document, chain: tuple[str, ...], entry: _Entry
    ) -> Resolved | None:
        """The runtime that `spec` extends; None when there is none that can be used, which is told.

        What is wrong in another file is told there, when that one was asked for too; else here.
        """
        known: set[str] = set()
        broken: list[Path] = []
        for folder in dict.fromkeys((path.parent, *self._folders)):
            for other_path, other in self._in_folder(folder):
                if other is entry:
                    continue
                name = other.extending.name if other.extending else other.named
                if name == spec.extends:
                    self._resolve(other_path, other, chain)
                found = next((one for one in other.resolved if one.runtime.name == spec.extends), None)
                if name == spec.extends or found is not None:
                    # On what is wrong there nothing can be built; it would be told here once more.
                    if found is not None and not other.problems:
                        return found
                    self._blame([other_path], spec, document, entry, "has mistakes of its own")
                    return None
                known.update(one.runtime.name for one in other.resolved)
                known.update([name] if name else [])
                broken += [other_path] if other.problems else []
        unknown = f"unknown runtime {spec.extends!r}{did_you_mean(spec.extends, known - {spec.name})}"
        if broken:  # it may stand in one of these
            self._blame(broken, spec, document, entry, None)
        else:
            entry.problems.append(document.problem(("extends",), unknown))
        return None

    def _blame(
        self,
        files: Sequence[Path],
        spec: ExtendingSpec,
        document: Document,
        entry: _Entry,
        what: str | None,
    ) -> None:
        """Say that mistakes in `files` stand in the way, unless they are told anyway."""
        if any(file in self._asked for file in files):
            return
        where = _shown(files[0])
        message = (
            f"{spec.extends!r} {what}: see {where}"
            if what
            else f"there is no runtime {spec.extends!r}, unless it is in {where}, which has mistakes"
        )
        entry.problems.append(document.problem(("extends",), message))


def _shown(file: Path) -> str:
    """How a file is named to people: from here, when it is below."""
    try:
        relative = os.path.relpath(file)
    except FileNotFoundError:  # the current folder has been removed
        return str(file)
    return str(file) if relative.startswith("..") else relative


def _understand(entry: _Entry, document: Document) -> None:
    """Which kind of spec it is, and what it resolves to by itself."""
    data = document.data
    if not isinstance(data, dict):
        entry.problems.append(document.problem((), "a spec is a mapping: keys and values"))
        return
    problems: list[Problem] = []
    if "extends" in data:
        inherited = [key for key in _INHERITED if key in data]
        problems = [
            document.problem(
                (key,), f"{key!r} is that of the runtime that is extended; leave it out", key=True
            )
            for key in inherited
        ]
        extending, more = validate(document, ExtendingSpec, ignored=inherited)
        problems += more
        entry.extending = extending
    elif "name" in data:
        single, problems = validate(document, SingleSpec)
        if single:
            entry.resolved, more = resolve_single(single, document, entry.source)
            problems += more
    elif "family" in data or "versions" in data or "variants" in data:
        family, problems = validate(document, FamilySpec)
        if family:
            entry.resolved, more = resolve_family(family, document, entry.source)
            problems += more
    else:
        problems = [
            document.problem((), "neither 'family' (many runtimes) nor 'name' (one runtime) stands here")
        ]
    entry.problems += problems
    if isinstance(data.get("name"), str):
        entry.named = data["name"]


def _twice(item: Resolved, earlier: Resolved) -> Problem:
    where = earlier.places["name",].document.mark(earlier.places["name",].loc)
    place = f"{earlier.document.file}:{where.line}:{where.column}"
    name = item.runtime.name
    return item.problem(("name",), f"the runtime {name!r} stands here again; the first is at {place}")
