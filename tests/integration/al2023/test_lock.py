"""Pinning a base that is pulled, and packages of dnf, on the stand-in for provided:al2023."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from runtimebuilder.engine.docker import Engine
from tests.integration.al2023.standin import StandIn
from tests.integration.registry import Registry

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> Iterator[Path]:
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes" / "own.yaml").write_text(
        "schema: 1\nname: own-locked\nextends: php-82-console\nextensions: [curl, opcache]\n"
    )
    yield tmp_path
    for tag in ("al2023", "latest"):
        engine.remove_image(f"own-locked:{tag}", force=True)


def found_in(project: Path) -> dict[str, Any]:
    """What the lock says of the only platform."""
    lock = json.loads((project / "runtimes.lock").read_text().partition("\n")[2])
    (found,) = lock["runtimes"]["own-locked"]["platforms"].values()
    return dict(found)


def test_the_base_is_pinned_by_its_digest_and_a_newer_one_is_told(
    cli: Cli,
    engine: Engine,
    project: Path,
    registry: Registry,
    docker_client: docker.DockerClient,
    al2023_standin: StandIn,
) -> None:
    digest = registry.push(al2023_standin.name, "lambda/provided:al2023")
    mirror = ["--mirror", f"public.ecr.aws={registry.host}"]
    done = cli("lock", *mirror, cwd=project)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads((project / "runtimes.lock").read_text().partition("\n")[2])["runtimes"][
        "own-locked"
    ]["platforms"].values()
    assert found["digest"] == digest
    assert found["packages"]["common"]["php8.2-cli"]
    assert cli("outdated", *mirror, cwd=project).returncode == 0

    # The tag moves on; the lock does not.
    newer = docker_client.containers.create(al2023_standin.name, ["x"])
    try:
        newer.commit(repository="runtimebuilder.test/newer", tag="1", changes="LABEL newer=yes")
    finally:
        newer.remove()
    try:
        moved = registry.push("runtimebuilder.test/newer:1", "lambda/provided:al2023")
    finally:
        docker_client.images.remove("runtimebuilder.test/newer:1", force=True)
    done = cli("outdated", "--json", *mirror, cwd=project)
    assert done.returncode == 1
    assert {"runtime": "own-locked", "what": "base al2023", "locked": digest, "now": moved} in json.loads(
        done.stdout
    )["outdated"]
    done = cli("build", "own-locked", "--locked", *mirror, cwd=project)
    assert done.returncode == 0, done.stderr
    assert f"{registry.host}/lambda/provided@{digest}" in done.stderr.replace(":al2023@", "@")
    facts = engine.image("own-locked:al2023")
    assert facts is not None
    assert facts.labels["org.opencontainers.image.base.digest"] == digest
    # An upgrade asks for everything anew. The packages are those of the day, and the same.
    done = cli("lock", "--upgrade", *mirror, cwd=project)
    assert done.returncode == 0, done.stderr
    assert found_in(project)["digest"] == moved
    assert found_in(project)["packages"] == found["packages"]
    assert cli("outdated", *mirror, cwd=project).returncode == 0
    script = "rpm -qa --qf '%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\\n'"
    listed = subprocess.run(
        [
            "docker",
            "run",
            "--rm",
            "--network=none",
            "--entrypoint=/bin/sh",
            "own-locked:al2023",
            "-c",
            script,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    installed = dict(line.split(" ", 1) for line in listed.stdout.splitlines())
    locked = {name: version for step in found["packages"].values() for name, version in step.items()}
    assert locked
    assert {name: installed.get(name) for name in locked} == locked
    found = json.loads(cli("inspect", "own-locked:al2023", "--json", cwd=project).stdout)
    assert found["manager"] == "dnf"
    assert {one["name"]: one["version"] for one in found["packages"]} == installed
