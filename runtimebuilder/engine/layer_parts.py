"""What a layer takes of an image: asked in a container of it, then read from its file system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runtimebuilder.engine.containers import ContainerSpec, create_container
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.packages import run_in, shared_script


@dataclass(frozen=True)
class Part:
    """A file of the image: what it is for the layer (`library`, `extension`, `ini`, ...), its name there, its path."""

    what: str
    name: str
    path: str


@dataclass(frozen=True)
class ImageFile:
    """A file of an image: absolute path, permission bits, content; `is_link`: the content is where it leads."""

    path: str
    mode: int
    data: bytes
    is_link: bool = False


def layer_parts(engine: Engine, image: str, programs: Iterable[str]) -> tuple[Part, ...]:
    """What PHP needs, whose binaries are `programs`. Raises `EnvironmentProblemError` when the image cannot tell."""
    said = run_in(
        engine,
        image,
        shared_script("layer-parts.sh"),
        tuple(programs),
        what=f"{image} does not tell what its PHP needs",
    )
    return tuple(Part(*line.split("\t")) for line in said.splitlines())


def image_files(engine: Engine, image: str, paths: Iterable[str], below: str) -> Mapping[str, ImageFile]:
    """The files at `paths`, which are no links, and all files and links below the folder `below`, by path.

    Nothing of the image is run. Raises `EngineError` when the engine does not have it.
    """
    wanted = set(paths)
    container = create_container(engine, ContainerSpec(image=image, entrypoint=["/none"]))
    found = {}
    try:
        for entry, data in container.contents("/", lambda path: path in wanted or path.startswith(below)):
            path = "/" + entry.name.removeprefix("./").strip("/")
            content = entry.linkname.encode() if entry.issym() else data
            found[path] = ImageFile(path, entry.mode & 0o777, content, entry.issym())
    finally:
        container.remove()
    return found
