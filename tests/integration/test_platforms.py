"""Builds for another platform than the engine's own, and what is said where they cannot be.

Where nothing is emulated only files can be copied for another platform; what steps take by emulation is told in
docs/platforms.md.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtimebuilder.build.plan import make_plan
from runtimebuilder.build.platforms import check_platforms
from runtimebuilder.engine.bases import ResolvedBase
from runtimebuilder.engine.classic import ClassicBuilder
from runtimebuilder.engine.debian import KEY_LABEL, base_key
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.emulation import PLATFORMS, can_run, runnable, runs_program
from runtimebuilder.engine.single_layer import single_layer_image
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.render.context import BuildContext, ContextFile
from runtimebuilder.spec.catalog import Catalog

Cli = Callable[..., subprocess.CompletedProcess[str]]
SPEC = """\
schema: 1
name: own-both
family: sh
version: "1.0"
variant: function
kind: provided
base: debian-13
bootstrap: bootstrap
tags: ["{{ version }}"]
"""


@pytest.fixture
def other(engine: Engine) -> str:
    """The platform that is not the engine's own."""
    (found,) = [one for one in PLATFORMS if one != engine.ping().platform]
    return found


@pytest.fixture
def project(
    engine: Engine, catalog: Catalog, other: str, debian13_image: str, tmp_path: Path
) -> Iterator[Path]:
    """A project, and a base for the other platform: an empty one, where none was made here."""
    architecture = other.removeprefix("linux/")
    name = f"{debian13_image}-{architecture}"
    is_ours = engine.image(name) is None
    if is_ours:
        with tarfile.open(tmp_path / "root.tar", "w") as archive:
            archive.addfile(tarfile.TarInfo("empty"), io.BytesIO())
        labels = {KEY_LABEL: base_key(catalog.base("debian-13"))}
        file = single_layer_image(tmp_path / "root.tar", architecture, {"Labels": labels})
        engine.tag(engine.load(file), name)
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes" / "own.yaml").write_text(SPEC)
    (tmp_path / "bootstrap").write_text("#!/bin/sh\n")
    yield tmp_path
    for tag in ("debian-13", "latest", "1.0", f"debian-13-{architecture}", f"1.0-{architecture}"):
        engine.remove_image(f"own-both:{tag}", force=True)
    if is_ours:
        engine.remove_image(name, force=True)


def test_one_call_builds_for_both_platforms(engine: Engine, cli: Cli, project: Path, other: str) -> None:
    own, architecture = engine.ping().platform, other.removeprefix("linux/")
    done = cli("build", "own-both", "--platform", f"{own},{other}", "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    for tag, platform in {
        "debian-13": own,
        "latest": own,
        "1.0": own,
        f"debian-13-{architecture}": other,
        f"1.0-{architecture}": other,
    }.items():
        facts = engine.image(f"own-both:{tag}")
        assert facts is not None, tag
        assert facts.platform == platform
    again = cli("build", "own-both", "--platform", f"{own},{other}", cwd=project)
    assert again.stdout.startswith("2 unchanged in ")
    layer = cli("export-layer", "own-both", "--arch", "arm64", cwd=project)
    assert (layer.returncode, layer.stdout) == (0, "own-both-debian-13-arm64.zip\n"), layer.stderr


def test_steps_for_another_platform_need_emulation(
    engine: Engine, cli: Cli, project: Path, other: str
) -> None:
    (project / "runtimes" / "own.yaml").write_text(SPEC + "packages: {debian-13: [jq]}\n")
    done = cli("build", "own-both", "--platform", other, cwd=project)
    if can_run(engine, other):  # where a real base is, it is built; else that base has no shell
        assert "cannot run them" not in done.stderr
        return
    assert (done.returncode, done.stdout) == (4, "")
    assert f"a build for {other} runs programs of it, and this engine" in done.stderr
    assert "qemu-user-static" in done.stderr


def test_what_runs_is_found_by_running_it(engine: Engine) -> None:
    own = engine.ping().platform
    assert runs_program(engine, own.removeprefix("linux/"))
    assert runnable(engine)[0] == own


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["--platform", "linux/riscv64"],
            "--platform 'linux/riscv64' is not one of linux/amd64, linux/arm64",
        ),
        (["--platform", "linux/amd64,linux/arm64", "--tag", "a:1"], "--tag with 2 platforms"),
    ],
)
def test_what_cannot_be_meant_is_refused(cli: Cli, arguments: list[str], told: str) -> None:
    done = cli("build", "php-82", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_the_classic_builder_makes_no_slim_image_for_another_platform(
    engine: Engine, catalog: Catalog, other: str
) -> None:
    base = catalog.base("debian-12").model_copy(update={"architecture": other.removeprefix("linux/")})
    found = ResolvedBase(base, "none", "sha256:0", None, "present")
    (step,) = make_plan(
        engine,
        catalog.select(["php-82"]),
        base_for=lambda _: found,
        render=lambda *_: BuildContext((ContextFile("Dockerfile", 0o644, b"FROM scratch\n"),)),
        platform=other,
        architecture=other.removeprefix("linux/"),
    )
    with pytest.raises(EnvironmentProblemError, match="makes slim images for the engine's own platform only"):
        check_platforms(engine, [step], ClassicBuilder(engine))
