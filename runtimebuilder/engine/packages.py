"""Which versions of packages a base's own package manager would install now: asked in a container of the base.

apt is asked for a simulation. microdnf, which is `dnf` on Amazon Linux, knows none: there the packages are installed
in the container, which is then thrown away.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from runtimebuilder.engine.containers import Container, ContainerSpec, create_container
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError

_TIMEOUT = 900.0
_MARK = "@@"
_LIST = {
    "apt": "dpkg-query -W -f '${Package} ${Version}\\n'",
    # An epoch of 0 is none; gpg-pubkey are keys, not packages.
    "dnf": "rpm -qa --qf '%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\\n' | grep -v '^gpg-pubkey '",
}

Versions = Mapping[str, str]


def resolve(engine: Engine, image: str, manager: str, steps: Sequence[Sequence[str]]) -> tuple[Versions, ...]:
    """For steps that install one after the other: what each would install or renew, name → version, sorted.

    Raises `EnvironmentProblemError` (exit 4) when the package manager cannot: no such package, no repository.
    """
    script = _apt(steps) if manager == "apt" else _dnf(steps)
    output = run_in(engine, image, script)
    parts: list[dict[str, str]] = []
    for line in output.splitlines():
        if line.startswith(_MARK):
            parts.append({})
        elif parts and line.strip():
            name, _, version = line.strip().partition(" ")
            parts[-1][name] = version
    found = []
    before = parts[0]
    for after in parts[1:]:
        found.append(
            {name: version for name, version in sorted(after.items()) if before.get(name) != version}
        )
        before = after
    return tuple(found)


def installed(engine: Engine, image: str, manager: str) -> Versions:
    """All packages of the image, name → version, sorted. Raises as `resolve` does."""
    lines = run_in(engine, image, f"{_LIST[manager]}\n").splitlines()
    pairs = (line.strip().partition(" ") for line in lines if line.strip())
    return dict(sorted((name, version) for name, _, version in pairs))


def _words(names: Sequence[str]) -> str:
    return " ".join(shlex.quote(name) for name in names)


def _apt(steps: Sequence[Sequence[str]]) -> str:
    """Each simulation is of all steps so far; what it prints is added to nothing installed."""
    lines = ["set -eu", "apt-get update -qq >&2", f"echo {_MARK}"]
    names: list[str] = []
    for step in steps:
        names += step
        lines += [
            # Into a file: a pipe would hide that it failed.
            f"apt-get install -s --no-install-recommends {_words(names)} >/tmp/simulated",
            f"echo {_MARK}",
            "sed -n 's/^Inst \\([^ :]*\\)[^ ]* .*(\\([^ ]*\\) .*/\\1 \\2/p' /tmp/simulated",
        ]
    return "\n".join(lines) + "\n"


def _dnf(steps: Sequence[Sequence[str]]) -> str:
    lines = ["set -eu", f"echo {_MARK}", _LIST["dnf"]]
    for step in steps:
        install = "dnf install -y --setopt=install_weak_deps=0 --setopt=tsflags=nodocs"
        lines += [f"{install} {_words(step)} >&2" if step else ":", f"echo {_MARK}", _LIST["dnf"]]
    return "\n".join(lines) + "\n"


def run_in(engine: Engine, image: str, script: str, *, network: str = "default") -> str:
    """What a shell script prints in a container of the image, as root. Raises as `resolve` does."""
    container: Container = create_container(
        engine,
        ContainerSpec(
            image=image,
            entrypoint=["/bin/sh"],
            command=["-c", script],
            user="0",
            network_mode=network,
            env={"DEBIAN_FRONTEND": "noninteractive"},
        ),
    )
    try:
        container.start()
        code = container.wait(_TIMEOUT)
        output = container.logs(stdout=True, stderr=False).decode("utf-8", "replace")
        said = container.logs(stdout=False, stderr=True).decode("utf-8", "replace")
    finally:
        container.remove()
    if code != 0:
        raise EnvironmentProblemError(
            f"the package manager of {image} could not resolve the packages"
            + (f" (exit code {code})" if code is not None else f" within {_TIMEOUT:.0f} s"),
            hint="a package's name may be wrong, or its repository cannot be reached from the engine",
            detail="\n".join(f"  {line}" for line in said.splitlines()[-8:]),
        )
    return output
