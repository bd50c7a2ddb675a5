"""The stand-in for provided:al2023 as fixtures; what it proves and what not is said in standin.py."""

from collections.abc import Iterator

import docker
import pytest

from tests.integration.al2023.standin import StandIn, stand_in, under_name
from tests.integration.registry import Registry


@pytest.fixture(scope="session")
def docker_client() -> Iterator[docker.DockerClient]:
    """The engine the environment names. Its absence is an error, not a skip."""
    client = docker.from_env(timeout=300)
    try:
        client.ping()
        yield client
    finally:
        client.close()


@pytest.fixture(scope="session")
def al2023_standin(docker_client: docker.DockerClient) -> Iterator[StandIn]:
    """The stand-in's image under a name of its own; removed at the end of the session."""
    with stand_in(docker_client) as image:
        yield image


@pytest.fixture
def al2023_real_name(docker_client: docker.DockerClient, al2023_standin: StandIn) -> Iterator[str]:
    """The stand-in as public.ecr.aws/lambda/provided:al2023, for this test only."""
    with under_name(docker_client, al2023_standin) as name:
        yield name


@pytest.fixture
def registry(docker_client: docker.DockerClient) -> Iterator[Registry]:
    """A registry of this test's own on 127.0.0.1."""
    with Registry(docker_client) as running:
        yield running
