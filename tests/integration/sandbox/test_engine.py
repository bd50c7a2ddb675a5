"""The border to the engine: facts, and errors that a person can act on."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtimebuilder.engine.containers import ContainerSpec, StartError, create_container
from runtimebuilder.engine.docker import Engine, EngineError
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.sandbox.run import Run


def test_the_engine_tells_what_it_is(engine: Engine) -> None:
    facts = engine.ping()
    assert facts.os == "linux"
    assert facts.arch in ("amd64", "arm64")
    assert tuple(map(int, facts.api_version.split("."))) >= (1, 41)
    assert facts.cgroup_version in (1, 2)
    assert facts.memory > 100_000_000


def test_no_engine_is_told_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such.sock")
    with pytest.raises(EnvironmentProblemError) as caught:
        Engine.connect()
    assert (
        caught.value.message == "there is no Docker engine at unix:///no/such.sock: No such file or directory"
    )
    assert "DOCKER_HOST" in (caught.value.hint or "")


def test_no_permission_is_told_with_the_remedy() -> None:
    script = """
import os
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError
Engine.connect().close()
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    Engine.connect()
except EnvironmentProblemError as error:
    print(error.message, "|", error.hint)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("no permission to use the Docker engine at unix://"), done.stderr
    assert "group docker" in done.stdout


@pytest.fixture
def old_engine(tmp_path: Path) -> Iterator[str]:
    """Somebody who answers as an engine of 2019 does."""
    path = tmp_path / "old.sock"
    body = b'{"Version":"19.03.15","ApiVersion":"1.40","MinAPIVersion":"1.12","Os":"linux","Arch":"amd64"}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + body

    def serve(server: socket.socket) -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                if peer.recv(65536):
                    peer.sendall(answer)

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield f"unix://{path}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_an_engine_that_is_too_old_is_refused(old_engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", old_engine)
    with pytest.raises(EnvironmentProblemError) as caught:
        Engine.connect()
    assert caught.value.message == "the Docker engine speaks API version 1.40; at least 1.41 is needed"


def test_an_image_is_found_by_name_and_by_id_or_not_at_all(engine: Engine, debian12_image: str) -> None:
    facts = engine.image(debian12_image)
    assert facts is not None
    assert debian12_image in facts.tags
    assert facts.workdir == "/var/task"
    assert facts.entrypoint == ("/lambda-entrypoint.sh",)
    assert facts.env["LAMBDA_TASK_ROOT"] == "/var/task"
    assert facts.platform == engine.ping().platform
    assert engine.image(facts.id) == facts
    assert engine.image("no/such:1") is None
    assert engine.image("NOT A NAME") is None


def test_an_imported_file_system_can_be_named_found_by_label_and_removed(engine: Engine, run: Run) -> None:
    (label,) = run.labels.items()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("x"))
    changes = [f"LABEL {label[0]}={label[1]} kind=import", 'ENV A="b c"', "WORKDIR /w"]
    image = engine.import_image(archive.getvalue(), changes=changes)
    engine.tag(image, "localhost:5000/some/thing")
    facts = engine.image("localhost:5000/some/thing:latest")
    assert facts is not None
    assert (facts.id, facts.env["A"], facts.workdir, facts.layers) == (image, "b c", "/w", 1)
    assert [one.id for one in engine.images_with_label("kind=import")] == [image]
    assert engine.remove_image("localhost:5000/some/thing:latest")
    assert not engine.remove_image(image)


def test_a_refusal_carries_the_engines_reason(engine: Engine) -> None:
    with pytest.raises(EngineError) as caught:
        engine.tag("sha256:" + "0" * 64, "a:b")
    assert caught.value.status == 404
    assert "No such image" in (caught.value.detail or "")


def test_a_pull_that_fails_is_an_error_though_the_engine_says_200(engine: Engine) -> None:
    with pytest.raises(EngineError) as caught:
        engine.pull("localhost:1/none:1")
    assert "refused" in (caught.value.detail or "")


def test_waiting_ends_with_the_container_or_with_our_patience(run: Run, debian12_image: str) -> None:
    spec = ContainerSpec(debian12_image, entrypoint=["/bin/sh", "-c", "sleep 0.6; exit 5"], labels=run.labels)
    container = create_container(run.engine, spec)
    container.start()
    assert container.wait(0.2) is None
    assert container.wait(20) == 5
    assert container.state().exit_code == 5
    assert not container.kill()
    container.remove()
    container.remove()


def test_files_go_in_and_out_and_commands_run(run: Run, debian12_image: str) -> None:
    spec = ContainerSpec(debian12_image, entrypoint=["/bin/sleep", "60"], labels=run.labels)
    container = create_container(run.engine, spec)
    container.start()
    done = container.execute(
        ["/bin/sh", "-c", "echo out; echo err >&2; echo $A > /var/made; exit 3"], env={"A": "b"}
    )
    assert (done.code, done.stdout, done.stderr) == (3, b"out\n", b"err\n")
    archive = container.get_archive("/var/made")
    assert archive is not None
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        made = tar.extractfile("made")
        assert made is not None
        assert made.read() == b"b\n"
    container.put_archive("/opt", archive)
    assert container.execute(["/bin/cat", "/opt/made"]).stdout == b"b\n"
    assert container.get_archive("/no/such") is None
    assert [process.command for process in container.top()] == ["/bin/sleep 60"]
    container.remove()


def test_a_program_that_is_not_there_is_a_start_error(run: Run, debian12_image: str) -> None:
    container = create_container(
        run.engine, ContainerSpec(debian12_image, entrypoint=["/no/such"], labels=run.labels)
    )
    with pytest.raises(StartError) as caught:
        container.start()
    assert "no such file or directory" in (caught.value.detail or "")
    container.remove()
