"""A real image registry for tests: `docker-registry` as a process of ours on 127.0.0.1.

No image and no network is needed for it; engines take 127.0.0.0/8 for an insecure registry, so that
pushes and pulls work over plain HTTP.
"""

import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import docker
from docker.errors import ImageNotFound

_READY_SECONDS = 20.0
_STOP_SECONDS = 10.0
_MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)
_CONFIG = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {storage}}}
  delete: {{enabled: true}}
  maintenance: {{readonly: {{enabled: {read_only}}}}}
http:
  addr: {host}
  secret: for-tests-only
"""
_TLS = "  tls: {{certificate: {certificate}, key: {key}}}\n"
_AUTH = "auth:\n  htpasswd: {{realm: tests, path: {file}}}\n"
# One line of an htpasswd file, bcrypt: docker-registry takes nothing else.
USER, PASSWORD = "ada", "correct horse"
_HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n"


class RegistryError(Exception):
    """The registry did not start, or refused what was asked of it; the message holds its own words."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as the registry gives it out."""

    media_type: str
    digest: str
    body: bytes


class Registry:
    """Context manager: a running registry with an empty store, gone without a trace afterwards.

    `host` is "127.0.0.1:PORT". With `read_only` it answers and refuses every push; with `login` it wants USER and
    PASSWORD; with a `certificate` and its key (files) it speaks TLS, and `push` and `manifest` cannot be used.
    Entering raises RegistryError when docker-registry is not installed or does not come up.
    """

    def __init__(
        self,
        client: docker.DockerClient,
        *,
        read_only: bool = False,
        login: bool = False,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.host = ""
        self._read_only = read_only
        self._login = login
        self._certificate = certificate
        self._client = client
        self._folder = Path()
        self._program = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        program = shutil.which("docker-registry") or shutil.which("registry")
        if program is None:
            raise RegistryError(
                "docker-registry is not installed: tests start it (Debian package docker-registry)"
            )
        self._folder = Path(tempfile.mkdtemp(prefix="registry-"))
        try:
            self._start(program)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process id while it runs; RegistryError otherwise."""
        if self._process is None:
            raise RegistryError("the registry is not running")
        return self._process.pid

    def push(self, image: str, target: str) -> str:
        """Push a local image (name or id) as `host`/`target`, "repository:tag"; return the manifest's digest.

        The name given to it in the engine for that is taken away at the end. RegistryError with the
        engine's words when the push fails: the SDK reports that in its stream, not as an exception.
        """
        repository, _, tag = target.rpartition(":")
        name = f"{self.host}/{repository}"
        self._client.images.get(image).tag(name, tag)
        for event in self._client.api.push(name, tag=tag, stream=True, decode=True):
            if "error" in event:
                raise RegistryError(f"push of {name}:{tag}: {event['error']}")
        return self.manifest(repository, tag).digest

    def manifest(self, repository: str, reference: str) -> Manifest:
        """Return a manifest by tag or digest, whichever kind it is; RegistryError when it is not there."""
        status, headers, body = self._get(
            f"/v2/{repository}/manifests/{reference}", {"Accept": ", ".join(_MANIFESTS)}
        )
        if status != http.client.OK:
            raise RegistryError(f"{repository}:{reference}: {status} {body.decode(errors='replace').strip()}")
        return Manifest(headers["Content-Type"], headers["Docker-Content-Digest"], body)

    def put_image(self, repository: str, tag: str, config: bytes) -> str:
        """Store an image of no layers with that configuration; return its digest. RegistryError when it is refused."""
        status, headers, _ = self._ask("POST", f"/v2/{repository}/blobs/uploads/", {})
        digest = "sha256:" + hashlib.sha256(config).hexdigest()
        location = headers["Location"].partition(self.host)[2]
        status, _, body = self._ask("PUT", f"{location}&digest={digest}", {}, config)
        media_type = "application/vnd.oci.image.manifest.v1+json"
        part = {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest,
            "size": len(config),
        }
        document = {"schemaVersion": 2, "mediaType": media_type, "config": part, "layers": []}
        if status == http.client.CREATED:
            headers_ = {"Content-Type": media_type}
            manifest = json.dumps(document).encode()
            status, _, body = self._ask("PUT", f"/v2/{repository}/manifests/{tag}", headers_, manifest)
        if status != http.client.CREATED:
            raise RegistryError(f"{repository}:{tag}: {status} {body.decode(errors='replace').strip()}")
        return self.manifest(repository, tag).digest

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the process with a signal; its store stays. Idempotent."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self) -> None:
        """Start the process again, at the same address and with what it had stored."""
        self._run(self._program)

    def close(self) -> None:
        """Stop the process, remove its store and the names that lead to it from the engine. Idempotent."""
        was_running = self._process is not None
        self.stop()
        if was_running:
            self._forget_names()
        if self._folder != Path():
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = Path()

    def _forget_names(self) -> None:
        """Take away what pushes and pulls have named; the images stay under their other names."""
        for image in self._client.images.list():
            for name in sorted([*image.tags, *(image.attrs["RepoDigests"] or [])]):
                if name.startswith(f"{self.host}/"):
                    with suppress(ImageNotFound):  # the digest goes with the last tag
                        self._client.images.remove(name, force=True)

    def _start(self, program: str) -> None:
        self._program = program
        self.host = f"127.0.0.1:{_free_port()}"
        config = self._folder / "config.yml"
        values = {
            "storage": self._folder / "store",
            "host": self.host,
            "read_only": str(self._read_only).lower(),
        }
        text = _CONFIG.format(**values)
        if self._certificate is not None:
            text += _TLS.format(certificate=self._certificate[0], key=self._certificate[1])
        if self._login:
            (self._folder / "htpasswd").write_text(_HTPASSWD, encoding="utf-8")
            text += _AUTH.format(file=self._folder / "htpasswd")
        config.write_text(text, encoding="utf-8")
        self._run(program)

    def _run(self, program: str) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "serve", str(self._folder / "config.yml")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # REGISTRY_* variables would win over the file.
                env={key: value for key, value in os.environ.items() if not key.startswith("REGISTRY_")},
            )
        deadline = time.monotonic() + _READY_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = (self._folder / "log").read_text(encoding="utf-8", errors="replace").strip()
                raise RegistryError(
                    f"docker-registry did not come up on {self.host}: {said or 'it said nothing'}"
                )
            time.sleep(0.05)

    def _answers(self) -> bool:
        if self._certificate is not None:
            with suppress(OSError), socket.create_connection(self._address(), timeout=10):
                return True
            return False
        try:
            return self._get("/v2/", {})[0] in (http.client.OK, http.client.UNAUTHORIZED)
        except OSError:
            return False

    def _address(self) -> tuple[str, int]:
        name, _, port = self.host.partition(":")
        return name, int(port)

    def _get(self, path: str, headers: dict[str, str]) -> tuple[int, http.client.HTTPMessage, bytes]:
        return self._ask("GET", path, headers)

    def _ask(
        self, method: str, path: str, headers: dict[str, str], sent: bytes | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection(self.host, timeout=10)
        try:
            connection.request(method, path, sent, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()


def _free_port() -> int:
    """Ask the kernel for a port nobody listens on; another process may still take it before the registry."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
