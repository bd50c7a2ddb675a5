"""A layer of an image as a tar: written in one canonical form, knowing what the layers below it have.

https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md
"""

from __future__ import annotations

import tarfile
from typing import IO

XATTR = "SCHILY.xattr."
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"


class LayerState:
    """The folders of the layers so far, and the rewriting of the next one."""

    def __init__(self) -> None:
        self._folders: dict[str, tuple[object, ...]] = {}

    def add(self, layer: tarfile.TarFile) -> None:
        """The layer is there as it is."""
        for entry in layer:
            self._see(entry)

    def rewrite(self, layer: tarfile.TarFile, target: IO[bytes], epoch: int) -> None:
        """Write the layer to `target` in canonical form, and add it.

        Entries are sorted by path; of files that are links to each other the first is the file; a folder that is as
        below is left out, unless something of it is hidden from below.
        """
        entries = {
            _path(entry): entry for entry in layer
        }  # a path that stands there twice: the later one counts
        leaders = _leaders(entries)
        opaque = {path.rpartition("/")[0] for path in entries if path.rpartition("/")[2] == _OPAQUE}
        hidden = {
            _joined(path.rpartition("/")[0], name.removeprefix(_WHITEOUT))
            for path in entries
            if (name := path.rpartition("/")[2]).startswith(_WHITEOUT)
        }
        with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as written:
            for path, entry in sorted(entries.items()):
                is_kept = path in opaque or path in hidden
                if entry.isdir() and not is_kept and self._folders.get(path) == _meta(entry):
                    continue
                clean = _canonical(entry, path, epoch)
                if path not in leaders:
                    content = layer.extractfile(entry) if entry.isreg() else None
                    written.addfile(clean, content)
                    continue
                first, holder = leaders[path]
                if path == first:
                    clean.type, clean.linkname, clean.size = tarfile.REGTYPE, "", entries[holder].size
                    written.addfile(clean, layer.extractfile(entries[holder]))
                else:
                    clean.type, clean.linkname, clean.size = tarfile.LNKTYPE, first, 0
                    written.addfile(clean)
        for entry in entries.values():
            self._see(entry)

    def _see(self, entry: tarfile.TarInfo) -> None:
        path = _path(entry)
        above, _, name = path.rpartition("/")
        if name == _OPAQUE:
            self._forget(above, itself=False)
        elif name.startswith(_WHITEOUT):
            self._forget(_joined(above, name.removeprefix(_WHITEOUT)), itself=True)
        elif entry.isdir():
            self._folders[path] = _meta(entry)
        else:
            self._forget(path, itself=True)  # a file where a folder was

    def _forget(self, folder: str, *, itself: bool) -> None:
        if itself and folder not in self._folders:
            return
        below = f"{folder}/"
        for path in [path for path in self._folders if path.startswith(below) or (itself and path == folder)]:
            del self._folders[path]


def _path(entry: tarfile.TarInfo) -> str:
    return entry.name.removeprefix("./").strip("/")


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _meta(entry: tarfile.TarInfo) -> tuple[object, ...]:
    return (entry.mode, entry.uid, entry.gid, tuple(sorted(_xattrs(entry).items())))


def _xattrs(entry: tarfile.TarInfo) -> dict[str, str]:
    return {key: value for key, value in sorted(entry.pax_headers.items()) if key.startswith(XATTR)}


def _leaders(entries: dict[str, tarfile.TarInfo]) -> dict[str, tuple[str, str]]:
    """For each path of a group of linked files: the first of the group, and the one whose entry holds the content.

    A link to a file of a layer below stays what it is.
    """
    groups: dict[str, list[str]] = {}
    for path, entry in entries.items():
        if entry.islnk():
            groups.setdefault(entry.linkname.removeprefix("./").strip("/"), []).append(path)
    found = {}
    for holder, links in groups.items():
        if holder in entries and entries[holder].isreg():
            group = sorted([holder, *links])
            found.update(dict.fromkeys(group, (group[0], holder)))
    return found


def _canonical(entry: tarfile.TarInfo, path: str, epoch: int) -> tarfile.TarInfo:
    """Without names of owners, its time not after the epoch, of its extra fields the attributes alone."""
    clean = tarfile.TarInfo(path)
    clean.type, clean.linkname, clean.size = entry.type, entry.linkname, entry.size
    clean.mode, clean.uid, clean.gid = entry.mode, entry.uid, entry.gid
    clean.devmajor, clean.devminor = entry.devmajor, entry.devminor
    clean.mtime = min(int(entry.mtime), epoch)
    clean.pax_headers = _xattrs(entry)
    return clean
