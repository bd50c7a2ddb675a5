"""The first thing in which two images differ: a file of a layer, or a value of the configuration."""

from __future__ import annotations

import difflib
import json
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.saved import configuration, listed, member

_DIFF_LINES = 12
_TEXT_BYTES = 200_000  # of larger files only the sizes are told


@dataclass(frozen=True)
class Difference:
    """`where`: a layer and a path, or a key of the configuration; `what`: how it differs; `lines`: an excerpt."""

    where: str
    what: str
    lines: tuple[str, ...] = ()


def first_difference(engine: Engine, one: str, other: str) -> Difference | None:
    """In what two images of `engine` differ first, base to top, paths sorted; None when in nothing that counts.

    Times count, for images are compared that were written in canonical form. Raises `EngineError` (exit 4).
    """
    with tempfile.TemporaryFile() as first, tempfile.TemporaryFile() as second:
        engine.save(one, first)
        engine.save(other, second)
        first.seek(0)
        second.seek(0)
        with tarfile.open(fileobj=first) as left, tarfile.open(fileobj=second) as right:
            return _compare(left, right)


def _compare(left: tarfile.TarFile, right: tarfile.TarFile) -> Difference | None:
    (_, left_paths), (_, right_paths) = listed(left), listed(right)
    config = [configuration(archive) for archive in (left, right)]
    layers = [entry["rootfs"]["diff_ids"] for entry in config]
    steps = [entry.get("created_by", "") for entry in config[0].get("history") or ()]
    for number, (here, there) in enumerate(zip(*layers, strict=False)):
        if here == there:
            continue
        step = f" ({steps[number][:80]})" if number < len(steps) and steps[number] else ""
        place = f"layer {number + 1}{step}"
        with (
            tarfile.open(fileobj=member(left, left_paths[number])) as before,
            tarfile.open(fileobj=member(right, right_paths[number])) as after,
        ):
            found = _in_layer(place, before, after)
        return found or Difference(place, "the layers' archives differ, and no file in them does")
    if len(layers[0]) != len(layers[1]):
        return Difference("the layers", f"there are {len(layers[0])} and {len(layers[1])}")
    return _in_config(config[0], config[1])


def _in_layer(place: str, before: tarfile.TarFile, after: tarfile.TarFile) -> Difference | None:
    left = {entry.name.strip("./"): entry for entry in before}
    right = {entry.name.strip("./"): entry for entry in after}
    for path in sorted({*left, *right}):
        where = f"{place}: /{path}"
        if path not in left or path not in right:
            return Difference(where, f"is only in the {'first' if path in left else 'second'}")
        one, other = left[path], right[path]
        for what, here, there in (
            ("kind", one.type, other.type),
            ("mode", oct(one.mode), oct(other.mode)),
            ("owner", f"{one.uid}:{one.gid}", f"{other.uid}:{other.gid}"),
            ("link", one.linkname, other.linkname),
            ("attributes", one.pax_headers, other.pax_headers),
        ):
            if here != there:
                return Difference(where, f"its {what} is {here!s}, and {there!s} in the second")
        if one.isreg():
            here_data, there_data = _content(before, one), _content(after, other)
            if here_data != there_data:
                return Difference(where, *_text_difference(here_data, there_data))
        if one.mtime != other.mtime:
            return Difference(where, f"its time is {one.mtime}, and {other.mtime} in the second")
    return None


def _content(layer: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    opened = layer.extractfile(entry)
    return opened.read() if opened else b""


def _text_difference(one: bytes, other: bytes) -> tuple[str, tuple[str, ...]]:
    sizes = f"its content differs ({len(one)} bytes, {len(other)} in the second)"
    if max(len(one), len(other)) > _TEXT_BYTES or b"\0" in one + other:
        return sizes, ()
    lines = difflib.unified_diff(
        one.decode("utf-8", "replace").splitlines(),
        other.decode("utf-8", "replace").splitlines(),
        "first",
        "second",
        n=1,
        lineterm="",
    )
    return sizes, tuple(line[:120] for line in list(lines)[:_DIFF_LINES])


def _in_config(one: Mapping[str, Any], other: Mapping[str, Any], above: str = "") -> Difference | None:
    for key in sorted({*one, *other}):
        here, there = one.get(key), other.get(key)
        if here == there:
            continue
        if isinstance(here, dict) and isinstance(there, dict):
            return _in_config(here, there, f"{above}{key}.")
        return Difference(
            f"the configuration's {above}{key}",
            f"it is {json.dumps(here)[:200]}, and {json.dumps(there)[:200]} in the second",
        )
    return None
