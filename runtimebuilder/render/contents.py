"""The spec's own contents in a build context: files of the project, layers, what stages get; and what copies them.

File names stand in the archive that is the context, never in the Dockerfile: they can be anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from runtimebuilder.errors import SpecError
from runtimebuilder.render.context import ContextFile
from runtimebuilder.render.mirror import Mirror
from runtimebuilder.spec.contents import Artefact, MissingFileError, ProjectFile, one_file, project_files
from runtimebuilder.spec.lock import Pins
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec
from runtimebuilder.spec.zipped_layer import layer_files


@dataclass(frozen=True)
class StageSteps:
    """One build stage as the template sees it. `folder`: where its files lie in the context, "" for none."""

    name: str
    packages: tuple[str, ...]
    folder: str
    run: tuple[str, ...]
    artefacts: tuple[Artefact, ...]


@dataclass(frozen=True)
class LayerCopy:
    """A layer as the template sees it: a folder of the context, or an image with /opt."""

    folder: str
    image: str


@dataclass(frozen=True)
class Contents:
    """What goes into the context, and what the template has to write for it. `folder`: of the image's own files."""

    context: tuple[ContextFile, ...]
    stages: tuple[StageSteps, ...]
    layers: tuple[LayerCopy, ...]
    folder: str


def contents_of(
    runtime: RuntimeSpec, base: BaseSpec, mirrors: tuple[Mirror, ...] = (), pins: Pins | None = None
) -> Contents:
    """The contents of `runtime`, as it is on `base`, images of layers through a mirror; pinned, where there are pins.

    Raises `SpecError` (exit 2) for files that cannot be used."""
    try:
        return _contents(runtime, base, mirrors, pins)
    except MissingFileError as error:
        raise SpecError(f"{runtime.name}: {error}", hint=f"correct {runtime.source}") from error


def _contents(
    runtime: RuntimeSpec, base: BaseSpec, mirrors: tuple[Mirror, ...], pins: Pins | None
) -> Contents:
    context: list[ContextFile] = []
    stages = []
    for number, stage in enumerate(runtime.stages):
        found = _placed(stage.files, f"stages/{number}")
        context += found
        stages.append(
            StageSteps(
                name=f"build-{number}",
                packages=pins.names(f"build-{number}")
                if pins
                else tuple(sorted(stage.packages.get(base.name, ()))),
                folder=f"stages/{number}/" if found else "",
                run=stage.run,
                artefacts=stage.artefacts,
            )
        )
    layers = []
    for number, layer in enumerate(runtime.layers):
        if layer.image is not None:
            image = pins.image(layer.image) if pins else layer.image
            mirrored = [name for mirror in mirrors if (name := mirror.rewrite(image))]
            layers.append(LayerCopy("", mirrored[0] if mirrored else image))
        elif layer.zip is not None:
            file = one_file(layer.root, layer.zip)
            found = [
                ContextFile(f"layers/{number}/{entry.path}", entry.mode, entry.data, entry.is_link)
                for entry in layer_files(file)
            ]
            context += found
            layers += [LayerCopy(f"layers/{number}/", "")] if found else []
    own = _placed((*runtime.files, *((runtime.bootstrap,) if runtime.bootstrap is not None else ())), "files")
    context += own
    return Contents(tuple(context), tuple(stages), tuple(layers), "files/" if own else "")


def _placed(files: Iterable[ProjectFile], top: str) -> list[ContextFile]:
    """The files below `top` as they shall lie in the image; of two for one place the later entry wins."""
    placed: dict[str, ContextFile] = {}
    for entry in files:
        for relative, file in project_files(entry.root, entry.source):
            path = f"{top}{entry.to}/{relative}" if relative else f"{top}{entry.to}"
            mode = int(entry.mode, 8) if entry.mode else 0o755 if file.stat().st_mode & 0o100 else 0o644
            placed[path] = ContextFile(path, mode, file.read_bytes())
    for path in placed:
        for parent in PurePosixPath(path).parents:
            if str(parent) in placed:
                where, what = str(parent).removeprefix(top), path.removeprefix(top)
                raise MissingFileError(f"{where} is to be a file, and {what} lies in it")
    return list(placed.values())
