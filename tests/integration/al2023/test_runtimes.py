"""The al2023 Dockerfiles, really built and really run: under the base's real name, and through a mirror.

On a stand-in (see standin.py): this proves the rendered Dockerfile, the layout and the runtime client there, not
Amazon's packages. That the package names exist is tests/unit/spec's business.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.engine.docker import Engine
from tests.integration.al2023.standin import StandIn
from tests.integration.layers import image_with
from tests.integration.registry import Registry

Cli = Callable[..., subprocess.CompletedProcess[str]]
Built = Callable[..., BuiltImage]
TRIO = ["php-82", "php-82-fpm", "php-82-console"]


@pytest.fixture(autouse=True)
def _no_image_on_the_stand_in_keeps_a_name(engine: Engine) -> Iterator[None]:
    """Nobody shall find a `php-82:latest` that was built on a stand-in; what had the name before gets it back."""
    names = [f"{name}:{tag}" for name in TRIO for tag in ("al2023", "latest")]
    before = {name: facts.id for name in names if (facts := engine.image(name))}
    yield
    for name in names:
        now = engine.image(name)
        if now is not None and before.get(name) != now.id:
            if name in before:
                engine.tag(before[name], name)
            else:
                engine.remove_image(name)


def test_the_trio_is_built_on_al2023_under_its_real_name_and_conforms(
    engine: Engine, built: Built, cli: Cli, al2023_real_name: str, tmp_path: Path
) -> None:
    for name in TRIO:
        image = built(name)
        assert image.step.base.reference == al2023_real_name
        assert image.step.tags == (f"{name}:al2023", f"{name}:latest")
        facts = engine.image(f"{name}:latest")
        assert facts is not None
        assert facts.labels["org.opencontainers.image.base.name"] == "public.ecr.aws/lambda/provided:al2023"
        script = "php -r 'echo PHP_VERSION;' && ls /var/cache /var/log"
        seen = subprocess.run(
            ["docker", "run", "--rm", "--network=none", "--entrypoint=/bin/sh", image.image_id, "-c", script],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert seen.startswith("8.2.")
        assert "dnf" not in seen
    known = tmp_path / "known.txt"
    known.write_text("IM-11  # the stand-in has no Runtime Interface Emulator, only a program of its name\n")
    images = [f"{name}:al2023" for name in TRIO]
    verdict = cli("verify", *images, "--strict", "--known-failing", str(known), timeout=580)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize(
    ("name", "setting", "cases"),
    [
        ("php-82", "RUNTIMEBUILDER_STATE=fork", "RT-11*"),
        ("php-82", "RUNTIMEBUILDER_STATE=process", "RT-11*"),
        ("php-82", "RUNTIMEBUILDER_STREAMING=on", "ST-1*"),
        ("php-82-fpm", "RUNTIMEBUILDER_STREAMING=on", "ST-1*"),
        ("php-82-console", "RUNTIMEBUILDER_STATE=fork", "RT-06*"),
    ],
)
def test_every_way_to_run_events_conforms_on_al2023(
    built: Built, cli: Cli, al2023_real_name: str, name: str, setting: str, cases: str
) -> None:
    image = built(name)
    assert image.step.base.reference == al2023_real_name
    verdict = cli(
        "verify", image.image_id, "--case", cases, "--strict", "--env", setting, "--json", timeout=300
    )
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    footer = json.loads(verdict.stdout.splitlines()[-1])
    assert footer["counts"]["passed"] > 7, footer


def test_the_sbom_lists_each_package_that_rpm_lists(built: Built, cli: Cli, al2023_real_name: str) -> None:
    image = built("php-82")
    assert image.step.base.reference == al2023_real_name
    done = cli("sbom", image.image_id)
    assert done.returncode == 0, done.stderr
    found = {
        f"{one['name']} {one['versionInfo']}"
        for one in json.loads(done.stdout)["packages"]
        if any("pkg:rpm/" in ref["referenceLocator"] for ref in one.get("externalRefs", ()))
    }
    command = ["docker", "run", "--rm", "--network=none", "--entrypoint=rpm", image.image_id]
    command += ["-qa", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\\n"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert found == {line for line in listed if not line.startswith("gpg-pubkey ")}
    assert any(line.startswith("php8.2-cli 8.2.") for line in listed)


def test_a_mirror_gives_the_base_under_another_name(
    engine: Engine, cli: Cli, al2023_standin: StandIn, registry: Registry
) -> None:
    registry.push(al2023_standin.name, "ecr/lambda/provided:al2023")
    mirrored = f"{registry.host}/ecr/lambda/provided:al2023"
    engine.remove_image(mirrored)
    done = cli("build", "php-82-fpm", "--mirror", f"public.ecr.aws={registry.host}/ecr", "--json")
    assert done.returncode == 0, done.stderr
    assert f"{mirrored}  pulled" in done.stderr
    (image,) = json.loads(done.stdout)["images"]
    assert image["tags"] == ["php-82-fpm:al2023", "php-82-fpm:latest"]
    facts = engine.image(image["id"])
    assert facts is not None
    # The digest is the registry's: which base this was can be told later.
    assert (
        facts.labels["org.opencontainers.image.base.digest"]
        == registry.manifest("ecr/lambda/provided", "al2023").digest
    )
    engine.remove_image(mirrored)


def test_a_layer_of_al2023s_php_works_on_the_base_without_php(
    engine: Engine, built: Built, cli: Cli, al2023_real_name: str, tmp_path: Path
) -> None:
    built("php-82")
    layer = tmp_path / "layer.zip"
    done = cli("export-layer", "php-82", "--output", str(layer))
    assert (done.returncode, done.stdout) == (0, f"{layer}\n"), done.stderr
    name = "runtimebuilder.test/layer-of-al2023:1"
    try:
        image_with(layer, al2023_real_name, name, tmp_path)
        done = cli(
            "verify", name, "--probe", "php-function", *(f"--case={one}" for one in ("RT-002", "RT-042"))
        )
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        engine.remove_image(name, force=True)
