"""Several runtimes in one go: one solve, one failure that hides nothing, builders elsewhere, builds that are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from runtimebuilder.engine.docker import Engine
from tests.integration import newer_engine as newer_engine_module
from tests.integration.registry import Registry

Cli = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = Path(sys.executable).parent / "runtimebuilder"
KILLS = 20
SPEC = """\
schema: 1
name: {name}
family: solve
version: "1.0"
variant: function
kind: provided
base: debian-12
bootstrap: bootstrap
summary: "${{HOME}} %{{if true}}x%{{endif}} of {{{{ version }}}}"
build:
  run: ["{run}"]
  artefacts: [{{ from: /made, to: /opt/made }}]
"""
# Different each time that it runs: equal files in two images come from one run.
MAKE = "sleep 0.5; cat /proc/sys/kernel/random/uuid > /made"


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> Iterator[Path]:
    """Three runtimes that share a stage, and one whose stage fails; their images are removed."""
    (tmp_path / "runtimes").mkdir()
    boot = tmp_path / "bootstrap"
    boot.write_text("#!/bin/sh\nexit 3\n")
    boot.chmod(0o755)
    for name, run in (
        ("solve-a", MAKE),
        ("solve-a.b", MAKE),
        ("solve-a_b", MAKE),
        ("solve-broken", "echo on the way; exit 7"),
    ):
        (tmp_path / "runtimes" / f"{name}.yaml").write_text(SPEC.format(name=name, run=run))
    yield tmp_path
    removed = [facts.id for facts in engine.images_with_label("dev.runtimebuilder.family=solve")]
    for image in reversed(
        removed
    ):  # the youngest first: the classic builder's steps are each other's parents
        engine.remove_image(image, force=True)


@pytest.fixture(params=["buildx", "classic"])
def builder(request: pytest.FixtureRequest, buildx_config: Path, debian12_image: str) -> dict[str, str]:
    """The environment in which `build` takes that builder."""
    assert debian12_image
    return {"RUNTIMEBUILDER_BUILDER": request.param, "DOCKER_CONFIG": str(buildx_config)}


@pytest.fixture
def buildx(buildx_config: Path, debian12_image: str) -> dict[str, str]:
    """The environment in which `build` takes buildx."""
    assert debian12_image
    return {"RUNTIMEBUILDER_BUILDER": "buildx", "DOCKER_CONFIG": str(buildx_config)}


def made(image: str, address: str | None = None) -> str:
    """What the stage made, as it is in the image."""
    env = {**os.environ, **({"DOCKER_HOST": address} if address else {})}
    command = ["docker", "run", "--rm", "--network=none", "--entrypoint=/bin/cat", image, "/opt/made"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_failure_hides_none_of_the_others(
    project: Path, cli: Cli, engine: Engine, builder: dict[str, str]
) -> None:
    metadata = project / "built.json"
    done = cli("build", "--own", "--no-cache", "--metadata-file", str(metadata), cwd=project, env=builder)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("3 built, 0 unchanged, 1 failed in ")
    assert "error: solve-broken: step " in done.stderr
    assert "\n  on the way\n" in done.stderr
    assert "(exit code 7)" in done.stderr
    assert engine.image("solve-broken:debian-12") is None
    written = json.loads(metadata.read_text())
    assert sorted(written) == ["solve-a", "solve-a.b", "solve-a_b"]
    for name, entry in written.items():
        facts = engine.image(f"{name}:debian-12")
        assert facts is not None
        assert entry["containerimage.digest"] == facts.id
        assert entry["image.name"] == f"{name}:debian-12,{name}:latest"
        assert facts.labels["org.opencontainers.image.description"] == "${HOME} %{if true}x%{endif} of 1.0"
    again = cli("build", "--own", "--exclude", "solve-broken", cwd=project, env=builder)
    assert again.stdout.startswith("3 unchanged in ")


def test_a_shared_stage_is_run_once_and_failing_fast_ends_with_the_first(
    project: Path, cli: Cli, buildx: dict[str, str]
) -> None:
    done = cli("build", "solve-a*", "--no-cache", "--progress", "json", cwd=project, env=buildx)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stderr.splitlines()]
    ran = [event for event in events if event["event"] == "step" and "random/uuid" in event["text"]]
    assert len(ran) == 1
    assert len({made(f"{name}:debian-12") for name in ("solve-a", "solve-a.b", "solve-a_b")}) == 1
    assert [event["runtime"] for event in events if event["event"] == "built"] == [
        "solve-a",
        "solve-a.b",
        "solve-a_b",
    ]
    (project / "runtimes" / "solve-z.yaml").write_text(SPEC.format(name="solve-z", run="echo never"))
    fast = cli("build", "solve-broken", "solve-z", "--fail-fast", "--jobs", "1", cwd=project, env=buildx)
    assert fast.returncode == 1
    assert fast.stdout.startswith("0 built, 0 unchanged, 1 failed, 1 not begun in ")
    assert "solve-z" not in fast.stderr


def test_what_plain_bake_built_of_the_plan_is_unchanged_for_build(
    project: Path, cli: Cli, buildx: dict[str, str]
) -> None:
    plan = cli("bake", "solve-a*", "--contexts", "out", cwd=project, env=buildx)
    assert plan.returncode == 0, plan.stderr
    assert "builders elsewhere" in plan.stderr or "no builder elsewhere has it" in plan.stderr
    baked = subprocess.run(
        ["docker", "buildx", "bake", "-f", "-"],
        input=plan.stdout,
        capture_output=True,
        text=True,
        cwd=project,
        env={**os.environ, **buildx, "BUILDX_BUILDER": ""},
        check=False,
        timeout=120,
    )
    assert baked.returncode == 0, baked.stderr
    assert cli("build", "solve-a*", cwd=project, env=buildx).stdout.startswith("3 unchanged in ")


def test_an_image_gets_its_names_only_when_it_conforms(
    project: Path, cli: Cli, engine: Engine, buildx: dict[str, str]
) -> None:
    first = cli("build", "solve-a", cwd=project, env=buildx)
    assert first.returncode == 0, first.stderr
    before = engine.image("solve-a:debian-12")
    assert before is not None
    probed = ("--set", "summary=other", "--set", "verify.probe=shell")
    judged = cli("build", "solve-a", *probed, "--verify", cwd=project, env=buildx)
    assert judged.returncode == 1, judged.stderr
    assert "solve-a does not conform: " in judged.stderr
    assert "its names are as they were" in judged.stderr
    after = engine.image("solve-a:debian-12")
    assert after is not None
    assert after.id == before.id
    dry = cli("build", "solve-a", "--set", "summary=other", "--dry-run", "--json", cwd=project, env=buildx)
    assert json.loads(dry.stdout)["runtimes"] == [
        {"runtime": "solve-a", "base": "debian-12", "what": "changed", "why": ["spec changed"]}
    ]


def test_a_builder_in_another_engine_gets_the_base_and_gives_the_images_back(
    project: Path, cli: Cli, engine: Engine, buildx: dict[str, str], newer_engine: str
) -> None:
    context = ["docker", "context", "create", "elsewhere", "--docker", f"host={newer_engine}"]
    subprocess.run(context, check=True, capture_output=True, env={**os.environ, **buildx})
    cache = project / "cache"
    options = ("--builder", "elsewhere", "--cache-to", f"type=local,dest={cache}/{{name}}")
    done = cli("build", "solve-a", "solve-a.b", *options, cwd=project, env=buildx)
    assert done.returncode == 0, done.stderr
    assert made("solve-a:debian-12") == made("solve-a.b:debian-12")
    base, image = (
        engine.api.inspect_image(name)["RootFS"]["Layers"]
        for name in ("runtimebuilder/provided:debian-12", "solve-a:debian-12")
    )
    assert image[: len(base)] == base
    assert (cache / "solve-a" / "index.json").is_file()
    # The cache alone brings the same file back: the step is not run again.
    there = made("solve-a:debian-12")
    elsewhere = {**os.environ, **buildx, "DOCKER_HOST": newer_engine}
    pruned = ["docker", "builder", "prune", "--all", "--force"]
    subprocess.run(pruned, check=True, capture_output=True, env=elsewhere)
    cached = cli(
        *("build", "solve-a", "--set", "summary=cached", "--builder", "elsewhere"),
        *("--cache-from", f"type=local,src={cache}/{{name}}"),
        cwd=project,
        env=buildx,
    )
    assert cached.returncode == 0, cached.stderr
    assert made("solve-a:debian-12") == there
    refused = cli(
        "build", "solve-a", "--no-cache", "--cache-to", "type=local,dest=x", cwd=project, env=buildx
    )
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "this engine's own builder cannot write caches" in refused.stderr


def test_a_build_that_is_killed_leaves_no_name_and_no_container(
    project: Path, cli: Cli, engine: Engine, buildx_config: Path, debian12_image: str
) -> None:
    assert debian12_image
    chance = random.Random(20)  # noqa: S311 -- when to kill is no secret
    env = {**os.environ, "DOCKER_CONFIG": str(buildx_config)}
    before = {str(container["Id"]) for container in engine.api.containers(all=True)}
    finished = 0
    for number in range(KILLS):
        taken = "buildx" if number % 2 else "classic"
        command = [str(COMMAND), "build", "solve-a", "--no-cache", "--builder", taken, "--progress", "quiet"]
        command += ["--set", f"summary=number {number}"]
        process = subprocess.Popen(
            command,
            cwd=project,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            finished += process.wait(timeout=chance.uniform(0.1, 1.4)) == 0
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL if number % 4 < 3 else signal.SIGINT)
            process.wait(timeout=20)
            facts = engine.image("solve-a:debian-12")
            # Killed after it had given the name, or before: never another one's image under it.
            assert facts is None or facts.labels["org.opencontainers.image.description"].startswith("number ")
    assert finished < KILLS
    deadline = time.monotonic() + 30
    while left := {str(container["Id"]) for container in engine.api.containers(all=True)} - before:
        assert time.monotonic() < deadline, f"containers that stay: {left}"
        time.sleep(0.2)
    done = cli("build", "solve-a", cwd=project, env={"DOCKER_CONFIG": str(buildx_config)})
    assert done.returncode == 0, done.stderr
    assert len(made("solve-a:debian-12")) == 37


def test_two_builds_at_once_end_well(project: Path, engine: Engine, builder: dict[str, str]) -> None:
    command = [str(COMMAND), "build", "solve-a", "solve-a.b", "--no-cache"]
    both = [
        subprocess.Popen(
            command,
            cwd=project,
            env={**os.environ, **builder},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    for name in ("solve-a", "solve-a.b"):
        facts = engine.image(f"{name}:debian-12")
        assert facts is not None
        assert facts.labels["dev.runtimebuilder.runtime"] == name


def test_an_engine_that_goes_away_is_told_and_the_next_build_goes_on(
    project: Path, cli: Cli, builder: dict[str, str], newer_engine: str, newer_engine_folder: Path
) -> None:
    env = {**builder, "DOCKER_HOST": newer_engine}
    carried = "docker save runtimebuilder/provided:debian-12 | DOCKER_HOST=$0 docker load"
    subprocess.run(["/bin/sh", "-c", carried, newer_engine], check=True, capture_output=True)
    assert cli("build", "solve-a", cwd=project, env=env).returncode == 0
    for name in ("solve-slow", "solve-slower"):
        text = SPEC.format(name=name, run="sleep 5; touch /made")
        (project / "runtimes" / f"{name}.yaml").write_text(text)
    command = [str(COMMAND), "build", "solve-slow", "solve-slower"]
    process = subprocess.Popen(
        command,
        cwd=project,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    told = ""
    while "sleep 5" not in told:
        line = process.stderr.readline()
        assert line, told
        told += line
    time.sleep(0.3)
    newer_engine_module.kill(newer_engine_folder)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 4, told + err
    assert "the Docker engine went away in the middle of the build" in err
    assert out.startswith("0 built, 0 unchanged, 2 failed in ")
    assert "solve-slow, solve-slower: " in err or builder["RUNTIMEBUILDER_BUILDER"] == "classic"
    newer_engine_module.start(newer_engine_folder)
    again = cli("build", "solve-a", "--dry-run", "--json", cwd=project, env=env)
    assert json.loads(again.stdout)["runtimes"][0]["what"] == "unchanged"
    assert cli("build", "solve-a.b", "--no-cache", cwd=project, env=env).stdout.startswith(
        "1 built, 0 unchanged, 0 failed in "
    )


def test_what_was_built_is_pushed_and_what_failed_is_not(
    project: Path, cli: Cli, buildx: dict[str, str]
) -> None:
    unsaid = cli("build", "solve-a", "--push", cwd=project, env=buildx)
    assert (unsaid.returncode, unsaid.stdout) == (2, "")
    assert "say which registry" in unsaid.stderr
    client = docker.from_env()
    with Registry(client) as registry:
        options = ("--push", "--registry", f"{registry.host}/team")
        done = cli("build", "solve-a", "solve-broken", *options, cwd=project, env=buildx)
        assert done.returncode == 1, done.stderr
        summary, reference = done.stdout.splitlines()
        assert summary.startswith("1 built, 0 unchanged, 1 failed, 1 of 1 pushed in ")
        name, _, digest = reference.partition("@")
        assert name == f"{registry.host}/team/solve-a"
        assert registry.manifest("team/solve-a", digest).digest == digest
        again = cli("build", "solve-a", "--json", *options, cwd=project, env=buildx)
        assert json.loads(again.stdout)["pushed"] == [{"runtime": "solve-a", "reference": reference}]
    client.close()
    gone = cli("build", "solve-a", "--push", "--registry", "127.0.0.1:9/x", cwd=project, env=buildx)
    assert gone.returncode == 4
    assert gone.stdout.startswith("1 unchanged, 0 of 1 pushed in ")
