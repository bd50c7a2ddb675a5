"""What the process may count on: disk, user, folder, memory. FS-01 to FS-14."""

from __future__ import annotations

from dataclasses import replace

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import Environment, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import CaseBroken, require, shown, unsupported
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.sandbox.limits import Limits

SECTION = "File system, user, limits"
TASK_ROOT = "/var/task"
SMALL_TMP = 16  # MB
HANDLERS_FDS = 900


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
    "FS-09-tmp-full",
    Level.SHOULD,
    judgement=True,
    requirement="The runtime serves on when /tmp is full.",
    page="gettingstarted-limits",
    section=SECTION,
)
def test_tmp_full(environments: Environments) -> None:
    environment = environments.open(limits=replace(Limits(), tmp_mb=SMALL_TMP)).started_and_ready()
    text = "0123456789" * 100
    for path in ("/tmp/large", "/tmp/rest"):  # noqa: S108 - in the box
        written = environment.ask(do("write", path=path, text=text, times=(SMALL_TMP + 4) * 1000))
        refused = isinstance(written, dict) and written.get("ok") is False
        if not refused:
            unsupported(f"the probe could not fill /tmp: {shown(written)}")
    environment.require_same_process(because="with a full /tmp")


@case(
    "FS-10-fds-1024",
    Level.SHOULD,
    judgement=True,
    requirement="The runtime itself needs few file descriptors: of 1024 the handler can have 900.",
    page="gettingstarted-limits",
    section=SECTION,
)
def test_fds(environments: Environments) -> None:
    limits = replace(Limits(), nofile=Limits().nofile - HANDLERS_FDS)
    environment = environments.open(limits=limits).started_and_ready()
    for number in range(10):
        environment.require_echo(number, because=f"with {limits.nofile} file descriptors")


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
