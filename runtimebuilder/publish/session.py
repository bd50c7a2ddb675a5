"""The registries of one command: a connection to each, credentials, and which repository has which blob."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from runtimebuilder.publish import credentials, ecr
from runtimebuilder.publish.credentials import Credentials
from runtimebuilder.publish.manifest import Descriptor
from runtimebuilder.publish.names import Repository
from runtimebuilder.publish.registry import RepositoryClient
from runtimebuilder.publish.retry import Retry
from runtimebuilder.publish.wire import Wire


class Session:
    """Context manager: connections that are closed at its end. `insecure`: http where a registry has no TLS."""

    def __init__(self, retry: Retry, *, insecure: bool = False) -> None:
        self.retry = retry
        self._insecure = insecure
        self._wires: dict[str, Wire] = {}
        self._holders: dict[tuple[str, str], Repository] = {}  # (host, digest) -> who has the blob

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for wire in self._wires.values():
            wire.close()

    def client(self, repository: Repository) -> RepositoryClient:
        """The repository, over the one connection to its registry. Raises `EnvironmentProblemError` (exit 4)."""
        host = repository.host
        if host not in self._wires:
            self._wires[host] = Wire(host, lambda: _credentials(host), self.retry, insecure=self._insecure)
        return RepositoryClient(self._wires[host], repository)

    def holds(self, repository: Repository, blob: Descriptor) -> None:
        """Remember that the repository has this blob."""
        self._holders.setdefault((repository.host, blob.digest), repository)

    def holder(self, repository: Repository, blob: Descriptor) -> Repository | None:
        """Another repository of the same registry that has the blob, as far as this command has seen."""
        found = self._holders.get((repository.host, blob.digest))
        return None if found == repository else found


def _credentials(host: str) -> Credentials | None:
    found = credentials.find(host)
    return ecr.login(host) if found is None and ecr.is_ecr(host) else found
