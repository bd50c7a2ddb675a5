"""A layer of an image as a tar: written in one canonical form, knowing what the layers below it have.

https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

XATTR = "SCHILY.xattr."
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
# Bits of a mode that count: some engines write the kind of file into it as well.
_MODE = 0o7777


@dataclass(frozen=True)
class _Thing:
    """What is at a path: `kind` as in a tar; `content`: a file's SHA-256, where a link leads, a device's number."""

    kind: bytes
    mode: int
    owner: tuple[int, int]
    xattrs: tuple[tuple[str, str], ...]
    content: str = ""

    @property
    def is_folder(self) -> bool:
        return self.kind == tarfile.DIRTYPE


class LayerState:
    """What the layers so far make of the file system, and the rewriting of the next one."""

    def __init__(self) -> None:
        self._things: dict[str, _Thing] = {}
        self._inside: dict[str, set[str]] = {}  # folder → paths right in it

    def add(self, layer: tarfile.TarFile) -> None:
        """The layer is there as it is."""
        self._apply(*_read(layer))

    def rewrite(self, layer: tarfile.TarFile, target: IO[bytes], epoch: int) -> None:
        """Write the layer to `target` in canonical form, and add it.

        Entries are sorted by path; of files that are links to each other the first is the file. What is as the layers
        below have it is left out (its time does not count), and so is what hides nothing. A folder that hides all below
        it hides each by its name.
        """
        entries = {
            _path(entry): entry for entry in layer
        }  # a path that stands there twice: the later one counts
        things, whiteouts, opaque = _read(layer)
        leaders = _leaders(entries)
        hidden = {path for path in whiteouts - things.keys() if path in self._things}
        for folder in opaque | (whiteouts & things.keys()):
            hidden |= self._missing_below(folder, things)
        kept = {
            path
            for path, thing in things.items()
            if self._things.get(path) != thing or self._is_in(path, hidden)
        }
        marks = {
            f"{above}/{_WHITEOUT}{name}".lstrip("/") for above, _, name in (p.rpartition("/") for p in hidden)
        }
        with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as written:
            for path in sorted(kept | marks):
                if path in marks:
                    mark = tarfile.TarInfo(path)
                    mark.mode, mark.mtime = 0, epoch
                    written.addfile(mark)
                    continue
                entry = entries[path]
                clean = _canonical(entry, path, epoch)
                group = [other for other in leaders.get(path, ())[:-1] if other in kept]
                if not group:
                    written.addfile(clean, layer.extractfile(entry) if entry.isreg() else None)
                elif path == group[0]:
                    holder = entries[leaders[path][-1]]
                    clean.type, clean.linkname, clean.size = tarfile.REGTYPE, "", holder.size
                    written.addfile(clean, layer.extractfile(holder))
                else:
                    clean.type, clean.linkname, clean.size = tarfile.LNKTYPE, group[0], 0
                    written.addfile(clean)
        self._apply(things, whiteouts, opaque)

    def _missing_below(self, folder: str, things: Mapping[str, _Thing]) -> set[str]:
        """Of what is below `folder` the topmost paths that `things`, which takes its place, does not have."""
        missing = set()
        for path in self._inside.get(folder, ()):
            if path not in things:
                missing.add(path)
            elif things[path].is_folder:
                missing |= self._missing_below(path, things)
        return missing

    @staticmethod
    def _is_in(path: str, folders: set[str]) -> bool:
        """Whether a folder above `path` is among `folders`."""
        while path:
            path = path.rpartition("/")[0]
            if path in folders:
                return True
        return False

    def _apply(self, things: dict[str, _Thing], whiteouts: set[str], opaque: set[str]) -> None:
        for path in whiteouts:
            self._forget(path)
        for folder in opaque:
            for path in tuple(self._inside.get(folder, ())):
                self._forget(path)
        for path, thing in things.items():
            before = self._things.get(path)
            if before is not None and before.is_folder and not thing.is_folder:
                self._forget(path)
            self._things[path] = thing
            self._inside.setdefault(path.rpartition("/")[0], set()).add(path)

    def _forget(self, path: str) -> None:
        for below in tuple(self._inside.pop(path, ())):
            self._forget(below)
        self._things.pop(path, None)
        self._inside.get(path.rpartition("/")[0], set()).discard(path)


def _read(layer: tarfile.TarFile) -> tuple[dict[str, _Thing], set[str], set[str]]:
    """What the layer puts there, which paths it hides, and the folders of which it hides everything below."""
    things: dict[str, _Thing] = {}
    whiteouts, opaque = set(), set()
    for entry in layer.getmembers():
        path = _path(entry)
        above, _, name = path.rpartition("/")
        if name == _OPAQUE:
            opaque.add(above)
        elif name.startswith(_WHITEOUT):
            whiteouts.add(f"{above}/{name.removeprefix(_WHITEOUT)}".lstrip("/"))
        elif path:
            things[path] = _thing(layer, entry, things)
    return things, whiteouts, opaque


def _thing(layer: tarfile.TarFile, entry: tarfile.TarInfo, there: dict[str, _Thing]) -> _Thing:
    kind, content = entry.type, entry.linkname
    if entry.islnk():
        # A name of a file like the other: which of them is the link is chance.
        other = there.get(_clean(entry.linkname))
        kind, content = tarfile.REGTYPE, other.content if other else f"link to {entry.linkname}"
    elif entry.isreg():
        opened = layer.extractfile(entry)
        kind, content = tarfile.REGTYPE, _hash(opened) if opened else ""
    elif entry.ischr() or entry.isblk():
        content = f"{entry.devmajor}:{entry.devminor}"
    return _Thing(
        kind, entry.mode & _MODE, (entry.uid, entry.gid), tuple(sorted(_xattrs(entry).items())), content
    )


def _hash(content: IO[bytes]) -> str:
    total = hashlib.sha256()
    while piece := content.read(1 << 20):
        total.update(piece)
    return total.hexdigest()


def _path(entry: tarfile.TarInfo) -> str:
    return _clean(entry.name)


def _clean(path: str) -> str:
    bare = path.removeprefix("./").strip("/")
    return "" if bare == "." else bare


def _xattrs(entry: tarfile.TarInfo) -> dict[str, str]:
    return {key: value for key, value in sorted(entry.pax_headers.items()) if key.startswith(XATTR)}


def _leaders(entries: dict[str, tarfile.TarInfo]) -> dict[str, tuple[str, ...]]:
    """For each path of a group of linked files the group, sorted, and behind it the path whose entry has the content.

    A link to a file of a layer below stays what it is.
    """
    groups: dict[str, list[str]] = {}
    for path, entry in entries.items():
        if entry.islnk():
            groups.setdefault(_clean(entry.linkname), []).append(path)
    found: dict[str, tuple[str, ...]] = {}
    for holder, links in groups.items():
        if holder in entries and entries[holder].isreg():
            group = (*sorted([holder, *links]), holder)
            found.update(dict.fromkeys(group, group))
    return found


def _canonical(entry: tarfile.TarInfo, path: str, epoch: int) -> tarfile.TarInfo:
    """Without names of owners, its time not after the epoch, of its extra fields the attributes alone."""
    clean = tarfile.TarInfo(path)
    clean.type, clean.linkname, clean.size = entry.type, entry.linkname, entry.size
    clean.mode, clean.uid, clean.gid = entry.mode & _MODE, entry.uid, entry.gid
    clean.devmajor, clean.devminor = entry.devmajor, entry.devminor
    clean.mtime = min(int(entry.mtime), epoch)
    clean.pax_headers = _xattrs(entry)
    return clean
