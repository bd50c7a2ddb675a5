"""Building real images: what is in them, what is not, and that nothing half-made keeps a name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.engine.docker import Engine

Cli = Callable[..., subprocess.CompletedProcess[str]]
Built = Callable[..., BuiltImage]
ON_DEBIAN = [
    ("php-82", "debian-12"),
    ("php-82-fpm", "debian-12"),
    ("php-82-console", "debian-12"),
    ("php-84", "debian-13"),
    ("php-84-fpm", "debian-13"),
    ("php-84-console", "debian-13"),
]


def in_image(image: str, script: str) -> str:
    """What a shell in the image prints, as root without limits."""
    command = ["docker", "run", "--rm", "--network=none", "--entrypoint=/bin/sh", image, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("name", "base"), ON_DEBIAN)
def test_a_runtime_is_built_with_its_php_and_extensions(built: Built, name: str, base: str) -> None:
    image = built(name, base=base)
    version = image.step.runtime.version
    assert in_image(image.image_id, "php -r 'echo PHP_MAJOR_VERSION, \".\", PHP_MINOR_VERSION;'") == version
    modules = in_image(image.image_id, "php -m").lower().split("\n")
    missing = [name for name in image.step.runtime.extensions if name not in [*modules, "opcache"]]
    assert missing == []
    assert "zend opcache" in modules


@pytest.mark.parametrize(("name", "base"), ON_DEBIAN)
def test_nothing_is_left_in_the_image_that_only_the_build_needed(built: Built, name: str, base: str) -> None:
    image = built(name, base=base).image_id
    leftovers = in_image(
        image,
        "find /var/lib/apt/lists /var/cache/apt /var/log /tmp /var/tmp /usr/share/man -type f;"
        " find /usr/share/doc -type f ! -name copyright; ls /etc/machine-id 2>/dev/null || true",
    )
    assert leftovers == ""
    assert "systemd" not in in_image(image, "ls /var/lib/dpkg/status.d").split()


def test_an_image_for_development_has_a_debugger_and_composer(built: Built) -> None:
    image = built("php-82-fpm-dev", base="debian-12").image_id
    assert in_image(image, "composer --version 2>/dev/null").startswith("Composer version 2.")
    assert in_image(image, "git --version").startswith("git version ")
    assert (
        in_image(image, 'php -r \'echo extension_loaded("xdebug"), ini_get("xdebug.mode");\'')
        == "1debug,develop"
    )


def test_settings_of_the_spec_are_in_force_and_an_applications_own_come_after_them(built: Built) -> None:
    image = built("php-82", base="debian-12").image_id
    printed = in_image(
        image, 'php -r \'echo json_encode([ini_get("memory_limit"), ini_get("display_errors")]);\''
    )
    assert json.loads(printed) == ["10240M", "0"]
    script = "mkdir -p /var/task/php/conf.d && echo memory_limit=77M > /var/task/php/conf.d/x.ini"
    script += " && php -r 'echo ini_get(\"memory_limit\");'"
    assert in_image(image, script) == "77M"


def test_the_image_says_what_it_is(engine: Engine, built: Built) -> None:
    result = built("php-82-fpm", base="debian-12")
    facts = engine.image("php-82-fpm:debian-12")
    assert facts is not None
    labels = facts.labels
    assert labels["dev.runtimebuilder.runtime"] == "php-82-fpm"
    assert labels["dev.runtimebuilder.base"] == "debian-12"
    assert labels["dev.runtimebuilder.content-key"] == result.step.key
    assert labels["org.opencontainers.image.title"] == "php-82-fpm"
    assert facts.entrypoint == ("/lambda-entrypoint.sh",)
    assert facts.workdir == "/var/task"
    assert facts.user == ""


def test_building_again_with_nothing_changed_takes_under_two_seconds_and_says_so(
    built: Built, cli: Cli
) -> None:
    built("php-82-fpm", base="debian-12")
    started = time.monotonic()
    again = cli("build", "php-82-fpm", "--base", "debian-12")
    took = time.monotonic() - started
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("1 unchanged in ")
    assert took < 2.0


def test_variants_share_the_layers_of_php(engine: Engine, built: Built) -> None:
    function, fpm = (
        engine.api.inspect_image(built(name, base="debian-12").image_id)["RootFS"]["Layers"]
        for name in ("php-82", "php-82-fpm")
    )
    assert function[0] == fpm[0]  # the files of PHP; the image has no base below them


def test_a_written_context_is_built_by_plain_docker_build(
    cli: Cli, tmp_path: Path, debian12_image: str
) -> None:
    assert debian12_image
    written = cli("render", "php-82-fpm", "--base", "debian-12", "--output", str(tmp_path / "context"))
    assert written.returncode == 0, written.stderr
    command = ["docker", "build", "--quiet", str(tmp_path / "context")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "DOCKER_BUILDKIT": "0"}
    )
    assert done.returncode == 0, done.stderr
    assert in_image(done.stdout.strip(), "test -x /var/runtime/bootstrap && echo yes") == "yes\n"
    # Refused where another image was made from the same layers; then it is that one's.
    subprocess.run(["docker", "rmi", done.stdout.strip()], capture_output=True, check=False)


def test_buildx_builds_the_same_without_attestations(
    engine: Engine, built: Built, cli: Cli, buildx_config: Path
) -> None:
    before = built("php-82", base="debian-12")
    done = cli(
        "build",
        "php-82",
        "--base",
        "debian-12",
        "--builder",
        "buildx",
        "--no-cache",
        "--tag",
        "runtimebuilder-test/buildx:1",
        "--json",
        env={"DOCKER_CONFIG": str(buildx_config)},
    )
    assert done.returncode == 0, done.stderr
    assert "step 2/" in done.stderr
    (image,) = json.loads(done.stdout)["images"]
    assert image["status"] == "built"
    facts = engine.image("runtimebuilder-test/buildx:1")
    assert facts is not None
    assert facts.id == image["id"]
    assert facts.labels["dev.runtimebuilder.content-key"] == image["content_key"]
    engine.remove_image("runtimebuilder-test/buildx:1", force=True)
    # What shares its layers with the other variants gets its name back, for whoever runs these tests again.
    engine.tag(before.image_id, "php-82:debian-12")


@pytest.mark.parametrize("builder", ["classic", "buildx"])
def test_a_failing_step_is_named_with_its_last_lines_and_no_name_is_given(
    engine: Engine, cli: Cli, debian12_image: str, tmp_path: Path, buildx_config: Path, builder: str
) -> None:
    assert debian12_image
    spec = (tmp_path / "runtimes").resolve()
    spec.mkdir()
    (spec / "broken.yaml").write_text(
        "schema: 1\nname: broken\nfamily: php\nversion: '8.2'\nvariant: function\nbase: debian-12\n"
        "extensions: [curl]\nini: {memory_limit: 1M}\nenv: {X: '1'}\n"
    )
    templates = tmp_path / "templates" / "php"
    templates.mkdir(parents=True)
    (templates / "Dockerfile.j2").write_text(
        "FROM {{ from_image | image }}\nRUN echo about to fail >&2; echo the last words; exit 7\n"
    )
    done = cli(
        "build", "broken", "--builder", builder, cwd=tmp_path, env={"DOCKER_CONFIG": str(buildx_config)}
    )
    assert done.returncode == 1, done.stderr
    assert "failed: RUN echo about to fail" in done.stderr
    assert "the last words" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.startswith("0 built, 0 unchanged, 1 failed")
    assert engine.image("broken:debian-12") is None


def test_an_interrupted_build_leaves_no_container_and_no_name(
    engine: Engine, debian12_image: str, tmp_path: Path
) -> None:
    assert debian12_image
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes" / "slow.yaml").write_text(
        "schema: 1\nname: slow\nfamily: php\nversion: '8.2'\nvariant: function\nbase: debian-12\n"
    )
    templates = tmp_path / "templates" / "php"
    templates.mkdir(parents=True)
    (templates / "Dockerfile.j2").write_text(
        f"FROM {{{{ from_image | image }}}}\nRUN echo {tmp_path}; sleep 61\n"  # a step that no cache knows
    )
    before = {entry["Id"] for entry in engine.api.containers(all=True)}
    command = [str(Path(sys.executable).parent / "runtimebuilder"), "build", "slow", "--builder", "classic"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "step 2/" in line:
                break
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    deadline = time.monotonic() + 15
    while {entry["Id"] for entry in engine.api.containers(all=True)} - before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert {entry["Id"] for entry in engine.api.containers(all=True)} - before == set()
    assert engine.image("slow:debian-12") is None


NASTY = 'it\'s "quoted" $HOME ${PATH} `id` $(id) \\ ; RUN id # é'


def test_values_of_a_spec_arrive_as_they_are_and_cannot_break_out(
    engine: Engine, cli: Cli, debian12_image: str, tmp_path: Path
) -> None:
    assert debian12_image
    (tmp_path / "runtimes").mkdir()
    spec = {
        "schema": 1,
        "name": "nasty",
        "family": "php",
        "version": "8.2",
        "variant": "function",
        "base": "debian-12",
        "summary": NASTY,
        "env": {"NASTY": NASTY, "EMPTY": ""},
        "ini": {"user_agent": 'a "b" ${PATH} ; c', "error_prepend_string": "x = [y]"},
        "labels": {"com.example.nasty": NASTY},
    }
    (tmp_path / "runtimes" / "nasty.yaml").write_text(json.dumps(spec))  # JSON is YAML
    done = cli("build", "nasty", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    facts = engine.image("nasty:debian-12")
    assert facts is not None
    assert facts.env["NASTY"] == NASTY
    assert facts.env["EMPTY"] == ""
    assert facts.labels["com.example.nasty"] == NASTY
    assert facts.labels["org.opencontainers.image.description"] == NASTY
    script = 'php -r \'echo json_encode([ini_get("user_agent"), ini_get("error_prepend_string"), getenv("NASTY")]);\''
    assert json.loads(in_image(facts.id, script)) == ['a "b" ${PATH} ; c', "x = [y]", NASTY]
    for tag in facts.tags:
        engine.remove_image(tag, force=True)
