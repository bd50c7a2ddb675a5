"""Who we are for a registry, and whom we trust: htpasswd, TLS with an authority of our own, helpers, tokens."""

from __future__ import annotations

import base64
import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import docker
import pytest
import trustme

from tests.integration.publish.conftest import Maker, Push
from tests.integration.publish.proxy import Asked, Fault, FaultProxy, Reply
from tests.integration.registry import PASSWORD, USER, Registry

SECRET = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def authority_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


@pytest.fixture(scope="module")
def closed(
    docker_client: docker.DockerClient, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Registry]:
    """A registry with TLS that wants a name and a password."""
    folder = tmp_path_factory.mktemp("tls")
    issued = authority.issue_cert("127.0.0.1")
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(files[1]))
    with Registry(docker_client, login=True, certificate=files) as running:
        yield running


@pytest.fixture(autouse=True)
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty docker configuration."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.delenv("DOCKER_AUTH_CONFIG", raising=False)
    (tmp_path / "docker").mkdir()
    return tmp_path / "docker" / "config.json"


@pytest.fixture
def trusted(authority_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_file))


@pytest.fixture(autouse=True)
def image(make_image: Maker) -> str:
    """The engine's builder has it from its cache, when a test has named another one so."""
    return make_image("pub-one", seed=1)


def test_a_certificate_that_nobody_vouches_for_is_the_environment(push: Push, closed: Registry) -> None:
    failed = push.bad(f"{closed.host}/a")
    assert failed.error.exit_code == 4
    assert "is not trusted" in failed.error.message
    assert "SSL_CERT_FILE" in str(failed.error.hint)
    assert push.said == []  # never tried again


@pytest.mark.usefixtures("trusted")
def test_without_credentials_it_says_how_to_log_in(push: Push, closed: Registry) -> None:
    failed = push.bad(f"{closed.host}/a")
    assert failed.error.exit_code == 4
    assert f"docker login {closed.host}" in str(failed.error.hint)
    assert push.said == []


@pytest.mark.usefixtures("trusted")
def test_wrong_credentials_are_refused_once(push: Push, closed: Registry, docker_config: Path) -> None:
    wrong = base64.b64encode(b"ada:wrong").decode()
    docker_config.write_text(json.dumps({"auths": {closed.host: {"auth": wrong}}}))
    failed = push.bad(f"{closed.host}/a")
    assert failed.error.exit_code == 4
    assert "wrong" not in f"{failed.error.message}{failed.error.detail}{failed.error.hint}"
    assert push.said == []


@pytest.mark.usefixtures("trusted")
def test_what_docker_login_left_is_used(push: Push, closed: Registry, docker_config: Path) -> None:
    docker_config.write_text(json.dumps({"auths": {closed.host: {"auth": SECRET}}}))
    assert push.good(f"{closed.host}/login").reference.startswith(f"{closed.host}/login/pub-one@sha256:")


@pytest.mark.usefixtures("trusted")
def test_a_helper_is_asked_before_the_file(
    push: Push,
    closed: Registry,
    docker_config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    helper = tmp_path / "bin" / "docker-credential-vault"
    helper.parent.mkdir()
    answer = json.dumps({"Username": USER, "Secret": PASSWORD})
    helper.write_text(
        f"#!/bin/sh\necho talk >&2\nread host\n[ \"$1 $host\" = 'get {closed.host}' ] && echo '{answer}'\n"
    )
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{helper.parent}:/usr/bin:/bin")
    docker_config.write_text(
        json.dumps({"credHelpers": {closed.host: "vault"}, "auths": {closed.host: {"auth": "d3I6b25n"}}})
    )
    push.good(f"{closed.host}/helper")


class _Tokens(BaseHTTPRequestHandler):
    """A token service: what it was asked, and tokens that count up."""

    asked: list[tuple[str, str]]

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self.asked.append((",".join(query.get("scope", [])), self.headers.get("Authorization", "")))
        body = json.dumps({"token": f"token-{len(self.asked)}"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing."""


@pytest.fixture
def tokens() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), type("Tokens", (_Tokens,), {"asked": []}))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_token_is_fetched_for_the_scope_and_again_when_it_has_run_out(
    push: Push, registry: Registry, tokens: HTTPServer, docker_config: Path
) -> None:
    realm = f"http://127.0.0.1:{tokens.server_address[1]}/token"
    with FaultProxy(registry.host) as proxy:
        good_for = [6]  # requests

        def rule(asked: Asked) -> Fault | None:
            given = asked.headers.get("Authorization", "")
            served = [one for one in proxy.asked if one.headers.get("Authorization") == given]
            if given.startswith("Bearer token-") and len(served) <= good_for[0]:
                return None
            challenge = f'Bearer realm="{realm}",service="tests",scope="repository:x:pull"'
            return Reply.error(401, "UNAUTHORIZED", "authentication required", Www_Authenticate=challenge)

        proxy.rules.append(rule)
        docker_config.write_text(json.dumps({"auths": {proxy.host: {"auth": SECRET}}}))
        push.good(f"{proxy.host}/token")
    asked = tokens.RequestHandlerClass.asked  # type: ignore[attr-defined] # our own class
    assert {who for _, who in asked} == {f"Basic {SECRET}"}
    assert {scope for scope, _ in asked} == {
        "repository:token/pub-one:pull",
        "repository:token/pub-one:pull,push",
    }
    assert len(asked) > 2
