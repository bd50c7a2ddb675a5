"""`inspect`: what is in an image, told without running it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator

import pytest

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.engine.docker import Engine

Cli = Callable[..., subprocess.CompletedProcess[str]]


def test_a_runtimes_image_is_told_part_by_part(cli: Cli, built: Callable[..., BuiltImage]) -> None:
    image = built("php-82", base="debian-12")
    done = cli("inspect", "php-82", "--base", "debian-12", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["id"], found["size"], found["manager"]) == (image.image_id, image.size, "apt")
    assert sum(layer["size"] for layer in found["layers"]) == image.size
    sizes = [file["size"] for file in found["files"]]
    assert sizes == sorted(sizes, reverse=True)
    bootstrap = next(file for file in found["files"] if file["path"] == "/var/runtime/bootstrap")
    assert 0 < bootstrap["size"] < 10_000
    assert found["spec"] == "runtimes/php.yaml"
    assert "/usr/lib/x86_64-linux-gnu/libicudata.so.72.1" in found["needs"]["libraries"]
    assert any(path.endswith("/intl.so") for path in found["needs"]["programs"])
    assert found["needs"]["missing"] == []
    shown = cli("inspect", "php-82:debian-12", "--largest", "3").stdout
    assert shown.startswith("php-82:debian-12   linux/")
    assert "runtime php-82 (php 8.2, function) on debian-12" in shown
    files = shown.partition("the largest\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[-1] for line in files] == [file["path"] for file in found["files"][:3]]


def test_the_packages_of_a_whole_image_are_those_that_dpkg_knows(cli: Cli, debian12_image: str) -> None:
    found = json.loads(cli("inspect", debian12_image, "--json").stdout)
    command = ["docker", "run", "--rm", "--network=none", "--entrypoint=dpkg-query", debian12_image]
    command += ["-W", "-f", "${Package} ${Version}\\n"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {f"{one['name']} {one['version']}" for one in found["packages"]} == set(listed.stdout.splitlines())
    # A base has no runtime of its own: its entrypoint needs a shell, and so the C library.
    assert found["needs"]["programs"] == ["/lambda-entrypoint.sh"]
    assert {"dash", "libc6"} <= set(found["needs"]["packages"]) | {"bash"}
    idle = {one["name"] for one in found["needs"]["idle"]}
    assert "dpkg" in idle
    assert "libc6" not in idle


@pytest.fixture
def bare_image(engine: Engine) -> Iterator[str]:
    """One file, no program, no packages."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        entry = tarfile.TarInfo("etc/only")
        entry.size = 3
        archive.addfile(entry, io.BytesIO(b"abc"))
    name = f"runtimebuilder.test/bare-{os.getpid()}:1"
    subprocess.run(["docker", "import", "-", name], input=data.getvalue(), check=True, capture_output=True)
    yield name
    engine.remove_image(name, force=True)


def test_an_image_without_anything_is_told_too(cli: Cli, bare_image: str) -> None:
    done = cli("inspect", bare_image)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0.0 MB  /etc/only" in done.stdout
    assert "Packages: the image has no database of packages that can be read" in done.stdout


def test_an_image_that_is_not_there_is_exit_4(cli: Cli) -> None:
    assert cli("inspect", "runtimebuilder.test/nowhere:1").returncode == 4
