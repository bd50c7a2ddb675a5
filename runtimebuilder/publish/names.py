"""Names in registries: HOST[/PREFIX], repositories, references by tag or digest."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from runtimebuilder.errors import SpecError
from runtimebuilder.spec.tags import TAG

# The grammar of https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\Z")
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\Z")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
DOCKER_HUB = "registry-1.docker.io"


@dataclass(frozen=True)
class Place:
    """Where images go: a registry, and what stands before a repository's name there ("" or "team/lambda")."""

    host: str
    prefix: str = ""

    def repository(self, name: str) -> Repository:
        """The repository of that name. Raises `SpecError` (exit 2) when it cannot be one."""
        path = f"{self.prefix}/{name}" if self.prefix else name
        if not _PATH.match(path) or len(path) > 255:
            raise SpecError(
                f"{path!r} cannot be the name of a repository: lower-case letters, digits, . _ - /"
            )
        return Repository(self.host, path)

    def __str__(self) -> str:
        return f"{self.host}/{self.prefix}" if self.prefix else self.host


@dataclass(frozen=True, order=True)
class Repository:
    """A repository of a registry."""

    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.host}/{self.path}"

    def at(self, reference: str) -> str:
        """The full name of a tag or a digest in it."""
        return f"{self}{'@' if DIGEST.match(reference) else ':'}{reference}"


def parse_place(text: str, option: str = "--registry") -> Place:
    """HOST[:PORT][/PREFIX]. Raises `SpecError` (exit 2)."""
    if "://" in text:
        raise SpecError(
            f"{option} {text!r}: a registry is written without its scheme",
            hint=f"{option} {text.partition('://')[2].rstrip('/')}",
        )
    host, _, prefix = text.partition("/")
    if not _is_host(host) or (prefix and not _PATH.match(prefix)):
        raise SpecError(
            f"{option} {text!r} is not HOST[/PREFIX]",
            hint=f"for example {option} 123456789012.dkr.ecr.eu-west-1.amazonaws.com/lambda",
        )
    return Place(_real_host(host), prefix)


def parse_reference(text: str) -> tuple[Repository, str]:
    """HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:..., apart. Raises `SpecError` (exit 2)."""
    name, at, reference = text.partition("@")
    if at:
        name = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
    elif ":" in name.rpartition("/")[2]:
        name, _, reference = name.rpartition(":")
    host, _, path = name.partition("/")
    good = DIGEST if at else TAG
    if not _is_host(host) or not _PATH.match(path) or not good.match(reference):
        raise SpecError(
            f"{text!r} is not HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:...",
            hint="`push` prints such a name for each image",
        )
    return Repository(_real_host(host), path), reference


def parse_tagged(text: str, tags: Sequence[str]) -> tuple[str, str | None, tuple[str, ...]]:
    """NAME[:TAG|@DIGEST] and the tags that are wished: the name, what to read, and the tags to write.

    Without a tag in the text the first wish is read; without a wish the tag in the text is written. Raises `SpecError`
    (exit 2).
    """
    name, at, reference = text.partition("@") if "@" in text else text.partition(":")
    good = DIGEST if at == "@" else TAG
    if at and not good.match(reference):
        raise SpecError(f"{text!r} is not NAME, NAME:TAG or NAME@sha256:...")
    for tag in tags:
        if not TAG.match(tag):
            raise SpecError(f"--tag {tag!r} cannot be a tag")
    if tags:
        return name, reference or tags[0], tuple(dict.fromkeys(tags))
    return name, reference or None, (reference,) if at == ":" else ()


def is_loopback(host: str) -> bool:
    """Whether a registry's host, with its port or not, is this machine itself."""
    name = host.rpartition(":")[0] if re.search(r":[0-9]+\Z", host) else host
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_host(text: str) -> bool:
    """As docker decides: a first part with a dot or a port in it, or localhost."""
    return bool(_HOST.match(text)) and ("." in text or ":" in text or text == "localhost")


def _real_host(host: str) -> str:
    return DOCKER_HUB if host in ("docker.io", "index.docker.io") else host
