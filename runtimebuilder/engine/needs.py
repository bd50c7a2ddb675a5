"""Which libraries a runtime needs, told by what its programs are linked with, and which packages it does not.

From the runtime's own files, PHP and its extensions, and the shells that scripts name, links are followed from library
to library. What a program loads by name, or starts, does not show in links.
"""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from runtimebuilder.engine.containers import ContainerSpec, create_container
from runtimebuilder.engine.contents import PackageFact
from runtimebuilder.engine.docker import Engine

_ROOTS = re.compile(
    r"/(?:var/runtime|var/lang|var/task|opt)/.+|/lambda-entrypoint\.sh"
    r"|/usr/s?bin/php[\w.-]*|/usr/lib(?:64)?/php[\w.-]*/.+\.so"
)
_LISTS = re.compile(r"/var/lib/dpkg/info/(?P<package>[^/:]+)(?::[a-z0-9]+)?\.list")
_SHEBANG = re.compile(rb"#!\s*(\S+)(?:\s+(\S+))?")
_MAX_LINKS = 40


@dataclass(frozen=True)
class Needs:
    """What links tell.

    `programs`: where they were followed from; `libraries`: paths that were reached; `missing`: names of libraries that
    are nowhere in the image; `packages`: those that own any of these; `idle`: packages with programs or libraries of
    which none was reached, the largest first. The last two are empty where no database says whose a file is.
    """

    programs: tuple[str, ...]
    libraries: tuple[str, ...]
    missing: tuple[str, ...]
    packages: tuple[str, ...]
    idle: tuple[PackageFact, ...]


@dataclass
class _Files:
    """What was read of an image: who needs what, where links lead, whose a file is."""

    needs: dict[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # program or library → names of libraries, or paths
    links: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)

    def real(self, path: str) -> str:
        """Where the path leads when links in it are followed."""
        for _ in range(_MAX_LINKS):
            parts = path.strip("/").split("/")
            for end in range(1, len(parts) + 1):
                above = "/" + "/".join(parts[:end])
                if above in self.links:
                    target = posixpath.join(posixpath.dirname(above), self.links[above])
                    path = posixpath.normpath(posixpath.join(target, *parts[end:]))
                    break
            else:
                return path
        return path


def image_needs(engine: Engine, image: str, packages: Iterable[PackageFact]) -> Needs:
    """Read all of `image` and follow its links. Raises `EngineError` (exit 4)."""
    container = create_container(engine, ContainerSpec(image=image, entrypoint=["/none"]))
    try:
        files = _read(container.contents("/", lambda _: True))
    finally:
        container.remove()
    return follow(files.needs, files.links, files.owners, packages)


def _read(contents: Iterator[tuple[tarfile.TarInfo, bytes]]) -> _Files:
    files = _Files()
    for entry, data in contents:
        path = "/" + entry.name.removeprefix("./").strip("/")
        if entry.issym():
            files.links[path] = entry.linkname
        elif listed := _LISTS.fullmatch(path):
            files.owners.update(
                dict.fromkeys(data.decode("utf-8", "replace").splitlines(), listed["package"])
            )
        elif data.startswith(b"\x7fELF"):
            files.needs[path] = _linked(data)
        elif data.startswith(b"#!") and (said := _SHEBANG.match(data)):
            words = [word.decode("utf-8", "replace") for word in said.groups() if word]
            files.needs[path] = tuple(word for word in words if word.startswith("/"))
    return files


def _linked(data: bytes) -> tuple[str, ...]:
    """The libraries that an ELF file names, and its interpreter's path; () for one that cannot be read."""
    found: list[str] = []
    try:
        elf = ELFFile(io.BytesIO(data))
        found += [segment.data().rstrip(b"\0").decode() for segment in elf.iter_segments("PT_INTERP")]
        section = elf.get_section_by_name(".dynamic")
        if isinstance(section, DynamicSection):
            # pyelftools sets the name on the tag itself.
            found += [str(vars(tag)["needed"]) for tag in section.iter_tags("DT_NEEDED")]
    except (ELFError, OSError, ValueError, UnicodeDecodeError):
        return ()
    return tuple(found)


def follow(
    needs: Mapping[str, tuple[str, ...]],
    links: Mapping[str, str],
    owners: Mapping[str, str],
    packages: Iterable[PackageFact],
) -> Needs:
    """See `image_needs`. `needs`: what each program, library and script names; `owners`: whose a path is."""
    files = _Files(dict(needs), dict(links))
    real_owners = {files.real(path): package for path, package in owners.items()}
    by_name: dict[str, str] = {}
    for path in sorted({*needs, *links}):
        by_name.setdefault(posixpath.basename(path), files.real(path))
    roots = sorted(path for path in needs if _ROOTS.fullmatch(path))
    reached: set[str] = set()
    missing: set[str] = set()
    waiting = list(roots)
    while waiting:
        path = files.real(waiting.pop())
        if path in reached:
            continue
        reached.add(path)
        for name in files.needs.get(path, ()):
            found = files.real(name) if name.startswith("/") else by_name.get(name)
            if found is None or found not in files.needs:
                missing.add(name)
            else:
                waiting.append(found)
    used = {real_owners[path] for path in reached if path in real_owners}
    with_programs = {real_owners[path] for path in needs if path in real_owners}
    return Needs(
        programs=tuple(roots),
        libraries=tuple(sorted(reached - {files.real(path) for path in roots})),
        missing=tuple(sorted(missing)),
        packages=tuple(sorted(used)),
        idle=tuple(
            sorted(
                (one for one in packages if one.name in with_programs - used),
                key=lambda one: (-one.size, one.name),
            )
        ),
    )
