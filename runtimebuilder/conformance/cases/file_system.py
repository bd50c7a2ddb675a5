"""What the process may count on: disk, user, folder, memory. FS-01 to FS-14."""

from __future__ import annotations

import posixpath
import uuid
from dataclasses import replace

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import Environment, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import CaseBroken, require, shown, unsupported
from runtimebuilder.conformance.probes.probe import LAYER_FILE
from runtimebuilder.conformance.subject import BOOTSTRAP, LAMBDA_ENTRYPOINT, Subject
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.sandbox.layer import LayerFile
from runtimebuilder.sandbox.limits import Limits

SECTION = "File system, user, limits"
TASK_ROOT = "/var/task"
SMALL_TMP = 16  # MB
HANDLERS_FDS = 900
HANDLERS_PROCESSES = 900
CODE_FOLDERS = ("/var/runtime", "/var/task", "/opt")
SEARCH_PATHS = ("LD_LIBRARY_PATH", "PATH")
RESERVED_PORT = 9001


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
    "FS-03-file-modes",
    Level.MUST,
    requirement="The files in /var/runtime, /var/task and /opt can be read by everybody, the folders entered.",
    page="images-create",
    section=SECTION,
)
def test_file_modes(subject: Subject) -> None:
    for folder in CODE_FOLDERS:
        for entry in subject.entries(folder):
            path = posixpath.join(posixpath.dirname(folder), entry.name)
            needed = 0o005 if entry.isdir() else 0o004
            right = entry.issym() or entry.mode & needed == needed
            expected = f"{path} readable by everybody" + (", and open to enter" if entry.isdir() else "")
            require(right, expected=expected, seen=f"mode {entry.mode:04o}")


@case(
    "FS-04-bootstrap-lookup",
    Level.MUST,
    requirement=(
        "With the base images' entrypoint the runtime is /var/runtime/bootstrap, also when code or a layer has a "
        "bootstrap too."
    ),
    page="runtimes-custom",
    section=SECTION,
)
def test_bootstrap_lookup(subject: Subject, image: ImageFacts) -> None:
    if image.entrypoint != (LAMBDA_ENTRYPOINT,):
        unsupported(f"the entrypoint is not {LAMBDA_ENTRYPOINT}")
    found = next(iter(subject.entries(BOOTSTRAP)), None)
    runs = found is not None and (found.issym() or (found.isreg() and found.mode & 0o005 == 0o005))
    seen = "nothing" if found is None else f"mode {found.mode:04o}"
    require(runs, expected=f"{BOOTSTRAP}, executable by everybody", seen=seen)
    mark = uuid.uuid4()
    script = f'#!/bin/sh\necho "{mark} $0"\n'.encode()
    paths = (BOOTSTRAP, "/var/task/bootstrap", "/opt/bootstrap")
    marked = subject.with_files(LayerFile(path, script, 0o755) for path in paths)
    ran = subject.run_once(("some.handler",), {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}, image=marked)
    require(f"{mark} {BOOTSTRAP}\n" in ran.stdout, expected=f"{BOOTSTRAP} run", seen=shown(ran.stdout))


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
    "FS-08-layers",
    Level.MUST,
    requirement="The handler sees the files in /opt, and the folders there that are in the image's PATH for programs.",
    page="chapter-layers",
    section=SECTION,
)
def test_layers(warm: Environment, image: ImageFacts) -> None:
    text = warm.ask(do("read", path=LAYER_FILE.path))
    expected = f"{LAYER_FILE.path}: {shown(LAYER_FILE.data)}"
    require(text == LAYER_FILE.data.decode(), expected=expected, seen=shown(text))
    seen = warm.ask(do("env", names=list(SEARCH_PATHS)))
    for name in SEARCH_PATHS:
        told = str(seen.get(name, "") if isinstance(seen, dict) else "").split(":")
        wanted = [each for each in image.env.get(name, "").split(":") if each.startswith("/opt")]
        require(
            set(wanted) <= set(told), expected=f"{', '.join(wanted)} in {name}", seen=shown(":".join(told))
        )


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
    "FS-11-procs-1024",
    Level.SHOULD,
    judgement=True,
    requirement="The runtime itself needs few processes and threads: of 1024 the handler can have 900.",
    page="gettingstarted-limits",
    section=SECTION,
)
def test_procs(environments: Environments) -> None:
    limits = replace(Limits(), pids=Limits().pids - HANDLERS_PROCESSES)
    environment = environments.open(limits=limits).started_and_ready()
    for number in range(10):
        environment.require_echo(number, because=f"with {limits.pids} processes and threads")


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


@case(
    "FS-13-no-dev-shm-no-ptrace",
    Level.SHOULD,
    judgement=True,
    requirement="The runtime starts and serves without /dev/shm and without the right to trace processes.",
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_no_shared_memory(environments: Environments) -> None:
    environment = environments.open(limits=replace(Limits(), shared_memory=False)).started_and_ready()
    environment.require_echo("hello", because="without /dev/shm")


@case(
    "FS-14-port-9001",
    Level.SHOULD,
    requirement="The runtime leaves port 9001 alone: the service has it.",
    page="runtimes-extensions-api",
    section=SECTION,
)
def test_port_9001(warm: Environment) -> None:
    if warm.api.address[1] == RESERVED_PORT:  # the API has it in the box itself: nobody else can
        warm.require_echo("hello", because=f"while port {RESERVED_PORT} is taken")
        return
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        text = warm.ask(do("read", path=table))
        rows = [line.split() for line in str(text or "").splitlines()[1:]]
        # local address as hex, then state: 0A is listening
        listening = [row for row in rows if len(row) > 3 and row[3] == "0A"]
        taken = [row for row in listening if int(row[1].rpartition(":")[2], 16) == RESERVED_PORT]
        require(
            not taken,
            expected=f"nobody at port {RESERVED_PORT}",
            seen=shown(" ".join(taken[0]) if taken else ""),
        )
