"""Where credentials come from, in the docker CLI's order, and that they go nowhere."""

from __future__ import annotations

import base64
import json
import traceback
from pathlib import Path

import pytest

from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.publish import ecr
from runtimebuilder.publish.credentials import Credentials, find


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"DOCKER_CONFIG": str(tmp_path)}


def configure(tmp_path: Path, **config: object) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))


def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    file = tmp_path / "docker-credential-test"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_without_a_configuration_nobody_is_known(environment: dict[str, str]) -> None:
    assert find("example.com", environment) is None


@pytest.mark.parametrize("key", ["example.com", "https://example.com", "https://example.com/v2/"])
def test_what_docker_login_wrote(tmp_path: Path, environment: dict[str, str], key: str) -> None:
    configure(tmp_path, auths={key: {"auth": encoded("ada:a:b")}})
    assert find("example.com", environment) == Credentials("ada", "a:b")
    assert find("other.example.com", environment) is None


def test_docker_hub_has_a_key_of_its_own(tmp_path: Path, environment: dict[str, str]) -> None:
    configure(tmp_path, auths={"https://index.docker.io/v1/": {"auth": encoded("ada:x")}})
    assert find("registry-1.docker.io", environment) == Credentials("ada", "x")


def test_an_identity_token(tmp_path: Path, environment: dict[str, str]) -> None:
    configure(tmp_path, auths={"example.com": {"identitytoken": "long"}})
    found = find("example.com", environment)
    assert found is not None
    assert found.identity == "long"


def test_the_variable_of_ci_comes_first(tmp_path: Path, environment: dict[str, str]) -> None:
    configure(tmp_path, auths={"example.com": {"auth": encoded("file:x")}})
    environment["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {"example.com": {"auth": encoded("job:y")}}})
    assert find("example.com", environment) == Credentials("job", "y")


def test_a_store_is_asked_before_the_file_which_answers_for_what_the_store_does_not_know(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, credsStore="test", auths={"b.example": {"auth": encoded("file:x")}, "a.example": {}})
    script = (
        'read host\nif [ "$host" = a.example ]; then echo \'{"Username": "store", "Secret": "s"}\'\n'
        "else echo 'credentials not found in native keychain'; exit 1; fi"
    )
    helper(tmp_path, monkeypatch, script)
    assert find("a.example", environment) == Credentials("store", "s")
    assert find("b.example", environment) == Credentials("file", "x")


def test_a_helper_may_give_an_identity_token(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, credHelpers={"example.com": "test"})
    helper(tmp_path, monkeypatch, 'cat >/dev/null; echo \'{"Username": "<token>", "Secret": "long"}\'')
    found = find("example.com", environment)
    assert found is not None
    assert (found.identity, found.secret) == ("long", "")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("cat >/dev/null; echo 'the vault is sealed'; exit 1", "has no credentials"),
        ('cat >/dev/null; echo \'{"Secret": "geheim"}\'', "something else than credentials"),
        ("cat >/dev/null; echo geheim", "something else than credentials"),
    ],
)
def test_a_helper_that_fails_is_the_environment(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    configure(tmp_path, credHelpers={"example.com": "test"}, auths={"example.com": {"auth": encoded("a:b")}})
    helper(tmp_path, monkeypatch, script)
    with pytest.raises(EnvironmentProblemError) as caught:
        find("example.com", environment)
    assert words in caught.value.message
    assert "geheim" not in f"{caught.value.message}{caught.value.detail}{caught.value.hint}"


def test_a_helper_that_is_not_there_is_named(tmp_path: Path, environment: dict[str, str]) -> None:
    configure(tmp_path, credHelpers={"example.com": "no-such-helper"})
    with pytest.raises(EnvironmentProblemError, match="docker-credential-no-such-helper"):
        find("example.com", environment)
    assert find("other.example.com", environment) is None


@pytest.mark.parametrize(
    "text", ['{"auths": geheim', '"geheim"', '{"auths": {"example.com": {"auth": "geheim!"}}}']
)
def test_a_configuration_that_cannot_be_read_shows_none_of_it(
    tmp_path: Path, environment: dict[str, str], text: str
) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(EnvironmentProblemError) as caught:
        find("example.com", environment)
    assert str(tmp_path) in caught.value.message
    assert "geheim" not in "".join(traceback.format_exception(caught.value)).replace("geheim!", "").replace(
        text, ""
    )


def test_a_secret_is_not_in_what_prints_a_value() -> None:
    assert "geheim" not in repr(Credentials("ada", "geheim", "geheim"))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", True),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", True),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", True),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", True),
        ("public.ecr.aws", False),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com.example.com", False),
    ],
)
def test_which_hosts_are_ecr(host: str, expected: bool) -> None:
    assert ecr.is_ecr(host) is expected
