"""A runtime as a Lambda layer: the zip file that Lambda unpacks to /opt, for functions that are deployed as zip files.

The layer brings the C library that its PHP was built for, and starts PHP through that library's loader. So it does not
depend on what the system has, and a runtime on Debian works on Amazon Linux as one on Amazon Linux does.
"""

from __future__ import annotations

import io
import os
import posixpath
import stat
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runtimebuilder.build.plan import default_tags
from runtimebuilder.build.subject import Subject, find_image
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.layer_parts import ImageFile, Part, image_files, layer_parts
from runtimebuilder.errors import EnvironmentProblemError, SpecError, SubjectFailedError
from runtimebuilder.render.image import LABEL
from runtimebuilder.render.layer import render_layer
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec
from runtimebuilder.spec.packages import layout_for
from runtimebuilder.spec.zipped_layer import MOST_BYTES

ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}
"""Lambda's names of them, and Docker's."""

DIRECT_UPLOAD = 52_428_800
"""50 MB, zipped: the largest layer that Lambda takes without S3."""

_PLACES = {
    "loader": "php/lib/{name}",
    "library": "php/lib/{name}",
    "extension": "php/extensions/{name}",
    "ini": "php/ini/{name}",
    "php.ini": "php/etc/php.ini",
    "gconv": "php/gconv/{name}",
    "certificates": "php/ssl/cert.pem",
    "openssl": "php/ssl/openssl.cnf",
}
_TIME = (1980, 1, 1, 0, 0, 0)  # the oldest that zip can hold


@dataclass(frozen=True)
class LayerZip:
    """A layer that was written: sizes in bytes, packed and unpacked, and how many files."""

    file: Path
    image: str
    packed: int
    unpacked: int
    files: int


def export_layer(
    engine: Engine,
    catalog: Catalog,
    name: str,
    *,
    base: str | None = None,
    arch: str | None = None,
    output: Path | None = None,
    say: Callable[[str], None],
) -> LayerZip:
    """Write the layer of the runtime `name`, of its image that was built here.

    Raises `SpecError` (2) for what is no runtime or cannot be a layer, `EnvironmentProblemError` (4) when there is no
    image of it, `SubjectFailedError` (1) for a layer that Lambda refuses. The file is there whole or not at all.
    """
    (runtime,) = catalog.select([name])
    if arch is not None and arch not in ARCHITECTURES:
        raise SpecError(f"--arch {arch!r} is not one of {', '.join(ARCHITECTURES)}")
    if output is not None and not output.parent.is_dir():
        raise EnvironmentProblemError(f"{output} cannot be written: there is no folder {output.parent}")
    found = _image_of(engine, catalog, runtime, base, arch)
    if found.note:
        say(f"WARNING: {found.note}")
    facts = engine.image(found.reference)
    if facts is None:
        raise EnvironmentProblemError(f"the engine has no image {found.reference}")
    ours = next(
        (lambdas for lambdas, dockers in ARCHITECTURES.items() if dockers == facts.architecture), None
    )
    if ours is None or (arch is not None and arch != ours):
        raise EnvironmentProblemError(
            f"{found.reference} is for {facts.architecture}" + (f", not for {arch}" if arch else ""),
            hint=f"`runtimebuilder build {name} --platform linux/{ARCHITECTURES.get(arch or '', 'amd64')}` first",
        )
    on = catalog.base(facts.labels.get(f"{LABEL}.base", runtime.base))
    runtime = runtime.on(on.name)
    if runtime.has_php:
        files = _of_php(engine, facts.id, runtime, on)
    else:
        files = _of_provided(engine, facts.id, runtime, on, catalog.bases)
    for word in _left_out(runtime, on):
        say(f"WARNING: {word}")
    unpacked = sum(len(file.data) for file in files.values())
    if unpacked > MOST_BYTES:
        raise SubjectFailedError(
            f"the layer has {unpacked / 1e6:.0f} MB unpacked, and Lambda takes {MOST_BYTES / 1e6:.0f} MB of a function "
            "with all its layers",
            hint="leave out extensions or files, or deploy the runtime as an image",
        )
    data = zipped(files.values())
    target = output or Path(f"{runtime.name}-{on.name}-{ours}.zip")
    _write(target, data)
    if len(data) > DIRECT_UPLOAD:
        say(
            f"WARNING: {target} has {len(data) / 1e6:.0f} MB: above {DIRECT_UPLOAD / 1e6:.0f} MB Lambda takes a "
            "layer from S3 only"
        )
    return LayerZip(target, found.reference, len(data), unpacked, len(files))


