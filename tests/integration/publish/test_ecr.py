"""ECR: its API by moto, its registry by docker-registry behind a proxy with ECR's manners, under ECR's own name."""

from __future__ import annotations

import base64
import json
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import trustme
from moto.server import ThreadedMotoServer

from runtimebuilder.publish import ecr
from runtimebuilder.publish.names import Repository
from runtimebuilder.spec.config import RepositorySettings
from tests.integration.publish.conftest import Cli, Maker, Push
from tests.integration.publish.proxy import Asked, Fault, FaultProxy, Reply, Tunnel, ecr_rules
from tests.integration.registry import Registry

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
POLICY = '{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5}, "action": {"type": "expire"}}]}'  # noqa: E501 -- as a file would have it


@pytest.fixture(scope="module")
def moto_address() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    name, port = server.get_host_and_port()
    yield f"http://{name}:{port}"
    server.stop()


@pytest.fixture
def aws(moto_address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """ECR's API, empty, and an environment in which boto3 finds it; no docker login."""
    (tmp_path / "docker").mkdir()
    for name, value in {
        "AWS_ENDPOINT_URL": moto_address,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DOCKER_CONFIG": str(tmp_path / "docker"),
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("ecr", region_name="eu-west-1")
    yield client
    for found in client.describe_repositories()["repositories"]:
        client.delete_repository(repositoryName=found["repositoryName"], force=True)
    client.close()


@pytest.fixture
def ecr_registry(
    registry: Registry, aws: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[FaultProxy]:
    """A registry that is ECR for us: its name, TLS, its token, its repositories, its immutable tags."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    token = aws.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    with FaultProxy(registry.host, tls=context) as proxy, Tunnel(proxy.host) as tunnel:

        def login(asked: Asked) -> Fault | None:
            if asked.headers.get("Authorization") == f"Basic {token}":
                return None
            return Reply.error(401, "UNAUTHORIZED", "Not Authorized", Www_Authenticate='Basic realm="ECR"')

        def repositories() -> set[str]:
            return {one["repositoryName"] for one in aws.describe_repositories()["repositories"]}

        proxy.rules.append(login)
        ecr_rules(proxy, repositories=repositories, mutable=lambda tag: tag.startswith("latest"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
        yield proxy


@pytest.fixture(autouse=True)
def image(make_image: Maker) -> str:
    return make_image("pub-one", seed=1)


def repository_of(aws: Any, name: str) -> dict[str, Any]:
    (found,) = aws.describe_repositories(repositoryNames=[name])["repositories"]
    return dict(found)


@pytest.mark.usefixtures("ecr_registry")
def test_the_token_comes_from_aws_and_the_repository_is_made_when_asked(
    push: Push, aws: Any, tmp_path: Path
) -> None:
    refused = push.bad(f"{HOST}/team")
    assert "--create-repository" in str(refused.error.hint)
    (tmp_path / "policy.json").write_text(POLICY)
    settings = RepositorySettings.model_validate({"lifecycle": "policy.json"})
    settings = settings.model_copy(update={"lifecycle": str(tmp_path / "policy.json")})
    tags = ("{{ version }}.1", "latest-{{ arch }}", "{{ date }}")
    pushed = push.good(f"{HOST}/team", tags=tags, repository=settings)
    assert pushed.reference.startswith(f"{HOST}/team/pub-one@sha256:")
    made = repository_of(aws, "team/pub-one")
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    assert made["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    # What moves by its pattern; another architecture's tag of that kind with it.
    assert [one["filter"] for one in made["imageTagMutabilityExclusionFilters"]] == ["8.2.1", "latest-*"]
    policy = aws.get_lifecycle_policy(repositoryName="team/pub-one")["lifecyclePolicyText"]
    assert json.loads(policy) == json.loads(POLICY)
    assert f"{HOST}/team/pub-one is created" in push.said
    again = push.good(f"{HOST}/team", tags=tags, repository=settings)
    assert (again.digest, again.sent) == (pushed.digest, None)
    assert not [line for line in push.said if "created" in line]
    assert list((tmp_path / "docker").iterdir()) == []  # nothing is left behind


def test_an_immutable_tag_is_refused_before_anything_is_sent(
    push: Push, aws: Any, ecr_registry: FaultProxy, make_image: Maker
) -> None:
    aws.create_repository(repositoryName="team/pub-one", imageTagMutability="IMMUTABLE")
    first = push.good(f"{HOST}/team")
    ecr_registry.asked.clear()
    make_image("pub-one", seed=2)
    failed = push.bad(f"{HOST}/team")
    assert failed.error.exit_code == 1
    assert first.digest in str(failed.error.detail)
    assert str(failed.error.detail).count("sha256:") == 2
    assert {asked.method for asked in ecr_registry.asked} <= {"GET", "HEAD"}
    (intended,) = push.intend(f"{HOST}/team")
    assert (intended.what, intended.there) == ("refuse", first.digest)


@pytest.mark.parametrize(
    ("settings", "immutable", "mutable"),
    [
        ({"imageTagMutability": "MUTABLE"}, (), ("7", "latest")),
        ({"imageTagMutability": "IMMUTABLE"}, ("7", "latest"), ()),
        (
            {
                "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
                "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "latest*"}],
            },
            ("7", "alatest"),
            ("latest", "latest-arm64"),
        ),
        (
            {
                "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
                "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v*"}],
            },
            ("v1",),
            ("7", "latest"),
        ),
    ],
)
def test_the_rule_of_a_repository_is_read_from_ecr(
    aws: Any, settings: dict[str, Any], immutable: tuple[str, ...], mutable: tuple[str, ...]
) -> None:
    aws.create_repository(repositoryName="rules", **settings)
    rule = ecr.tag_rule(Repository(HOST, "rules"))
    assert rule is not None
    assert [tag for tag in immutable if not rule.holds(tag)] == []
    assert [tag for tag in mutable if rule.holds(tag)] == []
    assert ecr.tag_rule(Repository(HOST, "elsewhere")) is None


@pytest.mark.usefixtures("ecr_registry")
def test_a_policy_that_cannot_be_read_stops_before_the_repository_is_made(push: Push, aws: Any) -> None:
    settings = RepositorySettings(lifecycle="no-such-file.json")
    failed = push.bad(f"{HOST}/team", repository=settings)
    assert failed.error.exit_code == 2
    assert aws.describe_repositories()["repositories"] == []


@pytest.mark.usefixtures("ecr_registry")
def test_without_boto3_the_extra_is_named_and_only_where_it_is_needed(
    push: Push, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = base64.b64encode(b"AWS:123456789012-auth-token").decode()
    monkeypatch.setitem(sys.modules, "boto3", None)  # an import of it fails
    failed = push.bad(f"{HOST}/team")
    assert failed.error.exit_code == 4
    assert "pip install 'runtimebuilder[ecr]'" in str(failed.error.hint)
    push.good(f"{registry.host}/no-ecr")
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {HOST: {"auth": token}}}))
    with_login = push.bad(f"{HOST}/team")
    assert with_login.error.exit_code == 1  # in, and the repository is not there
    assert "NAME_UNKNOWN" in str(with_login.error.detail)


@pytest.mark.usefixtures("ecr_registry")
def test_without_aws_credentials_it_is_the_environment(
    push: Push, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    failed = push.bad(f"{HOST}/team")
    assert failed.error.exit_code == 4
    assert "no AWS credentials" in failed.error.message


@pytest.mark.usefixtures("ecr_registry")
def test_the_command_shows_no_token(cli: Cli, project: Path, aws: Any) -> None:
    ran = cli(
        "push", "pub-one", "--registry", f"{HOST}/team", "--create-repository", "--tag", "7", cwd=project
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"{HOST}/team/pub-one@sha256:")
    token = aws.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    secret = base64.b64decode(token).decode().partition(":")[2]
    assert token not in ran.stderr + ran.stdout
    assert secret not in ran.stderr + ran.stdout
