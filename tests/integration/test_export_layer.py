"""`export-layer`: the zip file of a layer, and that it works where there is no PHP and another C library."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtimebuilder.build import layer_zip
from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.build.layer_zip import export_layer
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import SubjectFailedError
from runtimebuilder.spec.catalog import Catalog
from tests.integration.layers import image_with

Cli = Callable[..., subprocess.CompletedProcess[str]]
Built = Callable[..., BuiltImage]
EXERCISE = (Path(__file__).parent / "slim" / "exercise.php").read_text()
NAME = f"runtimebuilder.test/layer-{os.getpid()}:1"
PROVIDED = """\
schema: 1
name: own-layer
family: sh
version: "1.0"
variant: function
kind: provided
base: debian-12
bootstrap: bootstrap
files: [{from: greeting, to: /opt/greeting}, {from: greeting, to: /etc/greeting}]
"""


@pytest.fixture(scope="module")
def layer(cli: Cli, built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    built("php-82-fpm", base="debian-12")
    file = tmp_path_factory.mktemp("layer") / "layer.zip"
    done = cli("export-layer", "php-82-fpm", "--base", "debian-12", "--output", str(file))
    assert (done.returncode, done.stdout) == (0, f"{file}\n"), done.stderr
    return file


@pytest.fixture(scope="module")
def unpacked(
    engine: Engine, layer: Path, debian13_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    # PHP of Debian 12, on Debian 13: its C library, its ICU, its OpenSSL are others.
    yield image_with(layer, debian13_image, NAME, tmp_path_factory.mktemp("image"))
    engine.remove_image(NAME, force=True)


def test_the_same_image_gives_the_same_bytes(cli: Cli, layer: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    assert (
        cli("export-layer", "php-82-fpm", "--base=debian-12", "--arch=x86_64", f"-o{again}").returncode == 0
    )
    assert again.read_bytes() == layer.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["again.zip"]
    with zipfile.ZipFile(layer) as archive:
        names = archive.namelist()
    assert names == sorted(names)
    assert {"bootstrap", "bin/php", "runtime/php/main.php", "php/bin/php-fpm", "bref/bootstrap.php"} <= {
        *names
    }


def test_every_extension_works_from_a_layer(unpacked: str) -> None:
    run = ["docker", "run", "--rm", "-i", "--network=none", "--read-only", "--tmpfs=/tmp"]
    done = subprocess.run(
        [*run, "--entrypoint=/opt/bin/php", unpacked],
        input=EXERCISE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout + done.stderr == "[]\n"
    # A program of the system, and PHP once more, started by PHP.
    code = "passthru('ls -d /var/task'); passthru(PHP_BINARY . ' -r \"echo PHP_BINARY;\"');"
    done = subprocess.run(
        [*run, "--entrypoint=/opt/bin/php", unpacked, "-r", code], capture_output=True, text=True, check=False
    )
    assert done.stdout + done.stderr == "/var/task\n/opt/php/bin/php"


def test_the_suite_passes_on_a_layer(cli: Cli, unpacked: str) -> None:
    cases = [f"--case={case}" for case in ("RT-002", "RT-013", "EV-01", "FS-01")]
    done = cli("verify", unpacked, "--probe", "php-fpm", *cases)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_runtime_without_php_becomes_a_layer_too(
    cli: Cli, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes" / "own.yaml").write_text(PROVIDED)
    (tmp_path / "greeting").write_text("hello")
    (tmp_path / "bootstrap").write_text("#!/bin/sh\n")
    try:
        assert cli("build", "own-layer", cwd=tmp_path).returncode == 0
        done = cli("export-layer", "own-layer", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, "own-layer-debian-12-x86_64.zip\n"), done.stderr
        assert "/etc/greeting is not below /opt" in done.stderr
        with zipfile.ZipFile(tmp_path / "own-layer-debian-12-x86_64.zip") as archive:
            assert archive.namelist() == ["bootstrap", "greeting"]
        monkeypatch.setattr(layer_zip, "DIRECT_UPLOAD", 100)
        said: list[str] = []
        catalog = Catalog.load([tmp_path / "runtimes"])
        export_layer(engine, catalog, "own-layer", output=tmp_path / "large.zip", say=said.append)
        assert "Lambda takes a layer from S3 only" in said[-1]
        monkeypatch.setattr(layer_zip, "MOST_BYTES", 10)
        with pytest.raises(SubjectFailedError, match="MB unpacked, and Lambda takes"):
            export_layer(engine, catalog, "own-layer", output=tmp_path / "larger.zip", say=said.append)
        assert not (tmp_path / "larger.zip").exists()
        # A program that needs Debian's C library is refused.
        (tmp_path / "bootstrap").write_bytes(Path("/bin/true").read_bytes())
        assert cli("build", "own-layer", cwd=tmp_path).returncode == 0
        done = cli("export-layer", "own-layer", "-o", "other.zip", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert "build it on al2023, or link it statically" in done.stderr
        assert not (tmp_path / "other.zip").exists()
    finally:
        engine.remove_image("own-layer:debian-12", force=True)
        engine.remove_image("own-layer:latest", force=True)


def test_what_cannot_be_is_told(cli: Cli, built: Built, tmp_path: Path) -> None:
    built("php-82-fpm", base="debian-12")
    told = {
        ("php-82-fpm", "--arch=sparc"): (2, "--arch 'sparc' is not one of x86_64, arm64"),
        ("php-82-fpm", "--base=debian-12", "--arch=arm64"): (4, "is for amd64, not for arm64"),
        ("php-82-fpm", "--base=debian-12", "-o/gone/x.zip"): (
            4,
            "/gone/x.zip cannot be written: there is no folder /gone",
        ),
        ("php-83", "--base=al2023"): (4, "has not been built here"),
    }
    for arguments, (code, sentence) in told.items():
        done = cli("export-layer", *arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert sentence in done.stderr
    assert list(tmp_path.iterdir()) == []
