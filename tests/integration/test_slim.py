"""Slim images: small, whole, told, and good to build upon."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.engine.docker import Engine

Cli = Callable[..., subprocess.CompletedProcess[str]]
Built = Callable[..., BuiltImage]
EXERCISE = (Path(__file__).parent / "slim" / "exercise.php").read_text()
LARGEST = 98_500_000  # with all that Bref's images always have
LARGEST_BARE = 90_000_000  # without the four of them that few applications use
RUN = ("docker", "run", "--rm", "-i", "--network=none", "--read-only", "--tmpfs=/tmp")

SPEC = """\
schema: 1
name: own-slim
extends: php-82
base: debian-12
extensions: [+gd, +imagick, +redis]
packages: {debian-12: [bash, git, jq]}
# A program that needs a library of the base which no PHP needs.
build: {run: [cp /usr/bin/dpkg-deb /tool], artefacts: [{from: /tool, to: /opt/tool}]}
"""
USE = """\
$picture = new Imagick(); $picture->newImage(2, 2, 'red'); $picture->setImageFormat('png');
$png = $picture->getImageBlob();
echo json_encode([
    (new finfo(FILEINFO_MIME_TYPE))->buffer($png),
    imagesx(imagecreatefromstring($png)),
    class_exists('Redis'),
    $picture::queryFormats('WEBP'),
    shell_exec('echo {} | jq -c .; bash -c "echo \\$((1+1))"; git --version | cut -c 1-11; /opt/tool --version 2>&1'),
]);
"""


def in_image(image: str, *command: str, given: str = "") -> str:
    done = subprocess.run(
        [*RUN, "--entrypoint", command[0], image, *command[1:]],
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_php_with_fpm_and_the_usual_extensions_is_small(built: Built) -> None:
    assert built("php-82-fpm", base="debian-12").size <= LARGEST


def test_a_runtime_that_adds_files_alone_is_slim_too(own: Path, cli: Cli) -> None:
    spec = "schema: 1\nname: own-slim\nextends: php-82\nbase: debian-12\n"
    (own / "note.txt").write_text("mine\n")
    (own / "runtimes" / "own.yaml").write_text(spec + "files: [{from: note.txt, to: /opt/note.txt}]\n")
    done = cli("build", "own-slim", cwd=own)
    assert done.returncode == 0, done.stderr
    assert in_image("own-slim:debian-12", "/bin/cat", "/opt/note.txt") == "mine\n"


def test_what_is_left_out_makes_it_smaller(own: Path, cli: Cli) -> None:
    spec = "schema: 1\nname: own-slim\nextends: php-82-fpm\nbase: debian-12\n"
    without = "extensions: [-ffi, -fileinfo, -readline, -xsl]\n"
    (own / "runtimes" / "own.yaml").write_text(spec + without)
    done = cli("build", "own-slim", "--json", cwd=own)
    assert done.returncode == 0, done.stderr
    (image,) = json.loads(done.stdout)["images"]
    assert image["size"] <= LARGEST_BARE
    assert "fileinfo" not in in_image("own-slim:debian-12", "/opt/bin/php", "-m")


@pytest.mark.parametrize("name", ["php-82", "php-82-fpm", "php-82-console"])
def test_every_extension_works_in_a_slim_image(built: Built, name: str) -> None:
    image = built(name, base="debian-12").image_id
    assert in_image(image, "/opt/bin/php", given=EXERCISE) == "[]\n"


def test_what_is_in_a_slim_image_is_told(built: Built, cli: Cli) -> None:
    image = built("php-82-fpm", base="debian-12").image_id
    found = json.loads(cli("inspect", image, "--json").stdout)
    names = {one["name"] for one in found["packages"]}
    assert found["manager"] == "apt"
    assert {"php8.2-cli", "php8.2-fpm", "libicu72", "libc6", "tzdata", "ca-certificates", "busybox"} <= names
    assert names.isdisjoint({"apt", "bash", "coreutils", "dpkg", "perl-base", "psmisc", "systemd"})
    # Each is told where scanners look, with its licence.
    (told,) = {in_image(image, "sh", "-c", "cat /var/lib/dpkg/status.d/libxml2 | head -n 1")}
    assert told == "Package: libxml2\n"
    licences = in_image(
        image, "sh", "-c", "cd /usr/share/doc && ls -d */copyright | cut -d / -f 1 | sort"
    ).split()
    assert {"libxml2", "php8.2-common", "libkrb5-3", "libk5crypto3"} <= set(licences)
    assert (
        in_image(image, "sh", "-c", "for f in /usr/share/doc/*/copyright; do [ -s $f ] || echo $f; done")
        == ""
    )


def test_what_is_not_in_a_slim_image_says_so(built: Built) -> None:
    image = built("php-82", base="debian-12").image_id
    assert "slim: false" in in_image(image, "apt-get", "install", "jq")
    assert in_image(image, "/opt/bin/php", "-r", "var_dump(mail('a@b.c', 'd', 'e'));").startswith(
        "bool(false)\n"
    )


@pytest.fixture
def own(tmp_path: Path, engine: Engine) -> Iterator[Path]:
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes" / "own.yaml").write_text(SPEC)
    yield tmp_path
    engine.remove_image("own-slim:debian-12", force=True)
    engine.remove_image("own-slim:latest", force=True)


def test_a_runtime_of_ones_own_extends_a_slim_one(own: Path, cli: Cli) -> None:
    done = cli("build", "own-slim", cwd=own)
    assert done.returncode == 0, done.stderr
    said = in_image("own-slim:debian-12", "/opt/bin/php", "-r", USE)
    kind, width, redis, formats, tools = json.loads(said)
    assert (kind, width, redis, formats) == ("image/png", 2, True, ["WEBP"])
    assert tools.startswith("{}\n2\ngit version\nDebian 'dpkg-deb'")
