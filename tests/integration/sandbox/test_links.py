"""All ways to the emulator, and which one is chosen."""

from __future__ import annotations

import dataclasses
import io
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable

import pytest

from runtimebuilder.engine.containers import Container
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError, SpecError
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.link import NamespaceLink, choose_link, namespace_link_problem

NewBox = Callable[..., Box]


@pytest.mark.parametrize("link", ["namespace", "gateway"])
def test_the_api_is_reached_and_nothing_else(new_box: NewBox, link: str) -> None:
    box = new_box(link=link)
    box.start()
    assert box.link.name == link
    api = box.invoke("$ENV{AWS_LAMBDA_RUNTIME_API}", timeout=10).body.decode()
    assert api == box.emulator.endpoint
    assert (api == "127.0.0.1:9001") == (link == "namespace")
    # Old engines leave a route out of an internal network and drop what takes it.
    ends = {"namespace": ("unreachable",), "gateway": ("unreachable", "timeout")}[link]
    reach = (
        "IO::Socket::INET->new(PeerAddr => '192.0.2.1', PeerPort => 53, Timeout => 1) ? 'reached' : qq($@)"
    )
    said = box.invoke(reach, timeout=10).body.decode()
    assert said.endswith(ends), said
    assert box.invoke("defined gethostbyname('example.com') ? 1 : 0", timeout=20).body == b"0"


def test_the_api_is_reached_by_the_name_of_the_host(new_box: NewBox) -> None:
    box = new_box(link="host")
    box.start()
    api = box.invoke("$ENV{AWS_LAMBDA_RUNTIME_API}", timeout=20).body.decode()
    assert api == box.emulator.endpoint
    assert api.startswith("host.docker.internal:")
    # An ordinary network, but no name of the outside.
    assert box.invoke("defined gethostbyname('example.com') ? 1 : 0", timeout=20).body == b"0"


def test_a_virtual_machine_is_reached_by_the_name_of_the_host(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop = dataclasses.replace(engine.ping(), is_desktop=True)
    monkeypatch.setattr(engine, "ping", lambda: desktop)
    link = choose_link(engine)
    assert link.name == "host"
    # The machine in the virtual machine forwards to our loopback address.
    with link.listen(Container(engine, "any", "any")) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("192.0.2.77 other host.docker.internal", "is 192.0.2.77, which is not on this machine"),
        ("192.0.2.77 other # host.docker.internal", "gives containers no host.docker.internal"),
    ],
)
def test_a_host_that_is_not_this_machine_is_told(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, line: str, message: str
) -> None:
    hosts = io.BytesIO()
    with tarfile.open(fileobj=hosts, mode="w") as archive:
        entry = tarfile.TarInfo("hosts")
        entry.size = len(line)
        archive.addfile(entry, io.BytesIO(line.encode()))
    holder = Container(engine, "any", "any")
    monkeypatch.setattr(holder, "get_archive", lambda _path: hosts.getvalue())
    with pytest.raises(EnvironmentProblemError, match=re.escape(message)):
        choose_link(engine, "host").listen(holder)


def test_boxes_do_not_meet(new_box: NewBox) -> None:
    first, second = new_box(), new_box()
    first.start()
    second.start()
    assert first.invoke("'first'").body == b"first"
    assert second.invoke("'second'").body == b"second"
    assert len(first.emulator.recording.exchanges()) == 3
    first.close()
    assert second.invoke("'still'").body == b"still"


def test_root_beside_the_engine_gets_the_namespace_link(engine: Engine) -> None:
    assert namespace_link_problem(engine) is None
    assert isinstance(choose_link(engine), NamespaceLink)
    assert choose_link(engine, "gateway").name == "gateway"


def test_an_unknown_wish_is_a_mistake_in_the_call(engine: Engine) -> None:
    with pytest.raises(SpecError, match="there is no link 'pigeon'"):
        choose_link(engine, "pigeon")


def test_without_root_it_is_the_gateway_and_the_reason_is_told() -> None:
    # Root goes, the socket's group stays: somebody in the group docker. What is imported was read before.
    script = """
import os
from runtimebuilder.engine.containers import Container
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.sandbox.link import choose_link, namespace_link_problem
Engine.connect().close()
group = os.stat("/var/run/docker.sock").st_gid
os.setgroups([group]); os.setgid(group); os.setuid(65534)
engine = Engine.connect()
print(namespace_link_problem(engine), choose_link(engine).name)
try:
    choose_link(engine, "namespace")
except EnvironmentProblemError as error:
    print(error.message)
engine.close()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        "not root gateway",
        "the namespace link is not possible: not root",
    ], done.stderr


def test_a_namespace_that_is_gone_is_told(new_box: NewBox) -> None:
    box = new_box()
    box.start()
    container = box.container
    box.kill()
    box.wait_exit(5)
    with pytest.raises(EnvironmentProblemError):
        NamespaceLink().listen(container)
