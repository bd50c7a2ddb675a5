"""How the process in the box reaches the emulator outside of it.

On Lambda the Runtime API is at 127.0.0.1:9001 and there is nothing else. The namespace link gives exactly
that; the gateway link is for those who may use an engine without being root: another address, which
AWS_LAMBDA_RUNTIME_API is there to tell. The host link is for engines in a virtual machine (Docker Desktop), where
no address of the engine's is one of ours; it gives the box an ordinary network.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import struct
import sys
import tarfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from runtimebuilder.engine.containers import Container
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.resources import create_bridge_network
from runtimebuilder.errors import EnvironmentProblemError, SpecError
from runtimebuilder.sandbox.namespace import inside, network_of

WISHES = ("auto", "namespace", "gateway", "host")
HOST_NAME = "host.docker.internal"
ADDRESS = ("127.0.0.1", 9001)
_BACKLOG = 128


class Link(Protocol):
    """One way. `name` is what the report says; `host` by which name the API is reached, None: its address."""

    name: str
    host: str | None

    def describe(self) -> str:
        """For people: where the API is, and what else is on the network."""

    def network(self, labels: Mapping[str, str]) -> str:
        """The network mode of the container that holds the network; what it makes carries `labels`."""

    def dns(self) -> tuple[str, ...]:
        """Name servers of that container; none: the engine's choice."""

    def hosts(self) -> Mapping[str, str]:
        """Names in that container's /etc/hosts, and what the engine shall write there."""

    def listen(self, holder: Container) -> socket.socket:
        """A listening socket that processes in the network of `holder`, which runs, can connect to."""


class NamespaceLink:
    """A socket opened inside the container's network namespace, served from outside. Needs root."""

    name = "namespace"
    host: str | None = None

    def describe(self) -> str:
        """See `Link.describe`."""
        return f"no network, API at {ADDRESS[0]}:{ADDRESS[1]}"

    def network(self, labels: Mapping[str, str]) -> str:  # noqa: ARG002 - the engine knows this one
        """See `Link.network`."""
        return "none"

    def dns(self) -> tuple[str, ...]:
        """See `Link.dns`."""
        return ()

    def hosts(self) -> Mapping[str, str]:
        """See `Link.hosts`."""
        return {}

    def listen(self, holder: Container) -> socket.socket:
        """See `Link.listen`. `EnvironmentProblemError` when the namespace cannot be entered."""
        namespace = network_of(holder.state().pid)
        try:
            if namespace.stat().st_ino == Path("/proc/self/ns/net").stat().st_ino:
                raise EnvironmentProblemError("the container's network is not a namespace of its own")
            made: list[socket.socket] = []
            inside(namespace, lambda: made.append(socket.create_server(ADDRESS, backlog=_BACKLOG)))
            return made[0]
        except OSError as error:
            raise EnvironmentProblemError(
                f"the network namespace of a container could not be entered: {error.strerror}",
                hint="use --link gateway",
            ) from error


class GatewayLink:
    """An internal bridge network with nothing in it but the host's own address, where the API is."""

    name = "gateway"
    host: str | None = None

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._made: tuple[str, str] | None = None  # network id and address of the host in it

    def describe(self) -> str:
        """See `Link.describe`."""
        return "an internal network, API at its gateway address"

    def network(self, labels: Mapping[str, str]) -> str:
        """See `Link.network`. One network for the life of the link."""
        with self._lock:
            if self._made is None:
                name = "runtimebuilder-" + "-".join(labels.values())
                made = create_bridge_network(self._engine, name, labels=labels)
                self._made = (made.id, made.gateway)
            return self._made[0]

    def dns(self) -> tuple[str, ...]:
        """See `Link.dns`. The engine's own resolver would ask the outside world on the container's behalf."""
        return ("127.0.0.1",)

    def hosts(self) -> Mapping[str, str]:
        """See `Link.hosts`."""
        return {}

    def listen(self, holder: Container) -> socket.socket:  # noqa: ARG002 - every container of the network reaches it
        """See `Link.listen`. `EnvironmentProblemError` when the address is not one of this machine's."""
        if self._made is None:
            raise RuntimeError("ask for the network first")
        try:
            return socket.create_server((self._made[1], 0), backlog=_BACKLOG)
        except OSError as error:
            raise EnvironmentProblemError(
                f"the engine's network address {self._made[1]} is not on this machine: {error.strerror}",
                hint="use a Docker engine of this machine that runs as root, and not Docker Desktop",
            ) from error


