"""`runtimebuilder push` as a person, or a job, runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtimebuilder.engine.docker import Engine
from tests.integration.publish.conftest import Cli, Maker
from tests.integration.publish.proxy import FaultProxy, HangUp, Reply
from tests.integration.registry import Registry


@pytest.fixture(autouse=True)
def images(make_image: Maker) -> None:
    make_image("pub-one", seed=1)
    make_image("pub-two", seed=2)


def test_each_image_is_one_line_of_data_and_the_rest_is_talk(
    cli: Cli, project: Path, registry: Registry, tmp_path: Path
) -> None:
    outputs = tmp_path / "outputs"
    metadata = tmp_path / "pushed.json"
    place = f"{registry.host}/cli"
    command = ("push", "pub-*", "--registry", place, "--metadata-file", str(metadata))
    ran = cli(*command, cwd=project, env={"GITHUB_OUTPUT": str(outputs)})
    assert ran.returncode == 0, ran.stderr
    digests = [registry.manifest(f"cli/{name}", "8.2").digest for name in ("pub-one", "pub-two")]
    assert ran.stdout.splitlines() == [
        f"{place}/pub-one@{digests[0]}",
        f"{place}/pub-two@{digests[1]}",
    ]
    document = json.loads(metadata.read_text())
    assert [image["digest"] for image in document["images"]] == digests
    one = document["images"][0]
    assert (one["runtime"], one["platform"], one["base"]) == ("pub-one", "linux/amd64", "debian-12")
    assert one["tags"][0] == "8.2"
    assert len(one["tags"]) == 2  # the spec's tags
    assert 450_000 < one["size"] < 460_000
    (line,) = outputs.read_text().splitlines()  # two images: no single one to name
    assert line.startswith("images=[{")

    again = cli(
        "push", "pub-one", "--registry", place, "--json", cwd=project, env={"GITHUB_OUTPUT": str(outputs)}
    )
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["images"][0]["status"] == "unchanged"
    assert f"digest={digests[0]}\nimage={place}/pub-one@{digests[0]}\n" in outputs.read_text()


def test_a_failed_push_claims_nothing(cli: Cli, project: Path, registry: Registry, tmp_path: Path) -> None:
    metadata = tmp_path / "pushed.json"
    metadata.write_text('{"schema": 1, "images": ["of an earlier push"]}')
    outputs = tmp_path / "outputs"
    with FaultProxy(registry.host) as proxy:
        proxy.fail(1000, "PUT", "/manifests/", HangUp())
        place = f"{proxy.host}/broken"
        command = (
            "push",
            "pub-one",
            "--registry",
            place,
            "--attempts",
            "2",
            "--metadata-file",
            str(metadata),
        )
        ran = cli(*command, cwd=project, env={"GITHUB_OUTPUT": str(outputs)})
    assert (ran.returncode, ran.stdout) == (1, ""), ran.stderr
    assert "again in" in ran.stderr
    assert "given up (2 attempts)" in ran.stderr
    assert json.loads(metadata.read_text()) == {"schema": 1, "images": []}
    assert "digest=" not in outputs.read_text()


def test_a_dry_run_says_what_would_happen_and_sends_nothing(
    cli: Cli, project: Path, registry: Registry
) -> None:
    with FaultProxy(registry.host) as proxy:
        place = f"{proxy.host}/dry"
        ran = cli(
            "push", "pub-one", "--registry", place, "--tag", "{{ version }}-x", "--dry-run", cwd=project
        )
        assert (ran.returncode, ran.stdout) == (0, f"{place}/pub-one:8.2-x  new\n"), ran.stderr
        assert {asked.method for asked in proxy.asked} == {"GET"}


def test_an_image_that_is_not_what_the_spec_says_now_is_refused(
    cli: Cli, project: Path, registry: Registry, make_image: Maker
) -> None:
    make_image("pub-one", seed=1, parts="base=x;context=an-earlier-one;pins=none;spec=an-earlier-one")
    command = ("push", "pub-one", "--registry", f"{registry.host}/stale")
    ran = cli(*command, cwd=project)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "is not what would be built now: spec changed" in ran.stderr
    assert "runtimebuilder build pub-one" in ran.stderr
    assert cli(*command, "--allow-stale", cwd=project).returncode == 0


def test_each_platform_has_an_image_of_its_own(
    cli: Cli, project: Path, registry: Registry, engine: Engine, make_image: Maker
) -> None:
    place = f"{registry.host}/platforms"
    command = ("push", "pub-one", "--registry", place, "--platform", "linux/amd64,linux/arm64")
    ran = cli(*command, cwd=project)
    assert ran.returncode == 4, ran.stderr
    assert "has not been built here on debian-12 for linux/arm64" in ran.stderr
    assert len(ran.stdout.splitlines()) == 1  # the other one is there
    make_image("pub-one", seed=9, arm64=True)  # layers that the builder has in its cache are for amd64
    ran = cli(*command, cwd=project)
    assert ran.returncode == 0, ran.stderr
    digests = [registry.manifest("platforms/pub-one", tag).digest for tag in ("8.2", "8.2-arm64")]
    assert ran.stdout.splitlines() == [f"{place}/pub-one@{digest}" for digest in digests]
    # An image that is not what its name says.
    engine.tag("pub-one:debian-12", "pub-one:debian-12-arm64")
    ran = cli("push", "pub-one", "--registry", place, "--platform", "linux/arm64", cwd=project)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "the image is for linux/amd64, not for linux/arm64" in ran.stderr


def test_a_tag_of_another_architecture_is_not_taken(cli: Cli, project: Path, registry: Registry) -> None:
    """Somebody's arm64 function uses that tag."""
    config = json.dumps(
        {"os": "linux", "architecture": "arm64", "rootfs": {"type": "layers", "diff_ids": []}}
    ).encode()
    digest = registry.put_image("arch/pub-one", "8.2", config)
    ran = cli("push", "pub-one", "--registry", f"{registry.host}/arch", "--tag", "{{ version }}", cwd=project)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "is an image for linux/arm64; an image for linux/amd64 does not take its tag" in ran.stderr
    assert "{{ arch }}" in ran.stderr
    assert registry.manifest("arch/pub-one", "8.2").digest == digest


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ("push", "pub-one", "--registry", "127.0.0.1:1/x", "--tag", "{{ nope }}"),
            2,
            "unknown placeholder 'nope'",
        ),
        (("push", "php-81", "--registry", "127.0.0.1:1/x"), 4, "has not been built here"),
        (("push", "pub-one", "--registry", "127.0.0.1:1/x", "--attempts", "1"), 4, "does not answer"),
    ],
)
def test_mistakes_have_their_codes(
    cli: Cli, project: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ran = cli(*arguments, cwd=project)
    assert (ran.returncode, ran.stdout) == (code, ""), ran.stderr
    assert words in ran.stderr


def test_a_secret_is_in_no_output(cli: Cli, project: Path, registry: Registry) -> None:
    with FaultProxy(registry.host) as proxy:
        challenge = Reply.error(401, "UNAUTHORIZED", "no", Www_Authenticate='Basic realm="x"')
        proxy.fail(1000, "GET", "/manifests/", challenge)
        login = json.dumps({"auths": {proxy.host: {"username": "ada", "password": "geheim"}}})
        ran = cli(
            "push", "pub-one", "--registry", f"{proxy.host}/x", cwd=project, env={"DOCKER_AUTH_CONFIG": login}
        )
        assert proxy.asked[-1].headers["Authorization"].startswith("Basic ")
    assert ran.returncode == 4
    assert "geheim" not in ran.stdout + ran.stderr
