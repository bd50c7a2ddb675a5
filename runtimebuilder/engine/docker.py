"""The Docker engine through its SDK. Only this package imports `docker`; its errors become ours here."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import docker
import docker.errors
import requests.exceptions
import urllib3.exceptions
from docker.context import ContextAPI

from runtimebuilder.errors import EnvironmentProblemError

OLDEST_API = (1, 41)  # engine 20.10: the oldest whose tmpfs volumes, cgroup v2 and BuildKit are all usable
_CONNECT_TIMEOUT = 20  # seconds without a byte from the engine while connecting ...
_READ_TIMEOUT = 600  # ... and later on: a commit of a large layer says nothing until it is done
_DEFAULT_SOCKET = "unix:///var/run/docker.sock"
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


class EngineError(EnvironmentProblemError):
    """The engine refused a request or went away (exit 4). `status`: HTTP; None without an answer."""

    def __init__(
        self, message: str, *, hint: str | None = None, detail: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What the engine says of itself. `memory` in bytes; `arch` in Go's names ("amd64", "arm64")."""

    version: str
    api_version: str
    os: str
    arch: str
    cgroup_version: int
    rootless: bool
    is_desktop: bool
    memory: int
    cpus: int
    security_options: tuple[str, ...]
    kernel: str
    operating_system: str
    has_containerd_store: bool = False  # images lie in containerd, whose BuildKit can write caches

    @property
    def platform(self) -> str:
        """As images name it: "linux/amd64"."""
        return f"{self.os}/{self.arch}"


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """An image in the engine and its configuration. `size` in bytes, `created` as RFC 3339."""

    id: str
    tags: tuple[str, ...]
    repo_digests: tuple[str, ...]
    labels: Mapping[str, str]
    architecture: str
    os: str
    size: int
    created: str
    env: Mapping[str, str]
    entrypoint: tuple[str, ...] | None
    cmd: tuple[str, ...] | None
    workdir: str
    user: str
    exposed: tuple[str, ...]
    volumes: tuple[str, ...]
    healthcheck: tuple[str, ...] | None
    layers: int
    diff_ids: tuple[str, ...] = ()  # of the uncompressed layers, the base's first

    @property
    def platform(self) -> str:
        """As builders name it: "linux/amd64"."""
        return f"{self.os}/{self.architecture}"


