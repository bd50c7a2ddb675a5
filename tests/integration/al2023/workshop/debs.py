"""Debian packages in the workshop: what is installed, what was fetched, which libraries a package needs."""

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_VERSION = re.compile(r"^(?:\d+:)?(?P<upstream>.+?)(?:-[^-]+)?$")
_NOT_IN_RPM_VERSIONS = re.compile(r"[^A-Za-z0-9._]")


class WorkshopError(Exception):
    """The stand-in cannot be made from what Debian gave."""


@dataclass(frozen=True)
class Deb:
    """One fetched package file."""

    path: Path
    name: str
    version: str
    depends: str

    @property
    def rpm_version(self) -> str:
        """The version as `rpm_version` has it."""
        return rpm_version(self.version)

    def unpack(self, to: Path) -> Path:
        """Unpack the files below `to`/<name>, once; return that folder."""
        folder = to / self.name
        if not folder.is_dir():
            folder.mkdir(parents=True)
            run("dpkg-deb", "--extract", str(self.path), str(folder))
        return folder


class Debs:
    """The fetched packages together with those that are installed in the root."""

    def __init__(self, archives: Path, ignored: Iterable[str]) -> None:
        self._installed = _installed()
        # apt's folder may still hold what the root itself was made from.
        found = map(_read, sorted(archives.glob("*.deb")))
        self.fetched: Mapping[str, Deb] = {deb.name: deb for deb in found if deb.name not in self._installed}
        self._ignored = frozenset(ignored)

    def __getitem__(self, name: str) -> Deb:
        """Return the fetched package `name`; WorkshopError when it was not fetched."""
        try:
            return self.fetched[name]
        except KeyError:
            raise WorkshopError(f"Debian package {name} was not fetched") from None

    def libraries(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the fetched packages that `names` depend on directly, sorted.

        PHP's own packages and the ignored ones are left out.
        WorkshopError when a dependency is neither installed in the root nor fetched: the image would lack it.
        """
        found: set[str] = set()
        for name in names:
            for alternatives in filter(None, (part.strip() for part in self[name].depends.split(","))):
                choices = [re.split(r"[\s(:]", choice.strip())[0] for choice in alternatives.split("|")]
                if any(choice.startswith("php") or choice in self._ignored for choice in choices):
                    continue
                if fetched := [choice for choice in choices if choice in self.fetched]:
                    found.add(fetched[0])
                elif not any(choice in self._installed for choice in choices):
                    raise WorkshopError(f"{name} depends on {alternatives}, which is not there")
        return tuple(sorted(found))

    def closure(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return every library package that `names` need, directly or through others, sorted."""
        waiting = list(self.libraries(names))
        found: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.libraries([name]))
        return tuple(sorted(found))


def rpm_version(version: str) -> str:
    """Return the upstream part of a Debian version in RPM's letters: "1:8.2.36-1~deb12u1" -> "8.2.36"."""
    match = _VERSION.match(version)
    upstream = match["upstream"] if match else version
    return _NOT_IN_RPM_VERSIONS.sub(".", upstream.partition("+")[0])


def version_of_installed(name: str) -> str:
    """Return an installed package's Debian version."""
    return run("dpkg-query", "--show", "--showformat=${Version}", name)


def files_of_installed(name: str) -> tuple[Path, ...]:
    """Return the absolute paths of an installed package that are there and are no directories, sorted."""
    paths = (Path(line) for line in run("dpkg-query", "--listfiles", name).splitlines())
    # /bin itself is listed, and is a link to a directory; documentation is listed, and was never unpacked.
    return tuple(sorted(path for path in paths if not path.is_dir() and (path.exists() or path.is_symlink())))


def run(*command: str) -> str:
    """Run a program and return its stdout; WorkshopError with what it said when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise WorkshopError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _read(path: Path) -> Deb:
    form = "--showformat=${Package}\\n${Version}\\n${Depends}"
    name, version, depends = run("dpkg-deb", "--show", form, str(path)).split("\n", 2)
    return Deb(path, name, version, depends)


def _installed() -> frozenset[str]:
    names: set[str] = set()
    for line in run("dpkg-query", "--show", "--showformat=${Package}\\t${Provides}\\n").splitlines():
        name, _, provides = line.partition("\t")
        names.add(name)
        names.update(part.strip().partition(" ")[0] for part in provides.split(",") if part.strip())
    return frozenset(names)
