"""Who we are for a registry: from the docker CLI's configuration, its helpers, or ECR's own token.

Nothing is kept: a secret goes from its source into a request's header. The order is the docker CLI's: a helper for that
registry, the store for all of them, then what `docker login` wrote into the file.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runtimebuilder.engine import process
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.publish.names import DOCKER_HUB

_TIMEOUT = 60.0  # seconds for a helper; some ask a browser or a cloud
_HUB_KEY = "https://index.docker.io/v1/"
# What helpers print when they know nothing of a registry (docker-credential-helpers, credentials/error.go).
_UNKNOWN = "credentials not found"


@dataclass(frozen=True)
class Credentials:
    """A user's name and a secret, or an identity token (`identity`), which only a token service takes."""

    username: str
    secret: str = field(repr=False)
    identity: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.secret}".encode()).decode()


def find(host: str, environment: Mapping[str, str] | None = None) -> Credentials | None:
    """The credentials for a registry; None where nobody knows any.

    Raises `EnvironmentProblemError` (exit 4) for a configuration that cannot be read, and for a helper that is not
    there or fails: going on without would hide the reason.
    """
    environment = os.environ if environment is None else environment
    for config, where in _configs(environment):
        helper = _mapping(config, "credHelpers").get(host) or config.get("credsStore")
        if helper and (found := _from_helper(str(helper), host)):
            return found
        for key in _keys(host):
            entry = _mapping(config, "auths").get(key)
            if isinstance(entry, dict) and (found := _from_entry(entry, f"{where}: auths: {key}")):
                return found
    return None


def _configs(environment: Mapping[str, str]) -> Iterator[tuple[Mapping[str, Any], str]]:
    # GitLab's runners and newer docker CLIs read this variable before the file.
    if text := environment.get("DOCKER_AUTH_CONFIG"):
        yield _parse(text, "DOCKER_AUTH_CONFIG"), "DOCKER_AUTH_CONFIG"
    folder = environment.get("DOCKER_CONFIG") or Path.home() / ".docker"
    file = Path(folder) / "config.json"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentProblemError(f"{file} cannot be read: {error}") from error
    yield _parse(text, str(file)), str(file)


def _parse(text: str, where: str) -> Mapping[str, Any]:
    try:
        config = json.loads(text)
    except ValueError:
        config = None  # its text, which holds secrets, stays out of the error's chain
    if not isinstance(config, dict):
        raise EnvironmentProblemError(
            f"{where} is not a JSON object", hint="`docker login` writes such a file"
        )
    return config


def _mapping(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = config.get(key)
    return value if isinstance(value, dict) else {}


def _keys(host: str) -> tuple[str, ...]:
    hub = (_HUB_KEY, "docker.io") if host == DOCKER_HUB else ()
    return (host, f"https://{host}", f"https://{host}/", f"https://{host}/v1/", f"https://{host}/v2/", *hub)


def _from_entry(entry: Mapping[str, Any], where: str) -> Credentials | None:
    username, secret = str(entry.get("username") or ""), str(entry.get("password") or "")
    identity = str(entry.get("identitytoken") or "")
    if text := entry.get("auth"):
        try:
            username, _, secret = base64.b64decode(str(text), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise EnvironmentProblemError(
                f"{where} cannot be read", hint="log in again with `docker login`"
            ) from None
    if not (username and secret) and not identity:
        return None  # what remains in the file when a store keeps the secret
    return Credentials(username, secret.strip("\0"), identity)


def _from_helper(helper: str, host: str) -> Credentials | None:
    program = f"docker-credential-{helper}"
    asked = _HUB_KEY if host == DOCKER_HUB else host
    try:
        ended = process.run([program, "get"], stdin=asked.encode(), timeout=_TIMEOUT, errors=False)
    except OSError as error:
        raise EnvironmentProblemError(
            f"the docker configuration asks for {program}, which cannot be started here",
            hint="install it, or take it out of the configuration (`credHelpers`, `credsStore`)",
        ) from error
    if ended.code != 0:
        if _UNKNOWN in ended.output:
            return None
        raise EnvironmentProblemError(
            f"{program} has no credentials for {host} (exit code {ended.code})",
            hint=f"try it: echo {asked} | {program} get",
            detail="\n".join(f"  {line}" for line in ended.output.splitlines()[-3:]),
        )
    try:
        answer = json.loads(ended.output)
        username, secret = str(answer["Username"]), str(answer["Secret"])
    except (ValueError, KeyError, TypeError):
        raise EnvironmentProblemError(f"{program} answered something else than credentials") from None
    if username == "<token>":
        return Credentials("", "", identity=secret)
    return Credentials(username, secret) if secret else None