def _image_of(
    engine: Engine, catalog: Catalog, runtime: RuntimeSpec, base: str | None, arch: str | None
) -> Subject:
    """The image that was built of `runtime`; that of another architecture has a name of its own."""
    if arch is not None:
        own = default_tags(runtime, catalog.base(base or runtime.base).name, ARCHITECTURES[arch])[0]
        if engine.image(own) is not None:
            return Subject(own)
    return find_image(engine, catalog, runtime.name, base)


def _of_php(engine: Engine, image: str, runtime: RuntimeSpec, base: BaseSpec) -> Mapping[str, ImageFile]:
    layout = layout_for(runtime, base)
    programs = {"php": layout.php, **({"php-fpm": layout.fpm} if runtime.kind == "fpm" else {})}
    parts = layer_parts(engine, image, programs.values())
    parts += tuple(Part("program", name, path) for name, path in programs.items())
    (loader,) = [part.name for part in parts if part.what == "loader"]
    there = image_files(engine, image, [part.path for part in parts], "/opt/")
    if gone := [part.path for part in parts if part.path not in there]:
        raise SubjectFailedError(f"{gone[0]} cannot be read from the image of {runtime.name}")
    files = {path.removeprefix("/opt/"): file for path, file in there.items() if path.startswith("/opt/")}
    for part in parts:
        place = _PLACES.get(part.what, "php/libexec/{name}").format(name=part.name)
        mode = 0o755 if part.what in ("loader", "library", "program") else 0o644
        files[place] = ImageFile(place, mode, there[part.path].data)
    for file in render_layer(runtime, base, loader=loader):
        files[file.path] = ImageFile(file.path, file.mode, file.data, file.is_link)
    files["bref/ssl/cert.pem"] = ImageFile(
        "bref/ssl/cert.pem", 0o777, b"../../php/ssl/cert.pem", is_link=True
    )
    return files


def _of_provided(
    engine: Engine, image: str, runtime: RuntimeSpec, base: BaseSpec, bases: Mapping[str, BaseSpec]
) -> Mapping[str, ImageFile]:
    """The bootstrap and what the image has in /opt. Programs stay as they are: they must fit Lambda's own system."""
    start = "/var/runtime/bootstrap"
    there = image_files(engine, image, [start], "/opt/")
    if start not in there:
        raise SubjectFailedError(f"{runtime.name}: the image has no {start}")
    files = {path.removeprefix("/opt/"): file for path, file in there.items() if path.startswith("/opt/")}
    files["bootstrap"] = ImageFile("bootstrap", 0o755, there[start].data)
    programs = [place for place, file in files.items() if _is_dynamic(file.data) and not file.is_link]
    if base.make is not None and programs:
        fitting = ", ".join(name for name, other in sorted(bases.items()) if other.make is None)
        raise SpecError(
            f"{runtime.name}: {programs[0]} is linked with the C library of base {base.name}, which Lambda's OS-only "
            "runtime does not have",
            hint=f"build it on {fitting}, or link it statically",
        )
    return files


def _is_dynamic(data: bytes) -> bool:
    """Whether it is an ELF file that names a loader (the first pages hold the name)."""
    return data.startswith(b"\x7fELF") and b"/ld-linux" in data[:8192]


def _left_out(runtime: RuntimeSpec, base: BaseSpec) -> Iterable[str]:
    """What of the spec is in the image and cannot be in a layer."""
    if names := runtime.packages.get(base.name):
        yield f"{runtime.name}: packages ({', '.join(names)}) are not in the layer"
    targets = [file.to for file in runtime.files]
    targets += [artefact.to for stage in runtime.stages for artefact in stage.artefacts]
    for target in targets:
        if not posixpath.normpath(target).startswith("/opt/") and target != "/var/runtime/bootstrap":
            yield f"{runtime.name}: {target} is not below /opt, so it is not in the layer"


def zipped(files: Iterable[ImageFile]) -> bytes:
    """A zip file of `files`, by path below /opt: sorted, with fixed times, modes and links as they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(files, key=lambda file: file.path.removeprefix("/opt/")):
            info = zipfile.ZipInfo(file.path.removeprefix("/opt/"), _TIME)
            info.create_system = 3  # Unix: the attributes hold a mode
            kind = stat.S_IFLNK if file.is_link else stat.S_IFREG
            info.external_attr = (kind | file.mode) << 16
            info.compress_type = zipfile.ZIP_STORED if file.is_link else zipfile.ZIP_DEFLATED
            archive.writestr(info, file.data)
    return buffer.getvalue()


def _write(target: Path, data: bytes) -> None:
    """Write beside it, then rename."""
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        part.write_bytes(data)
        part.replace(target)
    except OSError as error:
        raise EnvironmentProblemError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
