"""Pinning with a real package manager: what the lock says is what is in the image."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtimebuilder.engine.docker import Engine

Cli = Callable[..., subprocess.CompletedProcess[str]]
SPEC = """\
schema: 1
name: own-tool
family: bash
version: "5.2"
variant: function
kind: provided
base: debian-12
bootstrap: bootstrap
packages: { debian-12: [jq] }
"""


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> Iterator[Path]:
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes" / "tool.yaml").write_text(SPEC)
    (tmp_path / "bootstrap").write_text("#!/bin/bash\n")
    yield tmp_path
    for tag in ("debian-12", "latest"):
        engine.remove_image(f"own-tool:{tag}", force=True)


def versions(image: str) -> dict[str, str]:
    script = "dpkg-query -W -f '${Package} ${Version}\\n'"
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=none", "--entrypoint=/bin/sh", image, "-c", script],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def test_what_is_locked_is_what_is_built_until_the_spec_asks_for_more(
    cli: Cli, project: Path, debian12_image: str
) -> None:
    assert cli("build", "own-tool", "--locked", cwd=project).returncode == 2, "there is no lock"
    done = cli("lock", cwd=project)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    lock = project / "runtimes.lock"
    entry = json.loads(lock.read_text().partition("\n")[2])["runtimes"]["own-tool"]
    (found,) = entry["platforms"].values()
    packages = found["packages"]["variant"]
    assert entry["wanted"] == {"variant": ["jq"]}
    assert {"jq", "libjq1", "libonig5"} <= set(packages)

    done = cli("build", "own-tool", "--locked", cwd=project)
    assert done.returncode == 0, done.stderr
    before, now = versions(debian12_image), versions("own-tool:debian-12")
    assert {name: version for name, version in now.items() if before.get(name) != version} == packages

    text = lock.read_text()
    done = cli("lock", cwd=project)
    assert done.returncode == 0
    assert lock.read_text() == text, "what fits stays"
    assert cli("outdated", cwd=project).returncode == 0

    # A version that is no longer the newest, and is not to be had any more.
    newest = f'"jq": "{packages["jq"]}"'
    assert newest in text
    lock.write_text(text.replace(newest, '"jq": "1.5-old"'))
    done = cli("outdated", "--json", cwd=project)
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "outdated": [{"runtime": "own-tool", "what": "jq", "locked": "1.5-old", "now": packages["jq"]}]
    }
    assert cli("lock", "--check", cwd=project).returncode == 0, "an old version is no stale lock"

    spec = project / "runtimes" / "tool.yaml"
    spec.write_text(SPEC.replace("[jq]", "[jq, unzip]"))
    done = cli("build", "own-tool", "--locked", cwd=project)
    assert done.returncode == 2
    assert "runtimes.lock does not fit own-tool any more: unzip is asked for now" in done.stderr
    assert cli("lock", "--check", cwd=project).returncode == 1
    assert "own-tool is built without it" in cli("plan", "own-tool", cwd=project).stderr


def test_a_package_that_is_none_leaves_the_lock_as_it_was(
    cli: Cli, project: Path, debian12_image: str
) -> None:
    assert debian12_image
    (project / "runtimes.lock").write_text('{"schema": 1, "epoch": 5, "runtimes": {}}\n')
    (project / "runtimes" / "tool.yaml").write_text(SPEC.replace("[jq]", "[jqq]"))
    done = cli("lock", cwd=project)
    assert done.returncode == 4
    assert "Unable to locate package jqq" in done.stderr
    assert json.loads((project / "runtimes.lock").read_text())["epoch"] == 5
