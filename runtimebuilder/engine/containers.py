"""Containers of the engine, as the box needs them: every setting said, nothing inherited.

The engine's own configuration may bring an init process, another log driver, proxies or ulimits into each
container; what is asked for here is written out so that the same container comes from every engine.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import requests.exceptions

from runtimebuilder.engine.docker import Engine, EngineError, asking

LOG_PART = "4m"
"""Half of what the engine keeps of a container's output; at least the last 4 MB of it can be read."""


_FREEZE_TRIES = 3


@dataclass(frozen=True)
class Mount:
    """A volume in a container; an empty one is filled with what the image has at `target`."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class ContainerSpec:
    """All that a container is created with. `memory` in bytes; None: what the image or the engine says."""

    image: str
    name: str | None = None
    entrypoint: Sequence[str] | None = None
    command: Sequence[str] | None = None
    env: Mapping[str, str | None] = field(
        default_factory=dict
    )  # None: not even what engine or image would set
    labels: Mapping[str, str] = field(default_factory=dict)
    working_dir: str | None = None
    user: str | None = None
    hostname: str | None = None
    network_mode: str = "none"  # "none", a network's name, or "container:ID"
    pid_mode: str | None = None  # "container:ID"
    read_only: bool = False
    memory: int | None = None  # the same number limits memory and swap together: no swap
    pids: int | None = None
    nofile: int | None = None
    nproc: int | None = None
    drop_capabilities: bool = False
    no_new_privileges: bool = False
    mounts: Sequence[Mount] = ()
    tmpfs: Mapping[str, str] = field(default_factory=dict)  # path -> mount options
    dns: Sequence[str] = ()
    dns_options: Sequence[str] = ()
    hosts: Mapping[str, str] = field(default_factory=dict)  # name -> address, or "host-gateway"
    shm_size: int | None = None
    shared_memory: bool = True  # False: there is no /dev/shm


@dataclass(frozen=True)
class ContainerState:
    """How a container is. Times as RFC 3339, "0001-..." for never; `pid` on the host, 0 when it is over."""

    status: Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]
    pid: int
    exit_code: int
    oom_killed: bool  # some process of the container, not always the first
    error: str
    started: str
    finished: str


@dataclass(frozen=True)
class Process:
    """A process in a container, as `ps` on the engine's host sees it."""

    pid: int
    parent: int
    group: int
    session: int
    user: str
    state: str
    command: str


@dataclass(frozen=True)
class ExecResult:
    """What a command in a running container printed and returned."""

    code: int
    stdout: bytes
    stderr: bytes


class StartError(EngineError):
    """The container's program could not be started: no such file, not executable, wrong architecture."""


