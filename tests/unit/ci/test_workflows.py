"""The pipelines that `init` writes, and our own: valid by the published schemas, pinned, with few permissions."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtimebuilder.render.project import CI_SYSTEMS, new_project
from runtimebuilder.spec.catalog import Catalog

ROOT = Path(__file__).resolve().parents[3]
OWN = ROOT / ".github" / "workflows"
CHECK = [sys.executable, "-m", "check_jsonschema"]
_PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\Z")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the pipelines of every system."""
    folder = tmp_path_factory.mktemp("project")
    for system in CI_SYSTEMS:
        for path, text in new_project(Catalog.load(), "app", "php-84-fpm", system).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    return folder


def workflows(written: Path) -> list[Path]:
    return sorted([*(written / ".github" / "workflows").iterdir(), *OWN.iterdir()])


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("vendor.github-workflows", ("github",)),
        ("custom.github-workflows-require-timeout", ("github",)),
        ("vendor.gitlab-ci", (".gitlab-ci.yml",)),
        ("vendor.buildkite", (".buildkite/pipeline.yml",)),
    ],
)
def test_pipelines_are_valid_by_the_published_schemas(
    written: Path, schema: str, paths: tuple[str, ...]
) -> None:
    files = workflows(written) if paths == ("github",) else [written / path for path in paths]
    assert files
    command = [*CHECK, "--builtin-schema", schema, *map(str, files)]
    if schema == "vendor.gitlab-ci":
        command[3:3] = ["--data-transform", "gitlab-ci"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_mistake_in_a_workflow_would_be_found(written: Path, tmp_path: Path) -> None:
    text = (written / ".github" / "workflows" / "runtimes.yml").read_text()
    broken = tmp_path / "broken.yml"
    broken.write_text(text.replace("runs-on:", "run-on:", 1))
    command = [*CHECK, "--builtin-schema", "vendor.github-workflows", str(broken)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_every_action_is_pinned_to_a_commit(written: Path) -> None:
    used = [
        line.partition("uses:")[2].strip()
        for file in workflows(written)
        for line in file.read_text().splitlines()
        if "uses:" in line
    ]
    assert len(used) > 10
    assert [one for one in used if not _PINNED.match(one)] == []


def jobs(files: list[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in files:
        for name, job in yaml.safe_load(file.read_text())["jobs"].items():
            yield f"{file.name} {name}", job


def test_permissions_are_few_and_no_long_lived_key_is_used(written: Path) -> None:
    for file in workflows(written):
        text = file.read_text()
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}, file.name
        assert "secrets." not in text, file.name
        assert "aws-access-key" not in text, file.name
    asked = {name: job["permissions"] for name, job in jobs(workflows(written)) if "permissions" in job}
    with_write = {
        name: sorted(key for key, level in each.items() if level == "write") for name, each in asked.items()
    }
    assert with_write == {
        "images.yml build": ["id-token"],
        "images.yml index": ["id-token"],
        "images.yml gate": [],
        "lock.yml renew": ["contents", "pull-requests"],
        "runtimes.yml build": ["id-token"],
        "runtimes.yml index": ["id-token"],
        "runtimes.yml gate": [],
    }


def test_nothing_from_outside_is_put_into_a_script(written: Path) -> None:
    """An expression in `run:` would be code of whoever names a branch; through `env:` it is data."""
    for name, job in jobs(workflows(written)):
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), f"{name}: {step}"


def test_every_script_can_be_read_by_the_shell(written: Path) -> None:
    scripts = [step["run"] for _, job in jobs(workflows(written)) for step in job["steps"] if "run" in step]
    scripts.append((written / ".buildkite" / "build.sh").read_text())
    assert len(scripts) > 12
    for script in scripts:
        subprocess.run(["/bin/bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ("success success success", 0),
        ("success skipped skipped", 0),
        ("success failure skipped", 1),
        ("cancelled skipped skipped", 1),
    ],
)
def test_the_gate_is_closed_by_what_failed_or_was_cancelled(written: Path, results: str, code: int) -> None:
    workflow = yaml.safe_load((written / ".github" / "workflows" / "runtimes.yml").read_text())
    script = workflow["jobs"]["gate"]["steps"][0]["run"]
    done = subprocess.run(
        ["/bin/bash", "-e", "-c", script], env={"RESULTS": results}, capture_output=True, check=False
    )
    assert done.returncode == code


def test_our_own_images_go_the_way_of_everybodys(written: Path) -> None:
    theirs = (written / ".github" / "workflows" / "runtimes.yml").read_text()
    for old, new in (
        ("name: runtimes\n", "name: images\n"),
        ('group: "runtimes-', 'group: "images-'),
        ("pip install runtimebuilder\n", "pip install .\n"),
        ("'runtimebuilder[ecr]'", "'.[ecr]'"),
        ("'runtimebuilder[ecr,sbom]'", "'.[ecr,sbom]'"),
        ("ci matrix --own ", "ci matrix --group "),
    ):
        assert old in theirs
        theirs = theirs.replace(old, new)
    assert (OWN / "images.yml").read_text() == theirs
