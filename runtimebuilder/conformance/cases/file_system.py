"""What the process may count on: disk, user, folder, memory. FS-01 to FS-14."""

from __future__ import annotations

from dataclasses import replace

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import Environment, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import CaseBroken, require, shown
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.sandbox.limits import Limits

SECTION = "File system, user, limits"
TASK_ROOT = "/var/task"


@case(
    "FS-01-readonly-root",
    Level.MUST,
    requirement="The runtime starts and serves while only /tmp can be written.",
    page="images-create",
    section=SECTION,
)
def test_readonly_root(environments: Environments) -> None:
    environment = environments.open(limits=replace(Limits(), read_only=True)).started_and_ready()
    written = environment.ask(do("write", path=f"{TASK_ROOT}/written", text="x"))
    if not isinstance(written, dict) or written.get("ok"):
        raise CaseBroken(f"the disk was to be read-only, but a write gave {shown(written)}")
    for number in range(10):
        environment.require_echo(number, because="on a read-only disk")


@case(
    "FS-02-unknown-user",
    Level.MUST,
    requirement="The runtime works for a user without a name, without a home, and without any right of root.",
    page="images-create",
    section=SECTION,
    needs=(Need.IDENTITY,),
)
def test_unknown_user(warm: Environment) -> None:
    limits = Limits()
    seen = warm.ask(do("whoami"))
    require(
        isinstance(seen, dict) and (seen.get("uid"), seen.get("gid")) == (limits.uid, limits.gid),
        expected=f"the handler runs as uid {limits.uid}, gid {limits.gid}",
        seen=shown(seen),
    )


@case(
    "FS-07-cwd",
    Level.MUST,
    requirement="The handler's working directory is the image's WORKDIR, /var/task unless it says otherwise.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.IDENTITY,),
)
def test_cwd(warm: Environment, image: ImageFacts) -> None:
    expected = image.workdir or "/"
    seen = warm.ask(do("cwd"))
    require(seen == expected, expected=expected, seen=shown(seen))


@case(
    "FS-12-low-memory",
    Level.MUST,
    judgement=True,
    requirement="128 MB of memory without swap are enough to serve a small event.",
    page="gettingstarted-limits",
    section=SECTION,
)
def test_low_memory(environments: Environments) -> None:
    environment = environments.open(limits=replace(Limits(), memory_mb=128)).started_and_ready()
    environment.require_echo("hello", because="with 128 MB")
