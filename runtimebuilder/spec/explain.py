"""A resolved runtime, value by value, each with the place where it was said last."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtimebuilder import shipped
from runtimebuilder.spec.merge import Part, Place
from runtimebuilder.spec.model import RuntimeSpec
from runtimebuilder.spec.resolve import Resolved

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@+-]*\Z")
_WORDS = frozenset({"yes", "no", "on", "off", "true", "false", "null"})
_WIDEST = 48  # a comment never begins further to the right than this


@dataclass(frozen=True)
class Said:
    """One value: its path in the spec, and where it was said; None: nobody did, it is the default."""

    path: Part
    value: object
    where: str | None


def explain(item: Resolved, base: str | None = None) -> tuple[Said, ...]:
    """All values of the runtime, as they are on `base` (its own by default), in the order of the grammar."""
    runtime = item.runtime.on(base or item.runtime.base)
    places = item.elsewhere.get(base or "", item.places)
    return tuple(
        Said(path, value, _where(path, places))
        for path, value in _values(runtime)
        if value not in (None, (), {})
    )


def _values(runtime: RuntimeSpec) -> Iterator[tuple[Part, object]]:
    yield ("name",), runtime.name
    yield ("summary",), runtime.summary
    for name in ("family", "version", "variant", "kind", "template", "base"):
        yield (name,), getattr(runtime, name)
    yield ("platforms",), runtime.platforms
    for name in runtime.extensions:
        yield ("extensions", name), name
    mappings: tuple[tuple[str, Mapping[str, object]], ...] = (
        ("ini", runtime.ini),
        ("env", runtime.env),
        ("labels", runtime.labels),
        ("php", runtime.php.said()),
        ("builds", {name: _plain(build) for name, build in runtime.builds.items()}),
    )
    for key, values in mappings:
        for name, value in values.items():
            yield (key, name), value
    yield ("source",), _plain(runtime.php_source) if runtime.php_source else None
    for base, names in runtime.packages.items():
        yield ("packages", base), names
    yield from _contents(runtime)
    yield ("slim",), runtime.slim or None
    for key, block in (("verify", runtime.verify), ("limits", runtime.limits)):
        for name, value in _plain(block).items():
            yield (key, name), value


def _contents(runtime: RuntimeSpec) -> Iterator[tuple[Part, object]]:
    for file in runtime.files:
        yield ("files", file.to), _plain(file)
    for number, layer in enumerate(runtime.layers):
        yield ("layers", str(number)), _plain(layer)
    for number, stage in enumerate(runtime.stages):
        yield ("build", str(number)), _plain(stage)
    for key, texts in (("secrets", runtime.secrets), ("tags", runtime.tags)):
        for text in texts:
            yield (key, text), text
    yield ("bootstrap",), runtime.bootstrap.source if runtime.bootstrap else None
    yield ("handler",), runtime.handler


def _plain(model: Any) -> dict[str, Any]:
    """A model as its JSON form, without what is not said."""
    data = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {key: value for key, value in data.items() if value not in ([], {}, None, False)}


def _where(path: Part, places: Mapping[Part, Place]) -> str | None:
    aliases: dict[Part, Part] = {("kind",): ("variant",), ("family",): ("variant",)}
    for end in range(len(path), 0, -1):
        if place := places.get(aliases.get(path[:end], path[:end])):
            return _short(place)
    return None


def _short(place: Place) -> str:
    """`file:line`; the built-in runtimes lie somewhere in an installation, which nobody wants to read."""
    built_in = shipped.directory("runtimes")
    file = Path(place.document.file).absolute()
    if file.parent == built_in and Path.cwd() != built_in.parent:
        return f"built-in {place.where.removeprefix(place.document.file.removesuffix(file.name))}"
    return place.where


def as_yaml(said: Sequence[Said], extends: Sequence[str]) -> str:
    """The values as one spec said in full, a comment behind each with its place; `extends`: where it comes from."""
    lines: list[tuple[str, str]] = [("schema: 1", f"from {' → '.join(extends)}" if extends else "")]
    for key, group in _groups(said):
        first = group[0]
        if len(first.path) == 1:
            lines += _entry(f"{key}: ", first.value, first.where)
            continue
        lines.append((f"{key}:", ""))
        for one in group:
            listed = key in ("extensions", "secrets", "files", "layers", "build", "tags")
            prefix = "  - " if listed else f"  {_scalar(one.path[-1])}: "
            lines += _entry(prefix, one.value, one.where)
    width = min(_WIDEST, max(len(text) for text, _ in lines))
    return "".join(
        f"{text:<{width}}  # {note}".rstrip() + "\n" if note else f"{text}\n" for text, note in lines
    )


def _groups(said: Sequence[Said]) -> list[tuple[str, list[Said]]]:
    groups: dict[str, list[Said]] = {}
    for one in said:
        groups.setdefault(one.path[0], []).append(one)
    return list(groups.items())


def _entry(prefix: str, value: object, where: str | None) -> list[tuple[str, str]]:
    return [(prefix + _scalar(value), where or "the default")]


def _scalar(value: object) -> str:
    """A value as YAML on one line: plain where it is read as the same text, else in JSON's way, which YAML reads."""
    if isinstance(value, str):
        plain = _PLAIN.match(value) and value.lower() not in _WORDS
        return value if plain else json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_scalar(item) for item in value) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_scalar(key)}: {_scalar(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)