class Engine:
    """A connection to one engine. Safe to use from several threads."""

    def __init__(self, client: docker.DockerClient, address: str) -> None:
        self._client = client
        self.address = address
        self._facts: EngineFacts | None = None

    @classmethod
    def connect(cls) -> Engine:
        """Connect as the docker CLI does: DOCKER_HOST, then the CLI's context, then the default socket.

        Raises `EnvironmentProblemError` (exit 4): no engine there, no permission, or one that is too old.
        """
        address = _address()
        try:
            _knock(address)
            client = docker.from_env(timeout=_CONNECT_TIMEOUT)
        except docker.errors.InvalidVersion as error:
            raise _too_old("an unknown version") from error
        except (
            docker.errors.DockerException,
            requests.exceptions.RequestException,
            OSError,
            ValueError,
        ) as error:
            raise _no_engine(address, error) from error
        spoken = client.api.api_version
        if _number(spoken) < OLDEST_API:
            client.close()
            raise _too_old(f"API version {spoken}")
        engine = cls(client, address)
        try:
            engine.ping()
        except BaseException:
            engine.close()
            raise
        client.api.timeout = _READ_TIMEOUT
        return engine

    @property
    def api(self) -> Any:
        """The SDK's low-level client, for the other modules of this package. Its types are half missing."""
        return self._client.api

    @property
    def is_local(self) -> bool:
        """Whether the engine is spoken to over a Unix socket; it may still live in a virtual machine."""
        return self.address.startswith(("unix://", "/"))

    def close(self) -> None:
        """Close the connections to the engine."""
        self._client.close()

    def ping(self) -> EngineFacts:
        """What the engine is; asked once."""
        if self._facts is None:
            with asking("what the engine is"):
                self._facts = _engine_facts(self._client.version(api_version=False), self._client.info())
        return self._facts

    def image(self, ref: str) -> ImageFacts | None:
        """The image with that name or id; None when the engine does not have it."""
        try:
            with asking(f"about image {ref}"):
                return _image_facts(self.api.inspect_image(ref))
        except EngineError as error:
            # 400: not even a possible name.
            if error.status in (400, 404):
                return None
            raise

    def manifest_type(self, ref: str) -> str | None:
        """The media type under which the engine keeps an image: of a manifest, or of an index of several.

        None where the engine's store knows no manifests (before containerd's image store).
        """
        with asking(f"about image {ref}"):
            described = self.api.inspect_image(ref).get("Descriptor") or {}
        return str(described["mediaType"]) if described.get("mediaType") else None

    def images_with_label(self, label: str) -> tuple[ImageFacts, ...]:
        """Images that carry `label` ("key" or "key=value"), oldest first."""
        with asking(f"for images labelled {label}"):
            # Without `all`, the engine hides those from which another one was derived.
            found = self.api.images(all=True, filters={"label": [label]})
        facts = [self.image(str(entry["Id"])) for entry in found]
        return tuple(sorted((one for one in facts if one), key=lambda one: (one.created, one.id)))

    def tag(self, image: str, ref: str) -> None:
        """Give `image` the name `ref` ("repository:tag"), taking it from whichever image has it now."""
        repository, _, tag = ref.rpartition(":") if ":" in ref.rpartition("/")[2] else (ref, "", "latest")
        with asking(f"to name an image {ref}"):
            self.api.tag(image, repository, tag, force=True)

    def remove_image(self, ref: str, *, force: bool = False, with_parents: bool = False) -> bool:
        """Remove an image by id, or a name of it. False when there was none.

        Its parents stay, named or not: they may be somebody's. `with_parents`: those go too that have no name and no
        other child, for builds without a cache.
        """
        try:
            with asking(f"to remove image {ref}"):
                self.api.remove_image(ref, force=force, noprune=not with_parents)
        except EngineError as error:
            if error.status == 404:
                return False
            raise
        return True

    def pull(self, ref: str, *, platform: str | None = None) -> None:
        """Pull `ref` with the credentials of the docker CLI. `EngineError` (exit 4) when it cannot be had."""
        with asking(f"to pull {ref}"):
            # The status is 200 before the registry is asked: failures come as events.
            _events(self.api.pull(ref, stream=True, decode=True, platform=platform), f"to pull {ref}")

    def import_image(
        self, archive: Path | bytes, *, changes: Sequence[str] = (), ref: str | None = None
    ) -> str:
        """Make a one-layer image of a tar, with `docker import --change` lines. Returns the image's id."""
        repository, _, tag = (ref or "").partition(":")
        names = {"repository": repository or None, "tag": tag or None, "changes": list(changes) or None}
        with asking("to import a file system"):
            if isinstance(archive, bytes):
                answer = self.api.import_image_from_data(archive, **names)
            else:
                answer = self.api.import_image_from_file(str(archive), **names)
            last = _events(map(json.loads, str(answer).splitlines()), "to import a file system")
        found = _SHA256.search(last)
        if not found:
            raise EngineError(f"the engine imported a file system without naming the image: {last}")
        return found.group()

    def save(self, image: str, target: IO[bytes]) -> None:
        """Write the archive of `image`, as `docker save` makes it, to `target`."""
        with asking(f"for the archive of {image}"):
            for piece in self.api.get_image(image, chunk_size=1 << 20):
                target.write(piece)

    def load(self, archive: Path) -> str:
        """Take over the one image of an archive as `docker save` or a builder writes it. Returns the image's id."""
        with asking("to load an image"), archive.open("rb") as content:
            loaded = self._client.images.load(content)
        if len(loaded) != 1:
            raise EngineError(f"the engine found {len(loaded)} images in an archive that should hold one")
        return str(loaded[0].id)


@contextlib.contextmanager
def asking(what: str) -> Iterator[None]:
    """Errors of the SDK become `EngineError`; `what` completes "the Docker engine was asked ..."."""
    try:
        yield
    except docker.errors.APIError as error:
        reason = str(error.explanation or error)
        raise _refused(what, reason, error.status_code) from error
    except docker.errors.ImageLoadError as error:
        raise _refused(what, str(error), None) from error
    except (
        docker.errors.DockerException,
        requests.exceptions.RequestException,
        urllib3.exceptions.HTTPError,  # what breaks in the middle of a stream
    ) as error:
        raise EngineError(
            f"the connection to the Docker engine broke when it was asked {what}",
            hint="is the engine still running? `docker info` tells",
            detail=f"  {error}",
        ) from error


def _refused(what: str, reason: str, status: int | None) -> EngineError:
    hint = None
    if re.search(r"no space left on device|disk quota exceeded", reason, re.IGNORECASE):
        hint = "free some room: `docker system df` shows what uses it"
    return EngineError(
        f"the Docker engine was asked {what} and refused", hint=hint, detail=f"  {reason}", status=status
    )


def _events(events: Iterable[Any], what: str) -> str:
    """Read a stream of events to its end; the last one's text, or `EngineError` for a failure among them."""
    last = ""
    for event in events:
        if "errorDetail" in event or "error" in event:
            reason = str((event.get("errorDetail") or {}).get("message") or event.get("error"))
            raise _refused(what, reason, None)
        last = str(event.get("status") or last)
    return last


