"""The files that a project of one's own begins with, written whole or not at all, and never over somebody's file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from runtimebuilder.errors import SpecError
from runtimebuilder.spec.reference import described_schema
from runtimebuilder.spec.whole_file import write_text

SCHEMA = ".runtimebuilder/schema.json"


def schema_text() -> str:
    """The JSON Schema as the file that specs point editors to."""
    return json.dumps(described_schema(), indent=2) + "\n"


def write_files(directory: Path, files: Mapping[str, str]) -> tuple[str, ...]:
    """Write `files` (path below `directory` → text); which were written, sorted. Those that are there as they would be
    written stay.

    Raises `SpecError` (exit 2) when one is there with another content: then none is written. The schema is generated
    and always renewed.
    """
    there = {path: _content(directory / path) for path in files}
    taken = sorted(path for path, text in files.items() if path != SCHEMA and there[path] not in (None, text))
    if taken:
        raise SpecError(
            f"{', '.join(taken)} {'is' if len(taken) == 1 else 'are'} there already, with something else in it",
            hint="nothing was written; move it away, or take another folder or name",
        )
    for path in files:
        for above in Path(path).parents:
            if (directory / above).exists() and not (directory / above).is_dir():
                raise SpecError(
                    f"{above} is there and is no folder",
                    hint="nothing was written; move it away, or take another folder",
                )
    wanted = sorted(path for path, text in files.items() if there[path] != text)
    for path in wanted:
        write_text(directory / path, files[path])
    return tuple(wanted)


def _content(file: Path) -> str | None:
    if not file.exists() and not file.is_symlink():
        return None
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
