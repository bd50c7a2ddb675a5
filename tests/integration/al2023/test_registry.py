"""The registry that tests push to is a real one, and leaves nothing behind."""

import json
import os
from collections.abc import Iterator

import docker
import pytest
from docker.errors import ImageNotFound

from tests.integration.registry import Registry, RegistryError

NAME = "ecr/lambda/provided"


@pytest.fixture(scope="module")
def small_image(docker_client: docker.DockerClient) -> Iterator[str]:
    """An image of one empty layer, which costs next to nothing to push."""
    reference = f"runtimebuilder.test/small:{os.getpid()}"
    repository, _, tag = reference.rpartition(":")
    answer = docker_client.api.import_image_from_data(bytes(10240), repository=repository, tag=tag)
    assert "error" not in answer, answer
    yield reference
    docker_client.images.remove(reference, force=True)


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_was_pushed_can_be_pulled(
    docker_client: docker.DockerClient, registry: Registry, small_image: str
) -> None:
    digest = registry.push(small_image, f"{NAME}:al2023")
    manifest = registry.manifest(NAME, "al2023")
    assert manifest.digest == digest
    assert manifest.media_type == json.loads(manifest.body)["mediaType"]
    docker_client.images.remove(f"{registry.host}/{NAME}:al2023", force=True)
    pulled = docker_client.images.pull(f"{registry.host}/{NAME}:al2023")
    try:
        assert pulled.id == docker_client.images.get(small_image).id
        assert f"{registry.host}/{NAME}@{digest}" in pulled.attrs["RepoDigests"]
    finally:
        docker_client.images.remove(f"{registry.host}/{NAME}:al2023", force=True)


def test_a_manifest_that_is_not_there_is_an_error(registry: Registry) -> None:
    with pytest.raises(RegistryError, match=rf"^{NAME}:missing: 404 .*"):
        registry.manifest(NAME, "missing")


def test_a_push_that_is_refused_is_an_error_with_the_engine_s_words(
    docker_client: docker.DockerClient, small_image: str
) -> None:
    with (
        Registry(docker_client, read_only=True) as registry,
        pytest.raises(RegistryError, match=rf"^push of {registry.host}/{NAME}:1: \w+"),
    ):
        registry.push(small_image, f"{NAME}:1")


def test_nothing_is_left_when_it_is_closed(docker_client: docker.DockerClient, small_image: str) -> None:
    with Registry(docker_client) as running:
        running.push(small_image, f"{NAME}:1")
        name, pid = f"{running.host}/{NAME}:1", running.pid
        assert is_alive(pid)
        docker_client.images.remove(name, force=True)
        docker_client.images.pull(name)
        docker_client.images.get(name).tag(f"{running.host}/another", "1")
    assert not is_alive(pid)
    with pytest.raises(ImageNotFound):
        docker_client.images.get(name)
    assert not [
        tag for image in docker_client.images.list() for tag in image.tags if tag.startswith(running.host)
    ]
    with pytest.raises(RegistryError, match="not running"):
        _ = running.pid


def test_two_registries_run_side_by_side(registry: Registry, docker_client: docker.DockerClient) -> None:
    with Registry(docker_client) as other:
        assert other.host != registry.host
        assert other.pid != registry.pid
