"""What is in a Lambda layer's zip file, and whether it may go into /opt as it is.

A zip file is somebody's data: names that lead out of /opt, links that do, and archives that grow beyond what Lambda
takes are refused, before anything is unpacked.
"""

from __future__ import annotations

import posixpath
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path

from runtimebuilder.spec.contents import MissingFileError

TOP = "/opt"
MOST_BYTES = 262_144_000  # 250 MB, unpacked: Lambda's limit for a function with all its layers
MOST_ENTRIES = 50_000


@dataclass(frozen=True, order=True)
class LayerFile:
    """One file of a layer: `path` below /opt, permission bits, content. `is_link`: the content is where it leads.

    Only the executable bit counts: archives that were not made on a Unix say 0600 or nothing, and the function's user
    has to be able to read what root owns.
    """

    path: str
    mode: int
    data: bytes
    is_link: bool = False


def layer_entries(file: Path) -> tuple[zipfile.ZipInfo, ...]:
    """The files in the archive, folders left out. Raises `MissingFileError` for one that cannot be a layer."""
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            if len(infos) > MOST_ENTRIES:
                raise MissingFileError(f"{file.name!r} has more than {MOST_ENTRIES} entries")
            if sum(info.file_size for info in infos) > MOST_BYTES:
                raise MissingFileError(
                    f"{file.name!r} is larger than 250 MB when unpacked, which Lambda refuses"
                )
            entries = tuple(info for info in infos if not info.is_dir())
            _check_names(file.name, infos)
            links = {_clean(info.filename) for info in entries if _is_link(info)}
            for info in entries:
                _check_entry(file.name, info, links, archive)
            return entries
    except zipfile.BadZipFile as error:
        raise MissingFileError(f"{file.name!r} is not a zip file: {error}") from error
    except NotImplementedError as error:
        raise MissingFileError(f"{file.name!r} is packed in a way that cannot be read: {error}") from error


def layer_files(file: Path) -> tuple[LayerFile, ...]:
    """The files of the layer with their content, sorted. Raises `MissingFileError` as `layer_entries` does."""
    entries = layer_entries(file)
    found = []
    try:
        with zipfile.ZipFile(file) as archive:
            for info in entries:
                mode = 0o755 if (info.external_attr >> 16) & 0o100 else 0o644
                found.append(LayerFile(_clean(info.filename), mode, archive.read(info), _is_link(info)))
    except (zipfile.BadZipFile, EOFError, OSError) as error:  # a checksum, or zlib's complaints
        raise MissingFileError(f"{file.name!r} is damaged: {error}") from error
    except Exception as error:  # zlib.error is no subclass of anything; whatever else a codec raises
        raise MissingFileError(f"{file.name!r} cannot be unpacked: {error}") from error
    return tuple(sorted(found))


def _is_link(info: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(info.external_attr >> 16)


def _clean(name: str) -> str:
    return posixpath.normpath(name)


def _check_names(archive: str, infos: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for info in infos:
        name = info.filename
        if name.startswith("/") or ".." in name.split("/") or "\\" in name or _has_control(name):
            raise MissingFileError(f"{archive!r} holds {name!r}, which is no plain path below {TOP}")
        if info.is_dir():
            continue
        if _clean(name) in seen:
            raise MissingFileError(f"{archive!r} holds {name!r} twice")
        seen.add(_clean(name))


def _check_entry(archive: str, info: zipfile.ZipInfo, links: set[str], zipped: zipfile.ZipFile) -> None:
    name = _clean(info.filename)
    if info.flag_bits & 0x1:
        raise MissingFileError(f"{archive!r} is encrypted: {info.filename!r}")
    above = name
    while above := posixpath.dirname(above):
        if above in links:
            raise MissingFileError(f"{archive!r} holds {info.filename!r} behind the link {above!r}")
    if not _is_link(info):
        return
    if info.file_size > 4096:
        raise MissingFileError(f"{archive!r} holds a link of {info.file_size} bytes: {info.filename!r}")
    target = zipped.read(info).decode("utf-8", "replace")
    leads = posixpath.normpath(posixpath.join(TOP, posixpath.dirname(name), target))
    if _has_control(target) or not (leads + "/").startswith(TOP + "/"):
        raise MissingFileError(f"{archive!r} holds a link out of {TOP}: {info.filename!r} → {target!r}")


def _has_control(text: str) -> bool:
    return any(ord(character) < 32 or ord(character) == 127 for character in text)
