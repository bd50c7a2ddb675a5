"""The matrix: exactly what has changed, each once a platform, in as many jobs and shards as may be."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as some

from runtimebuilder.ci.matrix import ALL, Chosen, Format, Job, Plan, choose, jobs, parse_runners, parse_shard
from runtimebuilder.ci.pipelines import github_output, matrix_text
from runtimebuilder.errors import SpecError
from runtimebuilder.spec.catalog import Catalog
from tests.unit.cli.conftest import Command, command

__all__ = ["command"]

RUNTIMES = Path(__file__).resolve().parents[3] / "runtimes"
CATALOG = Catalog.load([RUNTIMES])
EVERYTHING = tuple(Chosen(runtime, ALL) for runtime in CATALOG.runtimes.values())
SPEC = "schema: 1\nname: {name}\nextends: {extends}\n"


def pairs(found: tuple[Job, ...]) -> list[tuple[str, str]]:
    """Each runtime with each platform that it is built for."""
    return sorted(
        (name, platform) for job in found for name in job.runtimes for platform in job.platform.split(",")
    )


WHOLE = sorted((one.runtime.name, platform) for one in EVERYTHING for platform in one.runtime.platforms)


def test_each_runtime_is_a_job_on_a_runner_of_each_of_its_platforms() -> None:
    found = jobs(EVERYTHING, Plan())
    assert pairs(found) == WHOLE
    assert len(found) == len(WHOLE)
    assert {(job.platform, job.runner) for job in found} == {
        ("linux/amd64", "ubuntu-24.04"),
        ("linux/arm64", "ubuntu-24.04-arm"),
    }
    assert list(found) == sorted(found)


def test_one_job_may_have_all_platforms_and_all_runtimes_that_share_their_layers() -> None:
    together = jobs(EVERYTHING, Plan(by_platform=False))
    assert {job.platform for job in together} == {"linux/amd64,linux/arm64"}
    assert pairs(together) == WHOLE
    grouped = jobs(EVERYTHING, Plan(by_version=True))
    assert pairs(grouped) == WHOLE
    assert all(len({CATALOG.runtimes[name].version for name in job.runtimes}) == 1 for job in grouped)
    assert len(grouped) == 2 * len({one.runtime.version for one in EVERYTHING})


@settings(max_examples=60, deadline=None)
@given(some.integers(1, 60), some.integers(1, 6), some.booleans(), some.sampled_from(list(Format)))
def test_shards_are_complete_and_disjoint_and_keep_the_limit(
    limit: int, of: int, by_platform: bool, kind: Format
) -> None:
    plans = [
        Plan(format=kind, by_platform=by_platform, max_jobs=limit, shard=(which, of))
        for which in range(1, of + 1)
    ]
    if limit * of < (2 if by_platform else 1):
        with pytest.raises(SpecError, match="cannot be met"):
            jobs(EVERYTHING, plans[0])
        return
    shards = [jobs(EVERYTHING, plan) for plan in plans]
    assert max(map(len, shards)) <= limit
    assert pairs(tuple(job for shard in shards for job in shard)) == WHOLE


def test_githubs_limit_holds_by_itself() -> None:
    many = tuple(
        Chosen(runtime.model_copy(update={"name": f"{runtime.name}-{number}"}), ALL)
        for runtime in CATALOG.runtimes.values()
        for number in range(40)
    )
    assert len(many) * 2 > 256
    found = jobs(many, Plan())
    assert len(found) <= 256
    assert len(pairs(found)) == len(many) * 2


def test_a_platform_without_a_runner_is_told() -> None:
    runtime = CATALOG.runtimes["php-82"].model_copy(update={"platforms": ("linux/riscv64",)})
    with pytest.raises(SpecError, match="no runner for linux/riscv64"):
        jobs((Chosen(runtime, ALL),), Plan())
    (job,) = jobs((Chosen(runtime, ALL),), Plan(runners=parse_runners(["linux/riscv64=mine"])))
    assert job.runner == "mine"


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1", "a/b", "1/2/3", "-1/2"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="is not I/N"):
        parse_shard(text)


def test_github_gets_a_matrix_and_outputs_that_a_workflow_can_test() -> None:
    found = jobs(EVERYTHING[:1], Plan())
    document = json.loads(matrix_text(found, Format.GITHUB))
    assert document["include"][0] == {
        "runtime": "php-81",
        "platform": "linux/amd64",
        "runner": "ubuntu-24.04",
        "base": "al2023",
        "reason": ALL,
        "slug": "php-81-linux-amd64",
    }
    assert matrix_text((), Format.GITHUB) == '{"include": []}\n'
    assert github_output(()) == 'matrix={"include": []}\ncount=0\nany=false\n'
    lines = github_output(found).splitlines()
    assert json.loads(lines[0].removeprefix("matrix=")) == document
    assert lines[1:] == ["count=2", "any=true"]


def test_gitlab_and_buildkite_get_pipelines_that_are_never_empty() -> None:
    found = jobs(EVERYTHING[:2], Plan(format=Format.GITLAB))
    rows = yaml.safe_load(matrix_text(found, Format.GITLAB))["build"]["parallel"]["matrix"]
    assert [(row["RUNTIME"], row["PLATFORM"]) for row in rows] == [
        (name, platform) for name, platform in WHOLE if name in {"php-81", "php-81-console"}
    ]
    steps = yaml.safe_load(matrix_text(found, Format.BUILDKITE))["steps"]
    assert [step["env"]["RUNTIME"] for step in steps] == [row["RUNTIME"] for row in rows]
    assert yaml.safe_load(matrix_text((), Format.GITLAB)) == {
        "nothing": {"script": ["echo nothing to build"]}
    }
    assert len(yaml.safe_load(matrix_text((), Format.BUILDKITE))["steps"]) == 1


def git(*arguments: str) -> None:
    names = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", *names, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(command: Command) -> Command:
    """A project of three runtimes in a repository with one commit."""
    Path("runtimes").mkdir()
    for name, extends in (("one", "php-82"), ("two", "one"), ("three", "php-83-fpm")):
        Path("runtimes", f"{name}.yaml").write_text(SPEC.format(name=name, extends=extends))
    git("init", "--quiet", "--initial-branch=main")
    git("add", ".")
    git("commit", "--quiet", "--message=first")
    return command


def rows(command: Command, *arguments: str) -> dict[str, str]:
    ran = command("ci", "matrix", "--own", "--platform", "linux/amd64", *arguments)
    assert ran.code == 0, ran.err
    return {row["runtime"]: row["reason"] for row in json.loads(ran.out)["include"]}


def test_a_change_selects_what_it_reaches_and_nothing_else(repository: Command) -> None:
    assert rows(repository) == dict.fromkeys(("one", "three", "two"), ALL)
    assert rows(repository, "--changed-since", "HEAD") == {}
    Path("README.md").write_text("x")
    Path("runtimes/one.yaml").write_text(SPEC.format(name="one", extends="php-82") + "# only words\n")
    assert rows(repository, "--changed-since", "HEAD") == {}
    with Path("runtimes/one.yaml").open("a") as file:
        file.write("ini: { memory_limit: 1G }\n")
    assert rows(repository, "--changed-since", "HEAD") == {"one": "spec changed", "two": "spec changed"}
    Path("runtimes/four.yaml").write_text(SPEC.format(name="four", extends="php-82"))
    assert rows(repository, "--changed-since", "HEAD")["four"] == "new"


def test_without_a_comparison_all_are_built_and_it_is_said(repository: Command) -> None:
    ran = repository("ci", "matrix", "--own", "--changed-since", "nothere")
    assert ran.code == 0
    assert "WARNING: all are selected, for they cannot be compared: there is no revision 'nothere'" in ran.err
    assert {row["reason"] for row in json.loads(ran.out)["include"]} == {"cannot be compared"}
    assert len(json.loads(ran.out)["include"]) == 6


def test_the_outputs_go_to_the_file_that_github_names(
    repository: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "out"))
    (tmp_path / "out").write_text("before=1\n")
    ran = repository("ci", "matrix", "--own", "--changed-since", "HEAD", "--github-output")
    assert ran.out == '{"include": []}\n'
    assert (tmp_path / "out").read_text() == 'before=1\nmatrix={"include": []}\ncount=0\nany=false\n'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "jenkins"], "is not one of github, gitlab, buildkite, json"),
        (["--split", "os"], "is neither arch nor none"),
        (["--runner", "arm64"], "is not PLATFORM=LABEL"),
        (["--shard", "2"], "is not I/N"),
        (["--github-output"], "GITHUB_OUTPUT is not set"),
    ],
)
def test_wrong_usage_is_told(
    command: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    ran = command("ci", "matrix", "php-82", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_choosing_without_a_revision_takes_all() -> None:
    chosen, problem = choose(CATALOG, tuple(CATALOG.runtimes.values()), None)
    assert (chosen, problem) == (EVERYTHING, None)