class Container:
    """A container by its id."""

    def __init__(self, engine: Engine, container_id: str, image: str) -> None:
        self._engine = engine
        self.id = container_id
        self.image = image

    def start(self) -> None:
        """Start it, also again after it ended. `StartError` when its program cannot be run."""
        try:
            with asking(f"to start a container of {self.image}"):
                self._engine.api.start(self.id)
        except EngineError as error:
            if error.status == 400 and "OCI runtime create failed" in (error.detail or ""):
                raise StartError(
                    f"the program of {self.image} could not be started", detail=error.detail, status=400
                ) from error
            raise

    def wait(self, timeout: float | None) -> int | None:
        """Wait until it is not running; its exit code, None after `timeout` seconds (None: no limit)."""
        try:
            with asking("to wait for a container"):
                answer = self._engine.api.wait(self.id, timeout=timeout, condition="not-running")
        except EngineError as error:
            if _timed_out(error):
                return None
            raise
        return int(answer["StatusCode"])

    def state(self) -> ContainerState:
        """How it is now."""
        state = self.inspect()["State"]
        return ContainerState(
            status=state["Status"],
            pid=int(state.get("Pid") or 0),
            exit_code=int(state.get("ExitCode") or 0),
            oom_killed=bool(state.get("OOMKilled")),
            error=str(state.get("Error") or ""),
            started=str(state.get("StartedAt") or ""),
            finished=str(state.get("FinishedAt") or ""),
        )

    def inspect(self) -> Mapping[str, Any]:
        """The engine's own description."""
        with asking("about a container"):
            found: Mapping[str, Any] = self._engine.api.inspect_container(self.id)
        return found

    def logs(self, *, stdout: bool = True, stderr: bool = True, since: float | None = None) -> bytes:
        """What it printed; the two streams are only roughly in order. `since` in Unix seconds."""
        with asking("for a container's log"):
            data = self._engine.api.logs(self.id, stdout=stdout, stderr=stderr, since=since)
        return bytes(data)

    def kill(self, signal: str = "SIGKILL") -> bool:
        """Signal its first process. False when it was not running."""
        try:
            with asking("to signal a container"):
                self._engine.api.kill(self.id, signal)
        except EngineError as error:
            if error.status in (404, 409):
                return False
            raise
        return True

    def pause(self) -> None:
        """Freeze all its processes."""
        for left in reversed(range(_FREEZE_TRIES)):
            try:
                with asking("to freeze a container"):
                    self._engine.api.pause(self.id)
            except EngineError as error:
                # With control groups of version 1 a busy machine makes the engine give up, and thaw again.
                if left and "unable to freeze" in (error.detail or ""):
                    continue
                raise
            return

    def unpause(self) -> None:
        """Thaw them."""
        with asking("to thaw a container"):
            self._engine.api.unpause(self.id)

    def remove(self) -> None:
        """Kill and remove it, with its anonymous volumes. Nothing happens when it is gone."""
        try:
            with asking("to remove a container"):
                self._engine.api.remove_container(self.id, v=True, force=True)
        except EngineError as error:
            # 409: another thread is removing it now.
            if error.status not in (404, 409):
                raise

    def top(self) -> tuple[Process, ...]:
        """Its processes in order of their number; none when it does not run."""
        try:
            with asking("for a container's processes"):
                found = self._engine.api.top(self.id, "-eo pid,ppid,pgid,sid,user,stat,args")
        except EngineError as error:
            if error.status in (404, 409, 500):
                return ()
            raise
        rows = [
            Process(int(row[0]), int(row[1]), int(row[2]), int(row[3]), row[4], row[5], row[6])
            for row in found["Processes"] or ()
        ]
        return tuple(sorted(rows, key=lambda row: row.pid))

    def execute(
        self, command: Sequence[str], *, user: str | None = None, env: Mapping[str, str] | None = None
    ) -> ExecResult:
        """Run a command in the running container and wait for its end."""
        api = self._engine.api
        with asking("to run a command in a container"):
            made = api.exec_create(self.id, list(command), user=user or "", environment=dict(env or {}))
            stdout, stderr = api.exec_start(made["Id"], demux=True)
            code = int(api.exec_inspect(made["Id"])["ExitCode"])
        return ExecResult(code, stdout or b"", stderr or b"")

    def put_archive(self, path: str, archive: bytes) -> None:
        """Unpack a tar at `path`; not into a running container with a read-only root."""
        with asking(f"to put files into a container at {path}"):
            self._engine.api.put_archive(self.id, path, archive)

    def get_archive(self, path: str, *, limit: int | None = None) -> bytes | None:
        """A tar of the file or folder at `path`, or its first bytes: at least `limit` of them, if it has so many.

        None when there is nothing.
        """
        try:
            with asking(f"for {path} of a container"):
                stream, _ = self._engine.api.get_archive(self.id, path)
                data = io.BytesIO()
                for part in stream:
                    data.write(part)
                    if limit is not None and data.tell() >= limit:
                        stream.close()
                        break
        except EngineError as error:
            if error.status == 404:
                return None
            raise
        return data.getvalue()

    def entries(self, path: str) -> Iterator[tarfile.TarInfo]:
        """What lies at `path` and below it, without its bytes; nothing when there is nothing."""
        try:
            with asking(f"for {path} of a container"):
                parts, _ = self._engine.api.get_archive(self.id, path)
        except EngineError as error:
            if error.status == 404:
                return
            raise
        with asking(f"for {path} of a container"), tarfile.open(fileobj=_Parts(parts), mode="r|") as opened:
            yield from opened

    def contents(self, path: str, wanted: Callable[[str], bool]) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
        """The files and links at `path` and below it whose absolute paths are `wanted`, each with its bytes.

        A second name of a file (a hard link) has the bytes of the first only when that is wanted too.
        """
        with asking(f"for {path} of a container"):
            parts, _ = self._engine.api.get_archive(self.id, path)
        seen: dict[str, bytes] = {}
        with asking(f"for {path} of a container"), tarfile.open(fileobj=_Parts(parts), mode="r|") as opened:
            for entry in opened:
                if entry.isdir() or not wanted("/" + entry.name.removeprefix("./").strip("/")):
                    continue
                if entry.isreg() and (file := opened.extractfile(entry)):
                    seen[entry.name] = file.read()
                yield entry, seen.get(entry.linkname if entry.islnk() else entry.name, b"")

    def commit(self, *, changes: Sequence[str] = ()) -> str:
        """Make an image of its files and configuration, changed by Dockerfile lines. The image's id."""
        with asking("to make an image of a container"):
            answer = self._engine.api.commit(self.id, pause=False, changes=list(changes))
        return str(answer["Id"])


