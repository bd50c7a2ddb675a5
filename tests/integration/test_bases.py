"""Bases: chosen openly, made compatible with `provided`, never swapped silently."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.engine.docker import Engine

Cli = Callable[..., subprocess.CompletedProcess[str]]
# Nothing listens there: the same answer on a closed network and on an open one.
NOBODY = "public.ecr.aws=127.0.0.1:9"


@pytest.fixture(params=["debian-12", "debian-13"])
def base_image(request: pytest.FixtureRequest, debian12_image: str, debian13_image: str) -> str:
    return {"debian-12": debian12_image, "debian-13": debian13_image}[str(request.param)]


def run(
    image: str, *arguments: str, environment: tuple[str, ...] = (), entrypoint: str | None = None
) -> subprocess.CompletedProcess[str]:
    command = ["docker", "run", "--rm", "--network=none"]
    command += [f"--env={variable}" for variable in environment]
    command += [f"--entrypoint={entrypoint}"] if entrypoint else []
    return subprocess.run(
        [*command, image, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_a_base_is_configured_as_provided_al2023_is(engine: Engine, base_image: str) -> None:
    facts = engine.image(base_image)
    assert facts is not None
    assert facts.env == {
        "LANG": "en_US.UTF-8",
        "TZ": ":/etc/localtime",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib"
        ":/opt/lib",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
    }
    assert (facts.entrypoint, facts.cmd, facts.workdir, facts.user) == (
        ("/lambda-entrypoint.sh",),
        None,
        "/var/task",
        "",
    )


@pytest.mark.parametrize("arguments", [(), ("one", "two")])
def test_the_entrypoint_wants_exactly_one_argument(base_image: str, arguments: tuple[str, ...]) -> None:
    done = run(base_image, *arguments)
    assert done.returncode == 142
    assert done.stderr.strip() == "entrypoint requires the handler name to be the first argument"


def test_the_entrypoint_says_what_to_do_where_there_is_no_emulator(base_image: str) -> None:
    done = run(base_image, "index.php")
    assert done.returncode == 1
    assert "runtimebuilder invoke" in done.stderr


def test_the_folders_locale_and_certificates_of_provided_are_there(base_image: str) -> None:
    script = "ls -d /opt /var/task /var/runtime /etc/ssl/certs/ca-certificates.crt"
    script += " /usr/share/zoneinfo/Europe/Paris && locale -a && locale 2>&1"
    done = run(base_image, "-c", script, entrypoint="/bin/sh")
    assert done.returncode == 0, done.stderr
    assert "en_US.utf8" in done.stdout
    assert "Cannot set" not in done.stdout


def test_an_unreachable_registry_without_auto_is_exit_4_and_says_what_to_do(cli: Cli) -> None:
    done = cli("build", "php-82-fpm", "--mirror", NOBODY)
    assert done.returncode == 4
    assert "the registry 127.0.0.1:9 cannot be reached from the Docker engine" in done.stderr
    assert "--base auto" in done.stderr
    assert "--base debian-12" in done.stderr


def test_auto_says_loudly_which_base_it_took(engine: Engine, cli: Cli, debian12_image: str) -> None:
    assert debian12_image
    done = cli("build", "php-82", "--base", "auto", "--mirror", NOBODY)
    assert done.returncode == 0, done.stderr
    assert "WARNING: php-82 is built on debian-12 instead of al2023 (--base auto)" in done.stderr
    facts = engine.image("php-82:debian-12")
    assert facts is not None
    assert facts.labels["dev.runtimebuilder.base-substituted-for"] == "al2023"
    assert engine.image("php-82:latest") is None


def test_auto_fails_where_no_base_has_that_php(cli: Cli) -> None:
    done = cli("build", "php-83", "--base", "auto", "--mirror", NOBODY)
    assert done.returncode == 4
    assert "no base made here has PHP 8.3" in done.stderr
    assert "PHP 8.2 (debian-12), PHP 8.4 (debian-13)" in done.stderr


def test_a_base_without_that_php_is_refused(cli: Cli) -> None:
    done = cli("build", "php-84", "--base", "debian-12")
    assert done.returncode == 2
    assert "debian-13" in done.stderr


def test_an_unknown_base_gets_a_suggestion(cli: Cli) -> None:
    done = cli("build", "php-84", "--base", "debian-1")
    assert done.returncode == 2
    assert "did you mean" in done.stderr


def test_a_broken_template_does_not_hide_behind_an_unreachable_registry(cli: Cli, tmp_path: Path) -> None:
    template = tmp_path / "templates" / "php" / "Dockerfile.j2"
    template.parent.mkdir(parents=True)
    template.write_text("FROM {{ from_image | image }}\nRUN {{ oops }}\n")
    done = cli("build", "php-82", "--mirror", NOBODY, cwd=tmp_path)
    assert done.returncode == 2
    assert f"{template}:2: 'oops' is undefined" in done.stderr
