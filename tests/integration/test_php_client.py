"""The PHP client's own tests of its pure parts, run by the PHP of the images."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import runtimebuilder
from runtimebuilder.build.execute import BuiltImage

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("name", "base"), [("php-82", "debian-12"), ("php-84", "debian-13")])
def test_the_pure_parts_of_the_client(built: Callable[..., BuiltImage], name: str, base: str) -> None:
    image = built(name, base=base).image_id
    command = ["docker", "run", "--rm", "--network=none", "--read-only", "--tmpfs=/tmp", "--user=993:990"]
    command += [
        f"--volume={ROOT}/tests/php:/tests:ro",
        "--entrypoint=/usr/bin/php",
        image,
        "/tests/run.php",
        "/var/runtime/php",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    closing = re.search(r"(\d+) passed, (\d+) failed", done.stdout)
    assert closing is not None
    assert int(closing[1]) > 100
    assert closing[2] == "0"


def test_every_php_file_parses_without_a_warning(built: Callable[..., BuiltImage]) -> None:
    image = built("php-84", base="debian-13").image_id
    script = "find /var/runtime /php -name '*.php' ! -name 'broken-*' | xargs -n 1 php -l"
    command = [
        "docker",
        "run",
        "--rm",
        "--network=none",
        f"--volume={ROOT}/runtimebuilder/conformance/probes/php:/php:ro",
    ]
    done = subprocess.run(
        [*command, "--entrypoint=/bin/sh", image, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line]
    assert len(lines) > 40
    assert [line for line in lines if not line.startswith("No syntax errors")] == []


def test_the_client_has_the_version_of_the_tool() -> None:
    source = (ROOT / "templates/php/rootfs/var/runtime/php/src/Version.php").read_text()
    assert f"'{runtimebuilder.__version__}'" in source


def test_every_php_file_is_strict() -> None:
    files = [*ROOT.glob("templates/**/*.php"), *ROOT.glob("tests/php/**/*.php"), *ROOT.glob("docs/**/*.php")]
    assert len(files) > 40
    assert [str(file) for file in files if "declare(strict_types=1);" not in file.read_text()] == []
