"""Which versions of packages a base's own package manager would install now: asked in a container of the base.

apt is asked for a simulation. microdnf, which is `dnf` on Amazon Linux, knows none: there the packages are installed
in the container, which is then thrown away. The scripts are templates/_shared/packages-*.sh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runtimebuilder import shipped
from runtimebuilder.engine.containers import Container, ContainerSpec, create_container
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError

_TIMEOUT = 900.0
_MARK = "@@"
_HINT = "a package's name may be wrong, or its repository cannot be reached from the engine"

Versions = Mapping[str, str]


def resolve(engine: Engine, image: str, manager: str, steps: Sequence[Sequence[str]]) -> tuple[Versions, ...]:
    """For steps that install one after the other: what each would install or renew, name → version, sorted.

    Raises `EnvironmentProblemError` (exit 4) when the package manager cannot: no such package, no repository.
    """
    words = [word for number, step in enumerate(steps) for word in (*(["--"] if number else []), *step)]
    before, *after = _lists(engine, image, manager, words, network="default")
    found = []
    for now in after:
        found.append({name: version for name, version in sorted(now.items()) if before.get(name) != version})
        before = now
    return tuple(found)


def installed(engine: Engine, image: str, manager: str) -> Versions:
    """All packages of the image, name → version, sorted. Raises as `resolve` does."""
    (found,) = _lists(engine, image, manager, (), network="none")
    return dict(sorted(found.items()))


def _lists(
    engine: Engine, image: str, manager: str, words: Sequence[str], *, network: str
) -> list[dict[str, str]]:
    what = f"the package manager of {image} could not resolve the packages"
    output = run_in(engine, image, package_script(manager), words, network=network, what=what, hint=_HINT)
    lists: list[dict[str, str]] = []
    for line in output.splitlines():
        if line == _MARK:
            lists.append({})
        elif line.strip():
            name, version = line.split(" ")[:2]
            lists[-1][name] = version
    return lists


def package_script(manager: str) -> str:
    """The script that lists packages and their versions with this package manager."""
    return shared_script(f"packages-{manager}.sh")


def shared_script(name: str) -> str:
    """The text of a script of templates/_shared, to be run in a container with `run_in`."""
    return (shipped.directory("templates") / "_shared" / name).read_text(encoding="utf-8")


def run_in(
    engine: Engine,
    image: str,
    script: str,
    arguments: Sequence[str] = (),
    *,
    network: str = "none",
    what: str,
    hint: str | None = None,
) -> str:
    """What a shell script prints in a container of the image, as root.

    Raises `EnvironmentProblemError` (exit 4), which says `what` went wrong and what the script said, when it fails.
    """
    container: Container = create_container(
        engine,
        ContainerSpec(
            image=image,
            entrypoint=["/bin/sh"],
            command=["-c", script, "sh", *arguments],
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
            what + (f" (exit code {code})" if code is not None else f" within {_TIMEOUT:.0f} s"),
            hint=hint,
            detail="\n".join(f"  {line}" for line in said.splitlines()[-8:]),
        )
    return output
