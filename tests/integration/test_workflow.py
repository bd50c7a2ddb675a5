"""The scripts of the workflow that `init` writes, run one after the other as a pull request and a push run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from runtimebuilder.engine.docker import Engine
from tests.integration.registry import Registry

SPEC = """\
schema: 1
name: flow
family: flow
version: "1.0"
variant: function
kind: provided
base: debian-12
bootstrap: bootstrap
platforms: [linux/amd64]
verify: { probe: none }
"""
# Answers nothing, waits for ever for an event: all that the cases without a probe ask for.
BOOTSTRAP = """\
#!/usr/bin/perl
use strict; use warnings; use IO::Socket::INET;
my $api = $ENV{AWS_LAMBDA_RUNTIME_API};
my $socket = IO::Socket::INET->new(PeerAddr => $api) or die "no API: $!";
print $socket "GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: $api\\r\\n\\r\\n";
my $answer = <$socket>;
"""


class Workflow:
    """Runs the steps of the written workflow by their names, in one folder, with one set of variables."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.env = dict(env)
        text = (folder / ".github" / "workflows" / "runtimes.yml").read_text()
        self.jobs: dict[str, Any] = yaml.safe_load(text)["jobs"]

    def run(self, job: str, name: str, **more: str) -> subprocess.CompletedProcess[str]:
        script = next(step["run"] for step in self.jobs[job]["steps"] if step.get("name") == name)
        # As GitHub's runner does it.
        return subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env={**self.env, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


def git(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    done = subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def workflow(tmp_path: Path, engine: Engine, buildx_config: Path, debian12_image: str) -> Iterator[Workflow]:
    """A project in a repository, as `init` begins it, with one small runtime."""
    assert debian12_image
    folder = tmp_path / "project"
    command = str(Path(sys.executable).parent / "runtimebuilder")
    subprocess.run([command, "init", str(folder), "--name", "unused"], check=True, capture_output=True)
    for file in (folder / "runtimes").iterdir():
        file.unlink()
    (folder / "bootstrap").write_text(BOOTSTRAP)
    (folder / "bootstrap").chmod(0o755)
    (folder / "runtimes" / "flow.yaml").write_text(SPEC)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=first")
    env = {
        **os.environ,
        "PATH": f"{Path(command).parent}:{os.environ['PATH']}",
        "DOCKER_CONFIG": str(buildx_config),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    env.pop("GITHUB_ACTIONS", None)
    yield Workflow(folder, env)
    for facts in reversed(engine.images_with_label("dev.runtimebuilder.family=flow")):
        engine.remove_image(facts.id, force=True)


def test_a_change_goes_from_the_pull_request_to_the_registry(workflow: Workflow, tmp_path: Path) -> None:
    before = git(workflow.folder, "rev-parse", "HEAD")
    assert workflow.run("plan", "Check the specs").returncode == 0
    nothing = workflow.run("plan", "What has changed", BEFORE=before)
    assert nothing.returncode == 0, nothing.stderr
    assert "any=false\n" in (tmp_path / "output").read_text()

    with (workflow.folder / "runtimes" / "flow.yaml").open("a") as spec:
        spec.write("env: { A: b }\n")
    git(workflow.folder, "commit", "--quiet", "--all", "--message=second")
    (tmp_path / "output").write_text("")
    planned = workflow.run("plan", "What has changed", BEFORE=before)
    assert planned.returncode == 0, planned.stderr
    outputs = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert outputs["any"] == "true"
    (row,) = json.loads(outputs["matrix"])["include"]
    assert (row["runtime"], row["platform"], row["reason"]) == ("flow", "linux/amd64", "spec changed")

    matrix = {"RUNTIME": row["runtime"], "PLATFORM": row["platform"], "SLUG": row["slug"]}
    built = workflow.run("build", "Build", **matrix, RUNTIMEBUILDER_PROVENANCE="out")
    assert built.returncode == 0, built.stderr
    (subject,) = json.loads((workflow.folder / "out" / "flow.intoto.json").read_text())["subject"]
    image = json.loads((workflow.folder / "build.json").read_text())["flow"]["containerimage.digest"]
    assert f"sha256:{subject['digest']['sha256']}" == image
    verified = workflow.run("build", "Verify", **matrix)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "<testsuite" in (workflow.folder / "verify.xml").read_text()
    with Registry(docker.from_env()) as registry:
        workflow.env["RUNTIMEBUILDER_REGISTRY"] = f"{registry.host}/team"
        pushed = workflow.run("build", "Push", **matrix)
        assert pushed.returncode == 0, pushed.stderr
        (entry,) = json.loads((workflow.folder / f"pushed-{row['slug']}.json").read_text())["images"]
        assert f"{registry.host}/team/flow@{entry['digest']}" in pushed.stdout
        attached = workflow.run("build", "Attach SBOM and provenance", **matrix)
        assert attached.returncode == 0, attached.stderr
        (workflow.folder / "pushed").mkdir()
        (workflow.folder / f"pushed-{row['slug']}.json").rename(workflow.folder / "pushed" / "one.json")
        index = workflow.run("index", "One name for both architectures, for FROM")
        assert index.returncode == 0, index.stderr
