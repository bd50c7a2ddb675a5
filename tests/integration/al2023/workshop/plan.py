"""packages.toml as frozen values: what the stand-in's repository and its base root are to hold.

Read on both sides: the host asks it which Debian packages to fetch, the workshop (the Debian 12 root in
which the stand-in is made, Python 3.11 without any package) builds from it.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory an RPM owns."""

    path: str
    mode: str
    owner: str
    group: str


@dataclass(frozen=True, slots=True)
class RpmPlan:
    """One RPM to be made from Debian packages; the fields are explained at the top of packages.toml."""

    name: str
    summary: str
    debs: tuple[str, ...]
    modules: tuple[str, ...]
    builtin: tuple[str, ...]
    files: tuple[tuple[str, str], ...]
    from_root: tuple[str, ...]
    requires: tuple[str, ...]
    requires_pre: tuple[str, ...]
    pre: str
    directories: tuple[Directory, ...]


@dataclass(frozen=True, slots=True)
class BasePlan:
    """What the base root file system says it has, and which programs stay in it."""

    name: str
    provides: tuple[str, ...]
    releasever: str
    programs_of: tuple[str, ...]
    programs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole of packages.toml."""

    php: str
    rpms: tuple[RpmPlan, ...]
    library_names: tuple[tuple[str, str], ...]
    ignored_debs: tuple[str, ...]
    base: BasePlan

    @classmethod
    def load(cls, path: Path) -> "Plan":
        """Read `path`; KeyError for what is missing, TypeError for a key nobody knows."""
        text = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(
            php=text["php"],
            rpms=tuple(_rpm(entry) for entry in text["rpm"]),
            library_names=tuple(sorted(text["library_names"].items())),
            ignored_debs=tuple(text["ignore"]["debs"]),
            base=BasePlan(**{key: _frozen(value) for key, value in text["base"].items()}),
        )

    def wanted_debs(self) -> tuple[str, ...]:
        """Return the Debian packages to fetch, with everything they depend on.

        systemd-standalone-tmpfiles stands in the place of systemd, which php8.2-fpm would bring otherwise.
        """
        names = {name for rpm in self.rpms for name in rpm.debs}
        return (*sorted(names), "systemd-standalone-tmpfiles")


def _rpm(entry: dict[str, Any]) -> RpmPlan:
    values: dict[str, Any] = {
        "debs": (),
        "modules": (),
        "builtin": (),
        "from_root": (),
        "requires": (),
        "requires_pre": (),
        "pre": "",
        **{key: _frozen(value) for key, value in entry.items()},
        "files": tuple(sorted(entry.get("files", {}).items())),
        "directories": tuple(Directory(*row) for row in entry.get("directories", [])),
    }
    return RpmPlan(**values)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
