"""What this machine has, what it lacks, and the remedy for each."""

from __future__ import annotations

import enum
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from runtimebuilder.build.run import ROOM_NEEDED
from runtimebuilder.engine import buildx
from runtimebuilder.engine.bases import registry_problem
from runtimebuilder.engine.disk import room
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.emulation import runnable
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.sandbox.link import choose_link, namespace_link_problem
from runtimebuilder.sandbox.run import sweep
from runtimebuilder.spec.catalog import Catalog


class Health(enum.StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"  # works, with less
    PROBLEM = "problem"  # build or verify cannot work


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    subject: str
    health: Health
    text: str
    remedy: str | None = None


# No run takes this long (seconds): what is older was left by one that was killed.
ABANDONED = 3600.0


def examine(*, clean: bool = False) -> tuple[Finding, ...]:
    """Look at everything; one thing that fails does not hide the others. `clean` removes what killed runs left."""
    findings = [_python()]
    try:
        engine = Engine.connect()
    except EnvironmentProblemError as error:
        findings.append(Finding("engine", Health.PROBLEM, error.message, error.hint))
        findings += [_buildx(), _mmdebstrap()]
        return tuple(findings)
    checks: tuple[Callable[[], Iterable[Finding]], ...] = (
        lambda: _engine(engine),
        lambda: [_platforms(engine)],
        lambda: [_buildx()],
        lambda: _disk(engine),
        lambda: [_link(engine)],
        lambda: _bases(engine),
        lambda: [_mmdebstrap()],
        lambda: [_leftovers(engine, clean=clean)],
    )
    for check in checks:
        findings.extend(check())
    return tuple(findings)


def _python() -> Finding:
    text = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", Health.OK, text)


def _engine(engine: Engine) -> Iterable[Finding]:
    facts = engine.ping()
    yield Finding(
        "engine",
        Health.OK,
        f"Docker {facts.version}, API {facts.api_version}, {facts.platform}, cgroup v{facts.cgroup_version}",
    )
    if facts.rootless:
        yield Finding(
            "rootless",
            Health.WARNING,
            "the engine runs without root: some limits may not take effect",
            "use a rootful engine for verify",
        )


def _platforms(engine: Engine) -> Finding:
    own = engine.ping().platform
    others = [one for one in runnable(engine) if one != own]
    if others:
        return Finding("platforms", Health.OK, f"{own}, and {', '.join(others)} by emulation")
    return Finding("platforms", Health.OK, f"{own} alone; docs/platforms.md tells how to build for others")


def _buildx() -> Finding:
    found = buildx.find()
    if found:
        return Finding("buildx", Health.OK, f"{found[1]} ({' '.join(found[0])})")
    return Finding(
        "buildx",
        Health.WARNING,
        "none: builds use the deprecated classic builder",
        "install the docker-buildx package (Docker's own: docker-buildx-plugin)",
    )


def _disk(engine: Engine) -> Iterable[Finding]:
    there = room(engine)
    if there is None:
        yield Finding("disk", Health.OK, "the engine's disk cannot be seen from here")
        return
    text = f"{there.free / 1e9:.1f} GB free in {there.folder}"
    if there.free < ROOM_NEEDED:
        yield Finding(
            "disk", Health.PROBLEM, text, "free some room: `docker system df`, `docker builder prune`"
        )
    else:
        yield Finding("disk", Health.OK, text)


def _link(engine: Engine) -> Finding:
    problem = namespace_link_problem(engine)
    if problem is None:
        return Finding(
            "box link",
            Health.OK,
            "namespace: the Runtime API is at 127.0.0.1:9001 in a box without a network, as on Lambda",
        )
    found = choose_link(engine)
    return Finding(
        "box link",
        Health.WARNING,
        f"{found.name}: {found.describe()} ({problem})",
        "run verify as root beside a local engine to have 127.0.0.1:9001",
    )


def _bases(engine: Engine) -> Iterable[Finding]:
    for base in Catalog.load().bases.values():
        if base.image is None:
            continue
        if engine.image(base.image):
            yield Finding(f"base {base.name}", Health.OK, f"{base.image} is in the engine")
        elif problem := registry_problem(engine, base.image):
            yield Finding(
                f"base {base.name}",
                Health.WARNING,
                f"{base.image}: {problem}",
                "use --mirror, or build with --base auto on a base made here",
            )
        else:
            yield Finding(f"base {base.name}", Health.OK, f"{base.image} can be pulled")


def _leftovers(engine: Engine, *, clean: bool) -> Finding:
    found = sweep(engine, older_than=ABANDONED, count_only=not clean)
    if not found:
        return Finding("leftovers", Health.OK, "none")
    things = f"{found} containers, images, volumes or networks of runs that were killed"
    if clean:
        return Finding("leftovers", Health.OK, f"removed {things}")
    return Finding("leftovers", Health.WARNING, things, "runtimebuilder doctor --clean removes them")


def _mmdebstrap() -> Finding:
    if shutil.which("mmdebstrap") is None:
        return Finding(
            "mmdebstrap",
            Health.WARNING,
            "missing: the debian-* bases cannot be made here",
            "apt-get install mmdebstrap debian-archive-keyring",
        )
    if os.geteuid() != 0:
        return Finding(
            "mmdebstrap",
            Health.WARNING,
            "there, but it needs root to make the debian-* bases",
            "run build with sudo when a base has to be made",
        )
    return Finding("mmdebstrap", Health.OK, "there: the debian-* bases can be made here")