class _Parts(io.RawIOBase):
    """Bytes that come in parts, as a file to be read once."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = part
        taken = self._rest[: len(buffer)]
        self._rest = self._rest[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


def create_carrier(engine: Engine, image: str, *, labels: Mapping[str, str]) -> Container:
    """Create a container with the image's own configuration, to put files into and to commit; never started.

    `EngineError` for an image that has neither entrypoint nor command.
    """
    config = {"Image": image, "Labels": dict(labels)}
    with asking(f"to create a container of {image}"):
        made = engine.api.create_container_from_config(config)
    return Container(engine, str(made["Id"]), image)


def create_container(engine: Engine, spec: ContainerSpec) -> Container:
    """Create a container, not started. `EngineError` when the image is not there or a setting is refused."""
    with asking(f"to create a container of {spec.image}"):
        made = engine.api.create_container_from_config(_config(spec), spec.name)
    return Container(engine, str(made["Id"]), spec.image)


def containers_with_label(engine: Engine, label: str) -> tuple[tuple[Container, int], ...]:
    """Containers with that label ("key" or "key=value"), running or not, and their birth in Unix seconds."""
    with asking("for its containers"):
        found = engine.api.containers(all=True, filters={"label": [label]})
    # Only parts of a container that is being created may be listed.
    rows = [(str(row["Id"]), str(row.get("Image") or ""), int(row.get("Created") or 0)) for row in found]
    return tuple((Container(engine, name, image), born) for name, image, born in sorted(rows))


def _config(spec: ContainerSpec) -> dict[str, Any]:
    mounts = [
        {"Type": "volume", "Source": mount.source, "Target": mount.target, "ReadOnly": mount.read_only}
        for mount in spec.mounts
    ]
    ulimits = [
        {"Name": name, "Soft": value, "Hard": value}
        for name, value in (("nofile", spec.nofile), ("nproc", spec.nproc))
        if value is not None
    ]
    host: dict[str, Any] = {
        "NetworkMode": spec.network_mode,
        "ReadonlyRootfs": spec.read_only,
        "Mounts": mounts,
        "Tmpfs": dict(spec.tmpfs),
        "Ulimits": ulimits,
        "CapDrop": ["ALL"] if spec.drop_capabilities else [],
        "SecurityOpt": ["no-new-privileges:true"] if spec.no_new_privileges else [],
        "Init": False,
        "AutoRemove": False,
        "RestartPolicy": {"Name": "no"},
        # What is printed beyond this is forgotten, oldest first: a program that floods its output shall fill
        # neither the engine's disk nor our memory.
        "LogConfig": {"Type": "json-file", "Config": {"max-size": LOG_PART, "max-file": "2"}},
        "OomKillDisable": False,
    }
    host |= {"PidMode": spec.pid_mode} if spec.pid_mode else {}
    host |= {"PidsLimit": spec.pids} if spec.pids else {}
    host |= {"Memory": spec.memory, "MemorySwap": spec.memory} if spec.memory else {}
    host |= {"Dns": list(spec.dns)} if spec.dns else {}
    host |= {"DnsOptions": list(spec.dns_options)} if spec.dns_options else {}
    host |= {"ExtraHosts": [f"{name}:{place}" for name, place in spec.hosts.items()]} if spec.hosts else {}
    host |= {"ShmSize": spec.shm_size} if spec.shm_size else {}
    host |= {} if spec.shared_memory else {"IpcMode": "none"}
    config: dict[str, Any] = {
        "Image": spec.image,
        # A name without "=" removes the variable, as for HOSTNAME, which the engine sets by itself.
        "Env": [name if value is None else f"{name}={value}" for name, value in spec.env.items()],
        "Labels": dict(spec.labels),
        "Tty": False,
        "OpenStdin": False,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": host,
    }
    config |= {"Entrypoint": list(spec.entrypoint)} if spec.entrypoint is not None else {}
    config |= {"Cmd": list(spec.command)} if spec.command is not None else {}
    config |= {"WorkingDir": spec.working_dir} if spec.working_dir is not None else {}
    config |= {"User": spec.user} if spec.user is not None else {}
    config |= {"Hostname": spec.hostname} if spec.hostname is not None else {}
    return config


def _timed_out(error: EngineError) -> bool:
    """Whether our own patience ended. urllib3 says it as a read timeout, requests wraps it in two ways."""
    cause = error.__cause__
    return isinstance(cause, requests.exceptions.ReadTimeout) or (
        isinstance(cause, requests.exceptions.ConnectionError) and "Read timed out" in str(cause)
    )
