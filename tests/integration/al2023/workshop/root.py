"""The stand-in's root file system as a tar.

Debian's libraries, and of the programs those that provided:al2023 is known to have: a list of what stays, not
of what goes, so that a Dockerfile which works here needs nothing else from the real image. dnf is a Python
program, and the real image has no Python: the interpreter lies outside PATH, for dnf alone.
"""

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from .debs import files_of_installed
from .plan import BasePlan

PRIVATE = "usr/libexec/stand-in"
REPOSITORY = "usr/share/stand-in/repository"

_FOLDERS = (
    ("boot", 0o755), ("dev", 0o755), ("etc", 0o755), ("home", 0o755), ("media", 0o755), ("mnt", 0o755),
    ("opt", 0o755), ("proc", 0o555), ("root", 0o550), ("run", 0o755), ("srv", 0o755), ("sys", 0o555),
    ("tmp", 0o1777), ("usr", 0o755), ("usr/bin", 0o755), ("usr/lib", 0o755), ("usr/lib64", 0o755),
    ("usr/libexec", 0o755), (PRIVATE, 0o755), ("usr/local", 0o755), ("usr/local/bin", 0o755),
    ("usr/sbin", 0o755), ("usr/share", 0o755), ("var", 0o755), ("var/cache", 0o755), ("var/lib", 0o755),
    ("var/lib/rpm", 0o755), ("var/log", 0o755), ("var/runtime", 0o755), ("var/task", 0o755),
    ("var/tmp", 0o1777),
)  # fmt: skip
_LINKS = (
    ("bin", "usr/bin"), ("lib", "usr/lib"), ("lib64", "usr/lib64"), ("sbin", "usr/sbin"),
    ("usr/bin/awk", "gawk"), ("usr/bin/dnf", "microdnf"), ("usr/bin/sh", "bash"), ("var/run", "../run"),
)  # fmt: skip
# Of /etc and /usr/share what libraries, dnf and rpm read.
_SETTINGS = (
    "dnf", "gai.conf", "gss", "host.conf", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "libaudit.conf",
    "libreport", "localtime", "magic", "magic.mime", "mime.types", "nsswitch.conf", "profile", "security",
    "shells", "ssl", "terminfo", "xattr.conf",
)  # fmt: skip
_SHARED = ("awk", "ca-certificates", "file", "misc", "stand-in", "tabset", "terminfo", "zoneinfo")
# Of /usr/lib what belongs to Debian's own package management, to Perl and to a machine that boots.
_LIBRARIES_THAT_GO = ("apt", "dpkg", "init", "lsb", "systemd", "sysctl.d", "tmpfiles.d", "udev")
_ARCH_LIBRARIES_THAT_GO = ("e2fsprogs", "libapt-", "libperl", "perl")


def write_root(base: BasePlan, *, overlay: Path, database: Path, target: Path) -> None:
    """Write the root file system to `target`, an uncompressed tar."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, mode in _FOLDERS:
            _add_folder(tar, name, mode)
        for name, to in _LINKS:
            _add_link(tar, name, to)
        laid_over = {path.relative_to(overlay).as_posix() for path in overlay.rglob("*") if path.is_file()}
        taken = {name for name, _ in (*_FOLDERS, *_LINKS)} | laid_over
        for path, name in _from_workshop(base):
            if name not in taken:
                tar.add(path, name, recursive=False)
                taken.add(name)
        for path in sorted(database.iterdir()):
            tar.add(path, f"var/lib/rpm/{path.name}")
        for path in sorted(overlay.rglob("*")):
            _add_ours(tar, path, path.relative_to(overlay).as_posix())


def _from_workshop(base: BasePlan) -> Iterator[tuple[Path, str]]:
    """Yield (file here, name in the image)."""
    for program in _programs(base):
        yield program, program.relative_to("/").as_posix()
    yield Path("/usr/bin/python3").resolve(), f"{PRIVATE}/python3"
    yield Path("/usr/bin/dnf-3").resolve(), f"{PRIVATE}/dnf.py"
    for name in _SETTINGS:
        yield from _tree(Path("/etc") / name)
    for name in _SHARED:
        yield from _tree(Path("/usr/share") / name)
    yield from _tree(Path("/usr/lib64"))
    for path in sorted(Path("/usr/lib").iterdir()):
        if path.name in _LIBRARIES_THAT_GO:
            continue
        if path.name.endswith("-linux-gnu"):
            yield path, path.relative_to("/").as_posix()
            for library in sorted(path.iterdir()):
                if not library.name.startswith(_ARCH_LIBRARIES_THAT_GO):
                    yield from _tree(library)
        else:
            yield from _tree(path)


def _programs(base: BasePlan) -> Iterator[Path]:
    folders = (Path("/usr/bin"), Path("/usr/sbin"))
    for package in base.programs_of:
        for path in files_of_installed(package):
            real = Path("/usr") / path.relative_to("/") if path.parts[1] in ("bin", "sbin") else path
            if real.parent in folders:
                yield real
    for name in base.programs:
        found = [folder / name for folder in folders if (folder / name).exists()]
        if not found and not any(link == f"usr/bin/{name}" for link, _ in _LINKS):
            raise FileNotFoundError(f"the workshop has no program {name}")
        yield from found


def _tree(top: Path) -> Iterator[tuple[Path, str]]:
    if not top.exists() and not top.is_symlink():
        return
    yield top, top.relative_to("/").as_posix()
    if top.is_symlink() or not top.is_dir():
        return
    for folder, folders, files in os.walk(top):
        folders.sort()
        for name in sorted([*folders, *files]):
            path = Path(folder) / name
            yield path, path.relative_to("/").as_posix()


def _add_folder(tar: tarfile.TarFile, name: str, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.DIRTYPE
    entry.mode = mode
    tar.addfile(entry)


def _add_link(tar: tarfile.TarFile, name: str, to: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.SYMTYPE
    entry.linkname = to
    tar.addfile(entry)


def _add_ours(tar: tarfile.TarFile, path: Path, name: str) -> None:
    if path.is_dir():
        return
    entry = tarfile.TarInfo(name)
    entry.size = path.stat().st_size
    entry.mode = 0o755 if os.access(path, os.X_OK) else 0o644
    if path.name in ("shadow", "gshadow"):
        entry.mode = 0o600
    with path.open("rb") as content:
        tar.addfile(entry, content)
