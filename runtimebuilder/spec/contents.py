"""What a spec puts into an image besides packages: files of the project, layers, what a stage of its own compiles.

A path in the project is relative to the folder above the spec's own: with `runtimes/shop.yaml`, to the one that holds
`runtimes/`. Links are followed, and never out of that folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from runtimebuilder.spec.fields import (
    ImageName,
    ImagePath,
    Line,
    Mode,
    Name,
    Package,
    PlainPath,
    ProjectPath,
    Script,
    Size,
    SpecModel,
    at,
    not_empty,
)

MOST_LAYERS = 5  # as Lambda allows
MOST_FILES = 20_000  # of one entry: a folder with more was named by mistake


class FileEntry(SpecModel):
    """A file or a folder of the project, copied into the image; with `/` behind `to`, into that folder.

    `mode`: of each file; None: 0755 for what its owner may execute, else 0644.
    """

    source: ProjectPath = Field(alias="from")
    to: ImagePath
    mode: Mode | None = None


class LayerEntry(SpecModel):
    """A Lambda layer, merged into /opt: a zip file of the project, or the /opt of an image."""

    zip: ProjectPath | None = None
    image: ImageName | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.zip is None) == (self.image is None):
            raise PydanticCustomError(
                "value_error", "{error}", {"error": "a layer is either zip: FILE or image: NAME"}
            )
        return self


class Artefact(SpecModel):
    """A file, or what is in a folder, of the stage that is put into the image. Both paths are of plain characters."""

    source: PlainPath = Field(alias="from")
    to: PlainPath


class BuildStage(SpecModel):
    """A stage on the same base: `packages` and `files` come in, `run` is executed, `artefacts` are taken out.

    Each step of `run` is a command for /bin/sh with -eu. The rest of the stage is thrown away.
    """

    packages: Mapping[Name, tuple[Package, ...]] = Field(default_factory=dict)
    files: tuple[FileEntry, ...] = ()
    run: tuple[Script, ...] = ()
    artefacts: Annotated[tuple[Artefact, ...], AfterValidator(not_empty)]


def _at_most_five(layers: tuple[LayerEntry, ...]) -> tuple[LayerEntry, ...]:
    if len(layers) > MOST_LAYERS:
        raise at(MOST_LAYERS, f"Lambda knows {MOST_LAYERS} layers at most")
    return layers


Layers = Annotated[tuple[LayerEntry, ...], AfterValidator(_at_most_five)]


class VerifySettings(SpecModel):
    """What `runtimebuilder verify NAME` does for this runtime; None: not said. The command line comes before it.

    `memory` is in MB, `timeout` in seconds; `known_failing` is a file of the project, `probe` a name or
    a folder of the project.
    """

    level: tuple[Literal["MUST", "SHOULD", "MAY"], ...] | None = None
    strict: StrictBool | None = None
    memory: Annotated[int, Field(ge=128, le=10_240)] | None = None
    timeout: Annotated[int, Field(ge=1, le=900)] | None = None
    known_failing: ProjectPath | None = Field(default=None, alias="known-failing")
    probe: Line | None = None


class LimitSettings(SpecModel):
    """What an image may not exceed; None: not said. `size` in bytes, as the engine counts it."""

    size: Size | None = None


class ProjectFile(SpecModel):
    """A resolved `FileEntry`: `root` is the project's folder on this machine, and no part of what the spec says."""

    root: Line = Field(exclude=True, repr=False)
    source: ProjectPath = Field(serialization_alias="from")
    to: ImagePath
    mode: Mode | None = None


class Layer(SpecModel):
    """A resolved `LayerEntry`."""

    root: Line = Field(exclude=True, repr=False)
    zip: ProjectPath | None = None
    image: ImageName | None = None


class Stage(SpecModel):
    """A resolved `BuildStage`."""

    packages: Mapping[Name, tuple[Package, ...]]
    files: tuple[ProjectFile, ...]
    run: tuple[Script, ...]
    artefacts: tuple[Artefact, ...]


class MissingFileError(ValueError):
    """A path of the project that cannot be used, and why."""


def project_files(root: str, source: str) -> Iterator[tuple[str, Path]]:
    """All files that `source` stands for, sorted: path below it ("" for a file itself), and where it lies.

    Raises `MissingFileError` for what is not there, leads out of the project, or is neither file nor folder.
    """
    top = Path(root).resolve()
    start = top / source
    if not start.exists():
        raise MissingFileError(f"{source!r} is not there; looked in {top}")
    for number, (relative, file) in enumerate(_walk(start, "", (top,)), start=1):
        if number > MOST_FILES:
            raise MissingFileError(f"{source!r} has more than {MOST_FILES} files")
        real = file.resolve()
        if not real.is_relative_to(top):
            raise MissingFileError(f"{_named(source, relative)!r} is a link out of the project")
        if not real.exists():
            raise MissingFileError(f"{_named(source, relative)!r} is a link to nothing")
        if not stat.S_ISREG(real.stat().st_mode):
            raise MissingFileError(f"{_named(source, relative)!r} is neither a file nor a folder")
        if not os.access(real, os.R_OK):
            raise MissingFileError(f"{_named(source, relative)!r} cannot be read")
        yield relative, real


def one_file(root: str, source: str) -> Path:
    """Where the file `source` lies. Raises `MissingFileError` as `project_files` does, and for a folder."""
    if (Path(root).resolve() / source).is_dir():
        raise MissingFileError(f"{source!r} is a folder, a file is wanted here")
    ((_, file),) = project_files(root, source)
    return file


def _named(source: str, relative: str) -> str:
    return f"{source}/{relative}" if relative else source


def _walk(here: Path, relative: str, above: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    """`above`: the project's folder, then those walked through, without links."""
    if not here.is_dir():
        yield relative, here
        return
    real = here.resolve()
    if real in above[1:]:
        raise MissingFileError(f"{relative!r} is a link to a folder that holds it")
    if not real.is_relative_to(above[0]):  # and nothing out there is looked at
        yield relative, here
        return
    for entry in sorted(here.iterdir(), key=lambda path: path.name):
        yield from _walk(entry, f"{relative}/{entry.name}" if relative else entry.name, (*above, real))
