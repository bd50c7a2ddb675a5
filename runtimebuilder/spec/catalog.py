"""Which runtimes exist: a project's own runtimes/ over the built-in ones."""

from __future__ import annotations

import fnmatch
import os
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtimebuilder import shipped
from runtimebuilder.errors import NothingSelectedError, SpecError
from runtimebuilder.spec import source
from runtimebuilder.spec.bases import find_base, load_bases, shipped_bases, unknown_base
from runtimebuilder.spec.model import BaseSpec, FamilySpec, RuntimeSpec, SingleSpec
from runtimebuilder.spec.packages import (
    bases_hint,
    build_problem,
    extension_problem,
    own_packages_problem,
    variant_problem,
    version_problem,
)
from runtimebuilder.spec.php_settings import setting_problem
from runtimebuilder.spec.php_source import source_problem, with_source
from runtimebuilder.spec.problem import Problem, SpecErrors, did_you_mean
from runtimebuilder.spec.resolve import Resolved, resolve_family, resolve_single
from runtimebuilder.spec.source import Document
from runtimebuilder.spec.validation import validate

_SUFFIXES = (".yaml", ".yml")
_GLOB = frozenset("*?[")


@dataclass(frozen=True)
class Examination:
    """What reading specs gave: every mistake, ordered by place, and how many files were read."""

    problems: tuple[Problem, ...]
    files: int
    resolved: tuple[Resolved, ...]


@dataclass(frozen=True)
class Catalog:
    """All runtimes and bases, each sorted by name."""

    runtimes: Mapping[str, RuntimeSpec]
    bases: Mapping[str, BaseSpec]

    @classmethod
    def load(
        cls, directories: Sequence[Path] | None = None, *, bases_directory: Path | None = None
    ) -> Catalog:
        """The runtimes of `directories`, an earlier one winning; by default ./runtimes over the shipped ones.

        Raises `SpecErrors` (exit 2) with every mistake of every file, `SpecError` when a directory is not
        there.
        """
        bases = shipped_bases() if bases_directory is None else load_bases(bases_directory)
        found: dict[str, RuntimeSpec] = {}
        problems: list[Problem] = []
        files = 0
        for directory in default_directories() if directories is None else directories:
            examined = examine(_files_of(directory), bases)
            problems += examined.problems
            files += examined.files
            for item in examined.resolved:
                found.setdefault(item.runtime.name, item.runtime)
        if problems:
            raise SpecErrors(problems, files=files)
        return cls(types.MappingProxyType(dict(sorted(found.items()))), bases)

    def select(self, patterns: Sequence[str]) -> tuple[RuntimeSpec, ...]:
        """The runtimes that match any of `patterns` (names or globs), sorted by name; all for no pattern.

        Raises `SpecError` (exit 2) for a name that is not there, `NothingSelectedError` (exit 3) when a
        glob matches nothing.
        """
        names: set[str] = set()
        for pattern in patterns or ("*",):
            matching = fnmatch.filter(self.runtimes, pattern) if _GLOB & set(pattern) else [pattern]
            if not matching:
                raise NothingSelectedError(
                    f"no runtime matches {pattern!r}", hint="`runtimebuilder list` shows all"
                )
            if matching == [pattern] and pattern not in self.runtimes:
                raise SpecError(
                    f"unknown runtime {pattern!r}{did_you_mean(pattern, self.runtimes)}",
                    hint="`runtimebuilder list` shows all",
                )
            names.update(matching)
        return tuple(self.runtimes[name] for name in sorted(names))

    def base(self, name: str) -> BaseSpec:
        """The base called `name`. Raises `SpecError` (exit 2), with the nearest name."""
        return find_base(self.bases, name)

    def bases_with_php(self, version: str) -> tuple[BaseSpec, ...]:
        """The bases that have PHP `version`, sorted by name."""
        return tuple(base for base in self.bases.values() if base.php and version in base.php.versions)


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
        found += _files_of(path) if path.is_dir() else [path]
        if not path.exists():
            raise SpecError(f"{path} does not exist", hint="name a spec file or a folder of spec files")
    return tuple(dict.fromkeys(found))


