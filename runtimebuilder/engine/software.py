"""Which software is in an image, told by its own databases: dpkg's, rpm's, Composer's, and files with their hashes."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runtimebuilder.engine import dpkg
from runtimebuilder.engine.containers import Container, ContainerSpec, create_container
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.packages import run_in, shared_script

_RPM = ("/var/lib/rpm", "/usr/lib/sysimage/rpm")
_COMPOSER = "/var/task/vendor/composer/installed.json"
_CLIENT = "/var/runtime"
# Where PHP keeps modules: Debian's packages, Amazon's, and a PHP that was compiled for the image.
_MODULES = ("/usr/lib/php", "/usr/lib64/php", "/usr/lib64/php-zts", "/var/lang/lib/php/extensions")
_PHP = "/var/lang/bin/php"
# A line `License: NAME` of Debian's machine-readable copyright files:
# https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
_LICENCE = re.compile(r"^License:[ \t]*(\S[^\n]*)$", re.MULTILINE)


@dataclass(frozen=True, order=True)
class InstalledPackage:
    """A package of the distribution. `licences`: as the package writes them, sorted; () where it does not say.

    `version` without the epoch of an RPM, which is in `epoch`; Debian's has it in the version.
    """

    name: str
    version: str
    architecture: str
    epoch: str = ""
    source: str = ""
    licences: tuple[str, ...] = ()


@dataclass(frozen=True, order=True)
class HashedFile:
    """A file of the image: absolute path, hashes as hexadecimal."""

    path: str
    sha1: str
    sha256: str


@dataclass(frozen=True)
class Software:
    """What was found. `manager`: "apt", "dnf" or ""; `distribution`: of os-release, its ID and VERSION_ID.

    `client`: the files of /var/runtime. `modules`: PHP's modules that no package owns, and a PHP in /var/lang.
    `composer`: the text of /var/task's installed.json; None without one.
    """

    manager: str
    distribution: tuple[str, str]
    packages: tuple[InstalledPackage, ...]
    client: tuple[HashedFile, ...]
    modules: tuple[HashedFile, ...]
    composer: str | None


def installed_software(engine: Engine, image: str) -> Software:
    """Look into `image`; nothing of it is run, but for rpm where it is an RPM image.

    Raises `EngineError` (exit 4) when the engine does not have it, `EnvironmentProblemError` when its rpm fails.
    """
    container = create_container(engine, ContainerSpec(image=image, entrypoint=["/none"]))
    try:
        release = _os_release(
            _text(container, "/usr/lib/os-release") or _text(container, "/etc/os-release") or ""
        )
        status = dpkg.status_of(container)
        manager, packages, owned = "", [], set[str]()
        if status is not None:
            manager = "apt"
            packages = list(_of_dpkg(status, dict(_copyrights(container))))
            owned = _owned_by_dpkg(container)
        elif any(container.get_archive(place, limit=1) is not None for place in _RPM):
            manager = "dnf"
            what = f"rpm cannot list the packages of {image}"
            packages, owned = _of_rpm(run_in(engine, image, shared_script("rpm-software.sh"), what=what))
        modules = [
            file
            for place in (*_MODULES, _PHP)
            for file in _hashed(container, place)
            if (file.path.endswith(".so") or file.path == _PHP) and file.path not in owned
        ]
        return Software(
            manager,
            release,
            tuple(sorted(packages)),
            tuple(sorted(_hashed(container, _CLIENT))),
            tuple(sorted(modules)),
            _text(container, _COMPOSER),
        )
    finally:
        container.remove()


def _contents(container: Container, path: str) -> Iterator[tuple[str, bytes]]:
    """Regular files at `path` and below it, by their absolute paths."""
    archive = container.get_archive(path)
    if archive is None:
        return
    above = path.rpartition("/")[0]
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for entry in opened:
            file = opened.extractfile(entry) if entry.isreg() else None
            if file is not None:
                yield f"{above}/{entry.name}", file.read()


def _text(container: Container, path: str) -> str | None:
    return next((data.decode("utf-8", "replace") for _, data in _contents(container, path)), None)


def _hashed(container: Container, path: str) -> Iterator[HashedFile]:
    for name, data in _contents(container, path):
        yield HashedFile(
            name, hashlib.sha1(data, usedforsecurity=False).hexdigest(), hashlib.sha256(data).hexdigest()
        )


def _os_release(text: str) -> tuple[str, str]:
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return found.get("ID", "").strip("\"'"), found.get("VERSION_ID", "").strip("\"'")


def _copyrights(container: Container) -> Iterator[tuple[str, tuple[str, ...]]]:
    for path, data in _contents(container, "/usr/share/doc"):
        package, _, file = path.removeprefix("/usr/share/doc/").partition("/")
        if file == "copyright":
            found = {name.strip() for name in _LICENCE.findall(data.decode("utf-8", "replace"))}
            yield package, tuple(sorted(found))


def _owned_by_dpkg(container: Container) -> set[str]:
    return {
        line
        for path, data in _contents(container, "/var/lib/dpkg/info")
        if path.endswith(".list")
        for line in data.decode("utf-8", "replace").splitlines()
    }


def _of_dpkg(text: str, licences: Mapping[str, tuple[str, ...]]) -> Iterator[InstalledPackage]:
    for fields in dpkg.installed(text):
        name = fields["Package"]
        yield InstalledPackage(
            name,
            fields["Version"],
            fields.get("Architecture", ""),
            source=fields.get("Source", "").partition(" ")[0],
            licences=licences.get(name, ()),
        )


def _of_rpm(text: str) -> tuple[list[InstalledPackage], set[str]]:
    """Packages, and the files that they own, of what rpm-software.sh prints."""
    listed, _, files = text.partition("@@\n")
    packages = []
    for line in listed.splitlines():
        name, epoch, version, architecture, licence, source = line.split("\t")
        if name != "gpg-pubkey":  # a key, not a package
            packages.append(
                InstalledPackage(name, version, architecture, epoch, source, (licence,) if licence else ())
            )
    return packages, set(files.splitlines())
