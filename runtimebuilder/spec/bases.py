"""Bases as data: templates/bases/<name>/base.yaml, one folder per base."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable, Mapping
from pathlib import Path

from runtimebuilder import shipped
from runtimebuilder.errors import SpecError
from runtimebuilder.spec import source
from runtimebuilder.spec.model import BaseSpec, PhpOnBase
from runtimebuilder.spec.placeholders import PlaceholderError, expand, version_values
from runtimebuilder.spec.problem import Problem, SpecErrors, did_you_mean
from runtimebuilder.spec.source import Document, Loc
from runtimebuilder.spec.validation import validate

# Names that people have reason to expect, and why they are not there.
LEFT_OUT = types.MappingProxyType({"al2": "the PHP of Amazon Linux 2 is past its end of life; use al2023"})


def load_bases(directory: Path) -> Mapping[str, BaseSpec]:
    """Every base of `directory`, sorted by name. Raises `SpecErrors` (exit 2) with all mistakes."""
    found: dict[str, BaseSpec] = {}
    problems: list[Problem] = []
    files = sorted(directory.glob("*/base.yaml"))
    for file in files:
        document, mistakes = source.read(file, f"{directory.name}/{file.parent.name}/{file.name}")
        problems += mistakes
        if document is None:
            continue
        base, mistakes = validate(document, BaseSpec)
        problems += mistakes
        if base is None:
            continue
        problems += _check(base, document, file.parent.name)
        found[base.name] = base
    if problems:
        raise SpecErrors(problems, files=len(files))
    return types.MappingProxyType(dict(sorted(found.items())))


@functools.cache
def shipped_bases() -> Mapping[str, BaseSpec]:
    """The bases that the tool ships, sorted by name."""
    return load_bases(shipped.directory("templates") / "bases")


def _check(base: BaseSpec, document: Document, folder: str) -> list[Problem]:
    """What the grammar cannot say about one base."""
    problems = []
    if base.name != folder:
        problems.append(document.problem(("name",), f"the name is {base.name!r}, the folder is {folder!r}"))
    if (base.image is None) == (base.make is None):
        problems.append(document.problem((), "exactly one of the keys 'image' and 'make' is wanted"))
    if "PATH" not in base.env:
        problems.append(document.problem(("env",), "the key 'PATH' is missing", key=True))
    if base.php:
        if sorted(base.php.ini_directories) != sorted(base.php.packages.variants):
            message = "the variants differ from those under packages: variants"
            problems.append(document.problem(("php", "ini_directories"), message, key=True))
        values = version_values(base.php.versions[0])
        for loc, text in _texts(base.php):
            try:
                expand(text, values)
            except PlaceholderError as error:
                problems.append(document.problem(loc, error.message, part=(error.offset, error.length)))
    return problems


def _texts(php: PhpOnBase) -> Iterable[tuple[Loc, str]]:
    """Every text of a base's PHP that may hold placeholders, with its place."""
    yield ("php", "binary"), php.binary
    yield ("php", "fpm_binary"), php.fpm_binary
    for variant, folders in php.ini_directories.items():
        yield from ((("php", "ini_directories", variant, index), text) for index, text in enumerate(folders))
    yield from (
        (("php", "packages", "common", index), text) for index, text in enumerate(php.packages.common)
    )
    for variant, packages in php.packages.variants.items():
        yield from (
            (("php", "packages", "variants", variant, index), text) for index, text in enumerate(packages)
        )
    if php.builder:
        yield ("php", "builder", "phpize"), php.builder.phpize
        yield ("php", "builder", "php_config"), php.builder.php_config
        yield from (
            (("php", "builder", "packages", index), text) for index, text in enumerate(php.builder.packages)
        )
    for name, extension in php.extensions.items():
        yield ("php", "extensions", name, "package"), extension.package or ""


def find_base(bases: Mapping[str, BaseSpec], name: str) -> BaseSpec:
    """The base called `name`. Raises `SpecError` (exit 2) with the nearest name or a reason."""
    if base := bases.get(name):
        return base
    raise SpecError(unknown_base(bases, name), hint=f"bases are {', '.join(sorted(bases))}")


def unknown_base(bases: Mapping[str, BaseSpec], name: str) -> str:
    """The sentence for a base that is not there."""
    if reason := LEFT_OUT.get(name):
        return f"there is no base {name!r}: {reason}"
    return f"unknown base {name!r}{did_you_mean(name, bases)}"
