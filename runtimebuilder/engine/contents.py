"""What is in an image: layers, files, packages. Nothing of it is run, but for rpm where it is an RPM image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runtimebuilder.engine import dpkg
from runtimebuilder.engine.containers import Container, ContainerSpec, create_container
from runtimebuilder.engine.docker import Engine, asking
from runtimebuilder.engine.packages import package_script, run_in
from runtimebuilder.errors import UserError


@dataclass(frozen=True)
class LayerFact:
    """A layer: what made it, in one line, and the bytes that it adds."""

    made_by: str
    size: int


@dataclass(frozen=True)
class FileFact:
    """A file: path and bytes."""

    path: str
    size: int


@dataclass(frozen=True)
class PackageFact:
    """A package of the distribution; `size` in bytes, as installed and as the package itself says."""

    name: str
    version: str
    size: int


@dataclass(frozen=True)
class ImageContents:
    """Layers from the first to the last, without those that add nothing; files and packages with the largest first.

    `manager`: "apt", "dnf", or "" where there is no database of packages.
    """

    layers: tuple[LayerFact, ...]
    files: tuple[FileFact, ...]
    manager: str
    packages: tuple[PackageFact, ...]


def image_contents(engine: Engine, image: str) -> ImageContents:
    """Look into `image`. Raises `EngineError` when the engine does not have it."""
    # Never started; a command has to be there for an image that has none.
    container = create_container(engine, ContainerSpec(image=image, entrypoint=["/none"]))
    try:
        files = sorted(_files(container), key=lambda file: (-file.size, file.path))
        manager, packages = _packages(engine, container, image)
    finally:
        container.remove()
    return ImageContents(
        tuple(_layers(engine, image)),
        tuple(files),
        manager,
        tuple(sorted(packages, key=lambda one: (-one.size, one.name))),
    )


def _layers(engine: Engine, image: str) -> Iterator[LayerFact]:
    with asking(f"for the history of {image}"):
        history = engine.api.history(image)
    for entry in reversed(history):
        if int(entry.get("Size") or 0):
            text = " ".join(str(entry.get("CreatedBy") or entry.get("Comment") or "").split())
            text = text.removeprefix("/bin/sh -c ").removeprefix("#(nop) ")
            yield LayerFact(text or "(imported)", int(entry["Size"]))


def _files(container: Container) -> Iterator[FileFact]:
    for entry in container.entries("/"):
        if entry.isreg():
            yield FileFact("/" + entry.name.lstrip("./"), entry.size)


def _packages(engine: Engine, container: Container, image: str) -> tuple[str, list[PackageFact]]:
    if (status := dpkg.status_of(container)) is not None:
        return "apt", [
            PackageFact(fields["Package"], fields["Version"], int(fields.get("Installed-Size", "0")) * 1024)
            for fields in dpkg.installed(status)
        ]
    try:
        script = package_script("dnf")
        lines = run_in(engine, image, script, what=f"rpm cannot list the packages of {image}").splitlines()[
            1:
        ]
    except UserError:  # no shell, or no rpm: no package can be told
        return "", []
    found = []
    for line in lines:
        name, version, size = line.split(" ")
        found.append(PackageFact(name, version, int(size)))
    return "dnf", found