class HostLink:
    """A bridge network from which the machine that the tool runs on is reached as host.docker.internal.

    An engine in a virtual machine forwards that name to the loopback address of the machine around it. Elsewhere
    it is the engine's address in its network `bridge`. No name but this one is resolved, but the network is not
    an internal one: virtual machines forward nothing from those.
    """

    name = "host"
    host: str | None = HOST_NAME

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._made: str | None = None

    def describe(self) -> str:
        """See `Link.describe`."""
        return f"an ordinary network, API at {HOST_NAME}"

    def network(self, labels: Mapping[str, str]) -> str:
        """See `Link.network`. One network for the life of the link."""
        with self._lock:
            if self._made is None:
                name = "runtimebuilder-host-" + "-".join(labels.values())
                self._made = create_bridge_network(self._engine, name, labels=labels, internal=False).id
            return self._made

    def dns(self) -> tuple[str, ...]:
        """See `Link.dns`. Nothing but /etc/hosts."""
        return ("127.0.0.1",)

    def hosts(self) -> Mapping[str, str]:
        """See `Link.hosts`."""
        return {HOST_NAME: "host-gateway"}

    def listen(self, holder: Container) -> socket.socket:
        """See `Link.listen`. `EnvironmentProblemError` when what the name stands for is not this machine."""
        address = "127.0.0.1" if is_in_virtual_machine(self._engine) else _host_of(holder)
        try:
            return socket.create_server((address, 0), backlog=_BACKLOG)
        except OSError as error:
            raise EnvironmentProblemError(
                f"the engine's {HOST_NAME} is {address}, which is not on this machine: {error.strerror}",
                hint="use a Docker engine of this machine, or another --link",
            ) from error


def _host_of(holder: Container) -> str:
    """What the engine wrote for our name into the container's /etc/hosts; nobody else tells it in every engine."""
    archive = holder.get_archive("/etc/hosts")
    if archive is not None:
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            file = opened.extractfile(opened.next() or "hosts")
            text = file.read().decode(errors="replace") if file is not None else ""
        for line in text.splitlines():
            address, *names = line.partition("#")[0].split() or [""]
            if HOST_NAME in names:
                return address
    raise EnvironmentProblemError(
        f"the engine gives containers no {HOST_NAME}", hint="Docker 20.10 and newer do; or use another --link"
    )


def choose_link(engine: Engine, wish: str = "auto") -> Link:
    """The link of that name; "auto": namespace where it is possible, else gateway, or host for an engine in a
    virtual machine.

    Raises `SpecError` (2) for another name, `EnvironmentProblemError` (4) when the wish is impossible.
    """
    if wish not in WISHES:
        raise SpecError(f"there is no link {wish!r}", hint=f"one of: {', '.join(WISHES)}")
    if wish == "gateway":
        return GatewayLink(engine)
    if wish == "host":
        return HostLink(engine)
    problem = namespace_link_problem(engine)
    if problem is None:
        return NamespaceLink()
    if wish == "namespace":
        raise EnvironmentProblemError(
            f"the namespace link is not possible: {problem}", hint="use --link auto"
        )
    return HostLink(engine) if is_in_virtual_machine(engine) else GatewayLink(engine)


def is_in_virtual_machine(engine: Engine) -> bool:
    """Whether a local engine runs in a virtual machine, which has addresses of its own."""
    return engine.is_local and (sys.platform != "linux" or engine.ping().is_desktop)


def namespace_link_problem(engine: Engine) -> str | None:
    """Why the namespace link cannot work here, in a few words; None when it can."""
    facts = engine.ping()
    first_of = (
        (sys.platform != "linux", "this machine is not Linux"),
        (not engine.is_local, "the engine is not on this machine"),
        (facts.is_desktop, "the engine runs in a virtual machine"),
        (facts.rootless, "the engine runs without root"),
    )
    for is_so, problem in first_of:
        if is_so:
            return problem
    if not _sees_processes_of(engine.address.removeprefix("unix://")):
        return "the engine's processes cannot be seen from here"
    try:
        inside(Path("/proc/self/ns/net"), lambda: None)
    except OSError as error:
        return "not root" if os.geteuid() != 0 else f"network namespaces cannot be entered: {error.strerror}"
    return None


def _sees_processes_of(path: str) -> bool:
    """Whether who listens at this Unix socket counts processes as we do: not when one is in a container."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(path)
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        (pid, _, _) = struct.unpack("3i", credentials)
        if pid == 0:
            return False
        try:
            theirs = Path(f"/proc/{pid}/ns/pid").stat().st_ino
        except PermissionError:
            return True  # it is there, and whether we may enter is asked next
        return theirs == Path("/proc/self/ns/pid").stat().st_ino
    return False
