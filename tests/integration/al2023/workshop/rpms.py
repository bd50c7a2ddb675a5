"""The repository: Debian's files in Amazon Linux's places, packed as RPMs under Amazon Linux's names.

Places and module split: Amazon Linux 2023's packages php8.2-* (/usr/bin/php, /usr/sbin/php-fpm,
/etc/php.ini, /etc/php.d/NN-module.ini, /usr/lib64/php8.2/modules). Where Debian's php has other paths
compiled in, symbolic links lead from there to Amazon Linux's places.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .debs import Debs, WorkshopError, files_of_installed, rpm_version, run, version_of_installed
from .plan import BasePlan, Directory, Plan, RpmPlan

RELEASE = "1.standin"
_PECL_FIRST = ("apcu", "igbinary", "msgpack")
_NOT_PACKED = (
    "usr/share/doc/",
    "usr/share/man/",
    "usr/share/locale/",
    "usr/share/lintian/",
    "usr/share/bug/",
    "usr/bin/",
)


@dataclass(frozen=True, slots=True)
class Rpm:
    """What one %package section of the spec says."""

    name: str
    version: str
    summary: str
    files: tuple[str, ...] = ()
    directories: tuple[Directory, ...] = ()
    requires: tuple[str, ...] = ()
    requires_pre: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    pre: str = ""
    post: str = ""


def make_repository(plan: Plan, debs: Debs, *, own_files: Path, scratch: Path, repository: Path) -> None:
    """Make every RPM of `plan` and of the libraries behind it in `repository`, with its metadata."""
    builder = _Builder(plan, debs, own_files, scratch)
    rpms = [builder.php_or_tool(rpm) for rpm in plan.rpms]
    rpms += [builder.library(name) for name in debs.closure(name for rpm in plan.rpms for name in rpm.debs)]
    _rpmbuild(rpms, builder.tree, scratch / "repository", repository)
    run("createrepo_c", "--quiet", str(repository))


def make_base_database(base: BasePlan, *, scratch: Path, database: Path) -> None:
    """Make an RPM database in `database` with one entry that provides what provided:al2023 has."""
    provides = (
        *base.provides,
        f"system-release = {base.releasever}",
        f"system-release(releasever) = {base.releasever}",
    )
    rpm = Rpm(base.name, base.releasever, "Stand-in for the packages of provided:al2023", provides=provides)
    tree = scratch / "base-tree"
    tree.mkdir(parents=True)
    _rpmbuild([rpm], tree, scratch / "base", scratch / "base-rpms")
    (made,) = (scratch / "base-rpms").glob("*.rpm")
    run("rpm", "--dbpath", str(database), "--install", "--justdb", "--nodeps", str(made))


class _Builder:
    """Puts files into one tree, in Amazon Linux's places, and notes which RPM owns which."""

    def __init__(self, plan: Plan, debs: Debs, own_files: Path, scratch: Path) -> None:
        self._plan = plan
        self._debs = debs
        self._own_files = own_files
        self._unpacked = scratch / "debs"
        self._names = dict(plan.library_names)
        self.tree = scratch / "tree"
        self.tree.mkdir(parents=True)
        (compiled_in,) = (debs[f"php{plan.php}-common"].unpack(self._unpacked) / "usr/lib/php").glob("2*")
        self._api = compiled_in.name  # "20220829", in Debian's module path

    def php_or_tool(self, rpm: RpmPlan) -> Rpm:
        folders = [self._debs[name].unpack(self._unpacked) for name in rpm.debs]
        owned = [*self._modules(rpm, folders), *self._named_files(rpm, folders), *self._bridges(rpm.name)]
        owned += self._copied_from_root(rpm) + self._written_by_us(rpm.name)
        libraries = (self._rpm_name(name) for name in self._debs.libraries(rpm.debs))
        # A module that shares its Debian package with others inherits their libraries: harmless, and
        # exact enough.
        return Rpm(
            name=rpm.name,
            version=self._version(rpm),
            summary=rpm.summary,
            files=tuple(sorted(owned)),
            directories=rpm.directories,
            requires=tuple(sorted({*rpm.requires, *libraries})),
            requires_pre=rpm.requires_pre,
            pre=rpm.pre,
        )

    def library(self, name: str) -> Rpm:
        deb = self._debs[name]
        folder = deb.unpack(self._unpacked)
        owned: list[str] = []
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder).as_posix()
            if (path.is_dir() and not path.is_symlink()) or relative.startswith(_NOT_PACKED):
                continue
            owned.append(self._place(path, _amazon_place(relative)))
        return Rpm(
            name=self._rpm_name(name),
            version=deb.rpm_version,
            summary=f"Library (Debian's {name})",
            files=tuple(owned),
            requires=tuple(self._rpm_name(other) for other in self._debs.libraries([name])),
            post="/sbin/ldconfig",
        )

    def _modules(self, rpm: RpmPlan, folders: list[Path]) -> Iterator[str]:
        for module in rpm.modules:
            source = next(
                (f for folder in folders if (f := folder / f"usr/lib/php/{self._api}/{module}.so").is_file()),
                None,
            )
            if source is None:
                raise WorkshopError(f"{rpm.name}: none of {', '.join(rpm.debs)} holds the module {module}")
            yield self._place(source, f"usr/lib64/php{self._plan.php}/modules/{module}.so")
            kind = "zend_extension" if module == "opcache" else "extension"
            yield self._write(f"etc/php.d/{_order(module)}-{module}.ini", f"{kind}={module}\n")

    def _named_files(self, rpm: RpmPlan, folders: list[Path]) -> Iterator[str]:
        for source, target in rpm.files:
            (found,) = (folder / source for folder in folders if (folder / source).exists())
            yield self._place(found, target)

    def _bridges(self, name: str) -> Iterator[str]:
        debian, version = f"etc/php/{self._plan.php}", self._plan.php
        if name == f"php{version}-common":
            yield self._link(f"usr/lib/php/{self._api}", f"/usr/lib64/php{version}/modules")
        for program in ("cli", "fpm"):
            if name == f"php{version}-{program}":
                yield self._link(f"{debian}/{program}/php.ini", "/etc/php.ini")
                yield self._link(f"{debian}/{program}/conf.d", "/etc/php.d")
        if name == f"php{version}-fpm":
            yield self._link(f"{debian}/fpm/php-fpm.conf", "/etc/php-fpm.conf")

    def _copied_from_root(self, rpm: RpmPlan) -> list[str]:
        return [
            self._place(path, path.relative_to("/").as_posix())
            for name in rpm.from_root
            for path in files_of_installed(name)
        ]

    def _written_by_us(self, name: str) -> list[str]:
        folder = self._own_files / name
        return [
            self._place(path, path.relative_to(folder).as_posix())
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        ]

    def _version(self, rpm: RpmPlan) -> str:
        if rpm.from_root:
            return rpm_version(version_of_installed(rpm.from_root[0]))
        return self._debs[rpm.debs[0] if rpm.debs else f"php{self._plan.php}-cli"].rpm_version

    def _rpm_name(self, deb: str) -> str:
        return self._names.get(deb, deb)

    def _place(self, source: Path, target: str) -> str:
        # The tree is a merged-/usr one, as both distributions are.
        target = f"usr/{target}" if target.startswith(("bin/", "sbin/", "lib/", "lib64/")) else target
        to = self._new(target)
        shutil.copy2(source, to, follow_symlinks=False)
        return f"/{target}"

    def _write(self, target: str, text: str) -> str:
        self._new(target).write_text(text, encoding="utf-8")
        return f"/{target}"

    def _link(self, target: str, to: str) -> str:
        self._new(target).symlink_to(to)
        return f"/{target}"

    def _new(self, target: str) -> Path:
        to = self.tree / target
        to.parent.mkdir(parents=True, exist_ok=True)
        if to.exists() or to.is_symlink():
            raise WorkshopError(f"two packages want /{target}")
        return to


