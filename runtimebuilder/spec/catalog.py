"""Which runtimes exist: a project's own runtimes/ over the built-in ones."""

from __future__ import annotations

import fnmatch
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtimebuilder import shipped
from runtimebuilder.errors import NothingSelectedError, SpecError
from runtimebuilder.spec.bases import find_base, load_bases, shipped_bases
from runtimebuilder.spec.library import default_directories, examine, files_of
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec
from runtimebuilder.spec.problem import SpecErrors, did_you_mean
from runtimebuilder.spec.resolve import Resolved

_GLOB = frozenset("*?[")


@dataclass(frozen=True)
class Narrowing:
    """What of the selected runtimes is wanted: of these families and variants (all, where none is named), and not those
    whose name matches one of `excluded` (names or globs).
    """

    families: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    own: bool = False  # none of the built-in ones

    def takes(self, runtime: RuntimeSpec) -> bool:
        """Whether the runtime stays."""
        return (
            (not self.families or runtime.family in self.families)
            and (not self.variants or runtime.variant in self.variants)
            and not any(fnmatch.fnmatchcase(runtime.name, pattern) for pattern in self.excluded)
        )


NO_NARROWING = Narrowing()


@dataclass(frozen=True)
class Catalog:
    """All runtimes and bases, each sorted by name."""

    runtimes: Mapping[str, RuntimeSpec]
    bases: Mapping[str, BaseSpec]
    resolved: Mapping[str, Resolved] = field(default_factory=dict, repr=False)  # with the places of all parts

    @classmethod
    def load(
        cls, directories: Sequence[Path] | None = None, *, bases_directory: Path | None = None
    ) -> Catalog:
        """The runtimes of `directories`, an earlier one winning; by default ./runtimes over the shipped ones.

        Raises `SpecErrors` (exit 2) with every mistake of every file, `SpecError` when a directory is not
        there.
        """
        bases = shipped_bases() if bases_directory is None else load_bases(bases_directory)
        folders = default_directories() if directories is None else tuple(directories)
        examined = examine([file for folder in folders for file in files_of(folder)], bases, folders=folders)
        if examined.problems:
            raise SpecErrors(examined.problems, files=examined.files)
        found: dict[str, Resolved] = {}
        for item in examined.resolved:
            found.setdefault(item.runtime.name, item)
        resolved = dict(sorted(found.items()))
        runtimes = {name: item.runtime for name, item in resolved.items()}
        return cls(types.MappingProxyType(runtimes), bases, types.MappingProxyType(resolved))

    def select(self, patterns: Sequence[str], narrowed: Narrowing = NO_NARROWING) -> tuple[RuntimeSpec, ...]:
        """The runtimes that match any of `patterns` (names or globs), sorted by name; all for no pattern.

        Raises `SpecError` (exit 2) for a name, a family or a variant that is not there, `NothingSelectedError` (exit 3)
        when a glob matches nothing, or nothing is left.
        """
        names = self._matching(patterns)
        families, variants = (
            {getattr(runtime, key) for runtime in self.runtimes.values()} for key in ("family", "variant")
        )
        for what, wanted, known in (
            ("family", narrowed.families, families),
            ("variant", narrowed.variants, variants),
        ):
            for one in wanted:
                if one not in known:
                    raise SpecError(
                        f"unknown {what} {one!r}{did_you_mean(one, known)}",
                        hint=f"there is {', '.join(sorted(known))}",
                    )
        chosen = tuple(
            runtime
            for name in sorted(names)
            if narrowed.takes(runtime := self.runtimes[name])
            and not (narrowed.own and self.is_built_in(name))
        )
        if not chosen:
            raise NothingSelectedError(
                "no runtime is left of what was selected", hint="`runtimebuilder list` shows all"
            )
        return chosen

    def _matching(self, patterns: Sequence[str]) -> set[str]:
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
        return names

    def is_built_in(self, name: str) -> bool:
        """Whether the runtime comes with the tool, and not from the project."""
        item = self.resolved.get(name)
        return item is None or item.document.root == shipped.directory("runtimes").parent

    def base(self, name: str) -> BaseSpec:
        """The base called `name`. Raises `SpecError` (exit 2), with the nearest name."""
        return find_base(self.bases, name)

    def bases_with_php(self, version: str) -> tuple[BaseSpec, ...]:
        """The bases that have PHP `version`, sorted by name."""
        return tuple(base for base in self.bases.values() if base.php and version in base.php.versions)