def _files_of(directory: Path) -> list[Path]:
    if not directory.is_dir():
        raise SpecError(f"{directory} is not a folder", hint="name a folder of spec files")
    return sorted(
        file for file in directory.iterdir() if file.suffix in _SUFFIXES and not file.name.startswith(".")
    )


def examine(files: Sequence[Path], bases: Mapping[str, BaseSpec] | None = None) -> Examination:
    """Read and check `files`; two runtimes of one name in one folder are a mistake.

    Raises `SpecError` (exit 2) only
    when a file cannot be read."""
    bases = shipped_bases() if bases is None else bases
    problems: list[Problem] = []
    found: list[Resolved] = []
    first: dict[tuple[Path, str], Resolved] = {}
    for file in files:
        try:
            document, mistakes = source.read(file, _shown(file))
        except OSError as error:
            raise SpecError(f"{file} cannot be read: {error.strerror}") from error
        problems += mistakes
        if document is not None:
            resolved, mistakes = _resolve(document, f"{file.absolute().parent.name}/{file.name}")
            problems += mistakes
            for item in resolved:
                earlier = first.setdefault((file.absolute().parent, item.runtime.name), item)
                if earlier is not item:
                    problems.append(_twice(item, earlier))
            found += resolved
    for item in found:
        problems += _against_base(item, bases)
    return Examination(tuple(sorted(set(problems))), len(files), tuple(found))


def _shown(file: Path) -> str:
    """How a file is named to people: from here, when it is below."""
    try:
        relative = os.path.relpath(file)
    except FileNotFoundError:  # the current folder has been removed
        return str(file)
    return str(file) if relative.startswith("..") else relative


def _resolve(document: Document, source_name: str) -> tuple[list[Resolved], list[Problem]]:
    data = document.data
    if not isinstance(data, dict):
        return [], [document.problem((), "a spec is a mapping: keys and values")]
    if "extends" in data:
        return [], [document.problem(("extends",), "'extends' is not supported by this version", key=True)]
    if "name" in data:
        single, problems = validate(document, SingleSpec)
        resolved, more = resolve_single(single, document, source_name) if single else ([], [])
        return resolved, problems + more
    if "family" in data or "versions" in data or "variants" in data:
        family, problems = validate(document, FamilySpec)
        resolved, more = resolve_family(family, document, source_name) if family else ([], [])
        return resolved, problems + more
    return [], [document.problem((), "neither 'family' (many runtimes) nor 'name' (one runtime) stands here")]


def _twice(item: Resolved, earlier: Resolved) -> Problem:
    place = earlier.document.mark(earlier.places["name"].loc)
    where = f"{earlier.document.file}:{place.line}:{place.column}"
    name = item.runtime.name
    return item.problem("name", f"the runtime {name!r} stands here again; the first is at {where}")


def _against_base(item: Resolved, bases: Mapping[str, BaseSpec]) -> list[Problem]:
    """What a runtime asks of its base that the base does not have."""
    runtime = item.runtime
    base = bases.get(runtime.base)
    if base is None:
        return [item.problem("base", unknown_base(bases, runtime.base))]
    if message := source_problem(runtime, base):
        return [item.problem("source", message)]
    base = with_source(base, runtime)
    if message := version_problem(runtime.version, base):
        return [item.problem("version", f"{message}; {bases_hint(runtime.version, bases)}")]
    if message := variant_problem(runtime.kind, base):
        return [item.problem("variant", message)]
    problems = [
        item.extension_problem(name, message)
        for name in runtime.extensions
        if name not in runtime.builds and (message := extension_problem(name, runtime.version, base, bases))
    ]
    problems += [
        item.build_problem(name, message)
        for name, build in runtime.builds.items()
        if (message := build_problem(name, build, base))
    ]
    problems += [
        item.php_problem(key, message)
        for key, value in runtime.php.said().items()
        if (message := setting_problem(key, value, runtime.kind))
    ]
    if message := own_packages_problem(runtime, base):
        problems.append(item.problem("packages", message))
    return problems
