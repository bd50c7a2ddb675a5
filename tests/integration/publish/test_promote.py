"""What happens to images after the push: an index over them, a copy elsewhere, files attached."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from runtimebuilder.publish.names import Repository
from runtimebuilder.publish.retry import Retry
from runtimebuilder.publish.session import Session
from tests.integration.publish.conftest import Cli, Maker, Push
from tests.integration.publish.proxy import Asked, Fault, FaultProxy, HangUp, Reply
from tests.integration.registry import Registry

_numbers = iter(range(1_000_000))


@pytest.fixture
def place() -> str:
    return f"p{next(_numbers)}"


@pytest.fixture(autouse=True)
def image(make_image: Maker) -> str:
    return make_image("pub-one", seed=1)


@pytest.fixture(scope="module")
def second(docker_client: docker.DockerClient) -> Iterator[Registry]:
    """Another registry: nothing can be mounted."""
    with Registry(docker_client) as running:
        yield running


def arm64_of(registry: Registry, repository: str, tag: str) -> str:
    config = {"os": "linux", "architecture": "arm64", "rootfs": {"type": "layers", "diff_ids": []}}
    return registry.put_image(repository, tag, json.dumps(config).encode())


def metadata(
    tmp_path: Path, registry: Registry, repository: str, digest: str, platform: str, *tags: str
) -> Path:
    file = tmp_path / f"{platform.replace('/', '-')}.json"
    image = {
        "runtime": "pub-one",
        "base": "debian-12",
        "repository": f"{registry.host}/{repository}",
        "tags": list(tags),
        "digest": digest,
        "platform": platform,
        "size": 1,
        "media_type": "application/vnd.oci.image.manifest.v1+json",
    }
    file.write_text(json.dumps({"schema": 1, "images": [image]}))
    return file


def test_two_architectures_become_one_name_for_from(
    push: Push, cli: Cli, project: Path, registry: Registry, place: str, tmp_path: Path
) -> None:
    repository = f"{place}/pub-one"
    amd64 = push.good(f"{registry.host}/{place}", tags=("8.2-amd64",)).digest
    arm64 = arm64_of(registry, repository, "8.2-arm64")
    files = [
        metadata(tmp_path, registry, repository, arm64, "linux/arm64", "8.2-arm64"),
        metadata(tmp_path, registry, repository, amd64, "linux/amd64", "8.2-amd64"),
    ]
    options = [part for file in files for part in ("--metadata", str(file))]
    command = ("index", "pub-one", "--registry", f"{registry.host}/{place}", *options)
    ran = cli(*command, cwd=project)
    assert ran.returncode == 0, ran.stderr
    index = registry.manifest(repository, "8.2-multi")
    assert ran.stdout == f"{registry.host}/{repository}@{index.digest}\n"
    assert index.media_type == "application/vnd.oci.image.index.v1+json"
    parts = json.loads(index.body)["manifests"]
    assert [(part["platform"]["architecture"], part["digest"]) for part in parts] == [
        ("amd64", amd64),
        ("arm64", arm64),
    ]
    assert [part["size"] for part in parts] == [
        len(registry.manifest(repository, digest).body) for digest in (amd64, arm64)
    ]
    again = cli(*command, "--json", cwd=project)
    assert json.loads(again.stdout)["indexes"][0]["status"] == "unchanged"

    for tag, code in (("8.2-arm64", 2), ("{{ php }}", 2)):
        assert cli(*command, "--tag", tag, cwd=project).returncode == code
    # A tag that a function uses, though no metadata file tells.
    push.good(f"{registry.host}/{place}", tags=("live",))
    ran = cli(*command, "--tag", "live", cwd=project)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert registry.manifest(repository, "live").digest == amd64
    # And no image takes the index's.
    failed = push.bad(f"{registry.host}/{place}", tags=("8.2-multi",))
    assert "is an index for linux/amd64 and linux/arm64" in failed.error.message
    # What is not there, as a file says it, is not put into an index.
    wrong = metadata(tmp_path, registry, repository, amd64, "linux/arm64")
    ran = cli("index", "--registry", f"{registry.host}/{place}", "--metadata", str(wrong), cwd=project)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "is not an image for linux/arm64" in ran.stderr


def test_a_copy_has_the_same_digest_and_what_is_attached_to_it(
    push: Push, cli: Cli, project: Path, registry: Registry, second: Registry, place: str, tmp_path: Path
) -> None:
    pushed = push.good(f"{registry.host}/{place}")
    sbom, provenance = tmp_path / "a.spdx.json", tmp_path / "b.intoto.json"
    sbom.write_text('{"spdxVersion": "SPDX-2.3"}')
    provenance.write_text('{"_type": "https://in-toto.io/Statement/v1"}')
    ran = cli("attach", pushed.reference, str(sbom), str(provenance), cwd=project)
    assert ran.returncode == 0, ran.stderr
    attached = [line.partition("@")[2] for line in ran.stdout.splitlines()]
    again = cli("attach", f"{registry.host}/{place}/pub-one:7", str(sbom), cwd=project)
    assert again.stdout.splitlines() == ran.stdout.splitlines()[:1]
    assert pushed.digest in again.stderr  # which one the tag was
    _check_attached(registry, f"{place}/pub-one", pushed.digest, attached)
    artifact = json.loads(registry.manifest(f"{place}/pub-one", attached[0]).body)
    assert artifact["artifactType"] == "application/spdx+json"
    assert artifact["subject"]["digest"] == pushed.digest
    assert artifact["layers"][0]["digest"] == "sha256:" + hashlib.sha256(sbom.read_bytes()).hexdigest()

    source, target = f"{registry.host}/{place}", f"{second.host}/live"
    ran = cli("promote", "pub-one:7", "--from", source, "--to", target, "--tag", "stable", cwd=project)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == f"{target}/pub-one@{pushed.digest}\n"
    assert second.manifest("live/pub-one", "stable").digest == pushed.digest
    _check_attached(second, "live/pub-one", pushed.digest, attached)
    again = cli(
        "promote", "pub-one:7", "--from", source, "--to", target, "--tag", "stable", "--json", cwd=project
    )
    assert json.loads(again.stdout)["digest"] == pushed.digest
    assert "sent 0 of" in again.stderr


def _check_attached(registry: Registry, repository: str, digest: str, attached: list[str]) -> None:
    """By the tag that stands for the list: docker-registry has no referrers API."""
    listed = json.loads(registry.manifest(repository, digest.replace(":", "-")).body)
    assert sorted(one["digest"] for one in listed["manifests"]) == sorted(attached)
    assert {one["artifactType"] for one in listed["manifests"]} == {
        "application/spdx+json",
        "application/vnd.in-toto+json",
    }


def test_an_index_is_copied_with_its_images(
    push: Push, cli: Cli, project: Path, registry: Registry, second: Registry, place: str, tmp_path: Path
) -> None:
    repository = f"{place}/pub-one"
    amd64 = push.good(f"{registry.host}/{place}", tags=("a",)).digest
    arm64 = arm64_of(registry, repository, "b")
    files = [
        metadata(tmp_path, registry, repository, arm64, "linux/arm64"),
        metadata(tmp_path, registry, repository, amd64, "linux/amd64"),
    ]
    options = [part for file in files for part in ("--metadata", str(file))]
    cli("index", "--registry", f"{registry.host}/{place}", *options, cwd=project)
    source, target = f"{registry.host}/{place}", f"{second.host}/{place}"
    ran = cli("promote", "pub-one:8.2-multi", "--from", source, "--to", target, cwd=project)
    assert ran.returncode == 0, ran.stderr
    assert (
        second.manifest(repository, "8.2-multi").digest == registry.manifest(repository, "8.2-multi").digest
    )
    assert second.manifest(repository, amd64).body == registry.manifest(repository, amd64).body
    assert second.manifest(repository, arm64).body == registry.manifest(repository, arm64).body


def test_a_copy_within_a_registry_sends_nothing(
    push: Push, cli: Cli, project: Path, registry: Registry, place: str
) -> None:
    pushed = push.good(f"{registry.host}/{place}/dev")
    with FaultProxy(registry.host) as proxy:
        source, target = f"{proxy.host}/{place}/dev", f"{proxy.host}/{place}/live"
        ran = cli("promote", "pub-one:7", "--from", source, "--to", target, cwd=project)
        assert ran.returncode == 0, ran.stderr
        assert proxy.sent("PATCH") == []
        assert len(proxy.sent("POST", "mount=sha256")) == 4
    assert registry.manifest(f"{place}/live/pub-one", "7").digest == pushed.digest


def test_a_copy_that_breaks_off_claims_nothing(
    push: Push, cli: Cli, project: Path, registry: Registry, second: Registry, place: str
) -> None:
    push.good(f"{registry.host}/{place}")
    with FaultProxy(second.host) as proxy:
        proxy.fail(1000, "PUT", "/uploads/", HangUp())
        source, target = f"{registry.host}/{place}", f"{proxy.host}/{place}"
        ran = cli("promote", "pub-one:7", "--from", source, "--to", target, "--attempts", "2", cwd=project)
    assert (ran.returncode, ran.stdout) == (1, "")
    ran = cli("promote", "pub-one:9", "--from", source, "--to", target, cwd=project)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "its tags are 7" in ran.stderr


class _Referrers:
    """The referrers API, which docker-registry lacks: before it, in pages of one."""

    def __init__(self, proxy: FaultProxy) -> None:
        self._proxy = proxy
        self.listed: dict[str, list[dict[str, Any]]] = {}

    def rule(self, asked: Asked) -> Fault | None:
        if asked.is_a("PUT", "/manifests/sha256:"):
            document = json.loads(asked.body)
            subject = document["subject"]["digest"]
            digest = "sha256:" + hashlib.sha256(asked.body).hexdigest()
            entry = {"mediaType": document["mediaType"], "digest": digest, "size": len(asked.body)}
            entries = self.listed.setdefault(subject, [])
            if entry not in entries:
                entries.append(entry)
            status, _, body = self._proxy.forward(asked)
            return Reply(status, body, {"OCI-Subject": subject})
        if not asked.is_a("GET", "/referrers/"):
            return None
        path, _, page = asked.path.partition("?page=")
        entries = self.listed.get(path.rpartition("/")[2], [])
        number = int(page or 0)
        headers = {"Content-Type": "application/vnd.oci.image.index.v1+json"}
        if number + 1 < len(entries):
            headers["Link"] = f'<{path}?page={number + 1}>; rel="next"'
        body = json.dumps({"schemaVersion": 2, "manifests": entries[number : number + 1]}).encode()
        return Reply(200, body, headers)


def test_a_registry_that_lists_referrers_itself_is_asked_for_them(
    push: Push, cli: Cli, project: Path, registry: Registry, place: str, tmp_path: Path
) -> None:
    pushed = push.good(f"{registry.host}/{place}")
    sbom, provenance = tmp_path / "a.cdx.json", tmp_path / "b.intoto.json"
    sbom.write_text("{}")  # the bytes of the empty configuration, too
    provenance.write_text("{ }")
    with FaultProxy(registry.host) as proxy:
        proxy.rules.append(_Referrers(proxy).rule)
        image = f"{proxy.host}/{place}/pub-one@{pushed.digest}"
        ran = cli("attach", image, str(sbom), str(provenance), cwd=project)
        assert ran.returncode == 0, ran.stderr
        assert len(ran.stdout.splitlines()) == 2
        assert proxy.sent("PUT", "/manifests/sha256-") == []  # no list of our own
        with Session(Retry()) as session:
            found = session.client(Repository(proxy.host, f"{place}/pub-one")).referrers(pushed.digest)
        assert len(found) == 2
