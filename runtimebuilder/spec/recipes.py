"""How extensions are compiled that a base has no package of: templates/php/extensions.yaml, as data."""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from runtimebuilder import shipped
from runtimebuilder.spec.fields import SpecModel
from runtimebuilder.spec.model import Recipe, RecipesFile
from runtimebuilder.spec.whole_file import read_model

Shape = TypeVar("Shape", bound=SpecModel)


def load(file: Path, shape: type[Shape]) -> Shape:
    """What stands in `file`, data of the tool. Raises `SpecErrors` (exit 2) with all mistakes."""
    return read_model(file, f"{file.parent.name}/{file.name}", shape)


def load_recipes(file: Path) -> Mapping[str, Recipe]:
    """The recipes of `file`, sorted by extension. Raises `SpecErrors` (exit 2) with all mistakes."""
    return types.MappingProxyType(dict(sorted(load(file, RecipesFile).extensions.items())))


@functools.cache
def shipped_recipes() -> Mapping[str, Recipe]:
    """The recipes that the tool ships, sorted by extension."""
    return load_recipes(shipped.directory("templates") / "php" / "extensions.yaml")