def _knock(address: str) -> None:
    """OSError when nobody listens at a Unix socket: the SDK leaves its socket open when it finds that out."""
    if address.startswith("unix://") and sys.platform != "win32":
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(address.removeprefix("unix://"))


def _address() -> str:
    if host := os.environ.get("DOCKER_HOST"):
        return host
    try:
        context = ContextAPI.kwargs_from_context(environment=dict(os.environ))
    except (docker.errors.DockerException, OSError, ValueError):
        return _DEFAULT_SOCKET
    return str(context.get("base_url") or _DEFAULT_SOCKET)


def _no_engine(address: str, error: BaseException) -> EnvironmentProblemError:
    causes = _causes(error)
    if any(isinstance(cause, PermissionError) for cause in causes):
        return EnvironmentProblemError(
            f"no permission to use the Docker engine at {address}",
            hint="join the group docker (`sudo usermod -aG docker $USER`, then log in again), or use sudo",
        )
    reason = next(
        (str(cause.strerror) for cause in causes if isinstance(cause, OSError) and cause.strerror), str(error)
    )
    return EnvironmentProblemError(
        f"there is no Docker engine at {address}: {reason}",
        hint="start it (`sudo systemctl start docker`, or Docker Desktop), or point DOCKER_HOST "
        "or the CLI's context at one that runs",
    )


def _causes(error: BaseException) -> list[BaseException]:
    """The error and all behind it: SDK, requests and urllib3 wrap as cause, as context, or as argument."""
    found: list[BaseException] = []
    queue: list[BaseException | None] = [error]
    while queue:
        one = queue.pop(0)
        if one is None or one in found:
            continue
        found.append(one)
        queue += [
            one.__cause__,
            one.__context__,
            *(each for each in one.args if isinstance(each, BaseException)),
        ]
    return found


def _too_old(what: str) -> EnvironmentProblemError:
    oldest = ".".join(map(str, OLDEST_API))
    return EnvironmentProblemError(
        f"the Docker engine speaks {what}; at least {oldest} is needed",
        hint="install Docker Engine 20.10 or newer",
    )


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def _engine_facts(version: Mapping[str, Any], info: Mapping[str, Any]) -> EngineFacts:
    options = tuple(str(option) for option in info.get("SecurityOptions") or ())
    operating_system = str(info.get("OperatingSystem") or "")
    return EngineFacts(
        version=str(version.get("Version") or ""),
        api_version=str(version.get("ApiVersion") or "0"),
        os=str(version.get("Os") or "linux"),
        arch=str(version.get("Arch") or ""),
        cgroup_version=int(info.get("CgroupVersion") or 1),
        rootless=any(option.split(",")[0] == "name=rootless" for option in options),
        is_desktop="docker desktop" in operating_system.lower(),
        memory=int(info.get("MemTotal") or 0),
        cpus=int(info.get("NCPU") or 0),
        security_options=options,
        kernel=str(info.get("KernelVersion") or ""),
        operating_system=operating_system,
        has_containerd_store="io.containerd.snapshotter.v1" in str(info.get("DriverStatus") or ""),
    )


def _image_facts(raw: Mapping[str, Any]) -> ImageFacts:
    config = raw.get("Config") or {}
    check = (config.get("Healthcheck") or {}).get("Test")
    return ImageFacts(
        id=str(raw["Id"]),
        tags=tuple(sorted(raw.get("RepoTags") or ())),
        repo_digests=tuple(sorted(raw.get("RepoDigests") or ())),
        labels=dict(sorted((config.get("Labels") or {}).items())),
        architecture=str(raw.get("Architecture") or ""),
        os=str(raw.get("Os") or ""),
        size=int(raw.get("Size") or 0),
        created=str(raw.get("Created") or ""),
        env=environment(config.get("Env") or ()),
        entrypoint=_words(config.get("Entrypoint")),
        cmd=_words(config.get("Cmd")),
        workdir=str(config.get("WorkingDir") or ""),
        user=str(config.get("User") or ""),
        exposed=tuple(sorted(config.get("ExposedPorts") or ())),
        volumes=tuple(sorted(config.get("Volumes") or ())),
        healthcheck=_words(check),
        layers=len((raw.get("RootFS") or {}).get("Layers") or ()),
        diff_ids=tuple((raw.get("RootFS") or {}).get("Layers") or ()),
    )


def environment(entries: Iterable[str]) -> dict[str, str]:
    """ "NAME=value" lines as a mapping, in the image's own order."""
    return {name: value for name, _, value in (entry.partition("=") for entry in entries)}


def _words(value: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(str(word) for word in value) if value else None