def _order(module: str) -> str:
    """Return the number before the module's ini file, as Amazon Linux's packages have it."""
    if module == "opcache":
        return "10"
    if module in _PECL_FIRST:
        return "40"
    if module == "redis":
        return "50"
    return "30" if module.startswith("pdo_") or module in ("mysqli", "xmlreader") else "20"


def _amazon_place(relative: str) -> str:
    """Move Debian's multiarch library folder to /usr/lib64."""
    parts = relative.removeprefix("usr/").split("/")
    if parts[0] == "lib" and len(parts) > 1 and parts[1].endswith("-linux-gnu"):
        return "/".join(["usr", "lib64", *parts[2:]])
    return relative


def _rpmbuild(rpms: Iterable[Rpm], tree: Path, work: Path, repository: Path) -> None:
    work.mkdir(parents=True, exist_ok=True)
    repository.mkdir(parents=True, exist_ok=True)
    lines = [
        "%global debug_package %{nil}",
        "%global __os_install_post %{nil}",
        "%global _build_id_links none",
        "%global _unpackaged_files_terminate_build 0",
        "%global _binary_payload w1.gzdio",  # the image is thrown away: quick beats small
        "Name: stand-in",
        "Version: 1",
        f"Release: {RELEASE}",
        "Summary: Debian's files under Amazon Linux's names, for tests",
        "License: see the Debian packages",
        "AutoReqProv: no",
        "%description",
        "For tests only.",
        "%install",
        f"mkdir -p %{{buildroot}} && cp -a {tree}/. %{{buildroot}}/",
    ]
    for rpm in rpms:
        lines += _section(rpm)
        made = (f"mkdir -p %{{buildroot}}{directory.path}" for directory in rpm.directories)
        lines[lines.index("%install") + 2 : lines.index("%install") + 2] = made
    spec = work / "stand-in.spec"
    spec.write_text("\n".join(lines) + "\n", encoding="utf-8")
    defines = {
        "_topdir": work,
        "_rpmdir": repository,
        "_build_name_fmt": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
    }
    options = [part for key, value in defines.items() for part in ("--define", f"{key} {value}")]
    run("rpmbuild", "-bb", "--quiet", *options, str(spec))


def _section(rpm: Rpm) -> list[str]:
    lines = [
        f"%package -n {rpm.name}",
        f"Version: {rpm.version}",
        f"Summary: {rpm.summary}",
        "AutoReqProv: no",
        *(f"Provides: {name}" for name in rpm.provides),
        *(f"Requires: {name}" for name in rpm.requires),
        *(f"Requires(pre): {name}" for name in rpm.requires_pre),
        f"%description -n {rpm.name}",
        "Made from Debian's package for tests; not Amazon's.",
    ]
    if rpm.pre:
        lines += [f"%pre -n {rpm.name}", rpm.pre.strip()]
    if rpm.post:
        lines += [f"%post -n {rpm.name} -p {rpm.post}"]
    lines += [f"%files -n {rpm.name}", "%defattr(-,root,root,-)"]
    lines += [f"%attr({d.mode},{d.owner},{d.group}) %dir {d.path}" for d in rpm.directories]
    lines += [f'%config(noreplace) "{path}"' if _is_config(path) else f'"{path}"' for path in rpm.files]
    return lines


def _is_config(path: str) -> bool:
    return path.startswith("/etc/") and path.endswith((".ini", ".conf"))
