"""Proxies before a registry, on loopback, that do what networks and busy registries do: for tests alone.

`FaultProxy` understands HTTP: it answers by itself, hangs up, or cuts an answer, request by request. `Cut` knows only
bytes: it resets every connection when so many have passed.
"""

from __future__ import annotations

import http.client
import http.server
import json
import os
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

_MANIFEST = re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/?]+)\Z")
_ACCEPT = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def is_a(self, method: str, part: str) -> bool:
        """Whether it is such a request: a method, and a part of the path (a regular expression)."""
        return self.method == method and re.search(part, self.path) is not None


@dataclass(frozen=True)
class Reply:
    """An answer of the proxy's own."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def error(cls, status: int, code: str, message: str, **headers: str) -> Reply:
        """As registries word errors."""
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, body, {"Content-Type": "application/json", **named})


@dataclass(frozen=True)
class HangUp:
    """Reset the connection: before the registry gets the request, or (`after`) instead of its answer."""

    after: bool = False


@dataclass(frozen=True)
class Truncate:
    """Send the first half of the registry's answer."""


Fault = Reply | HangUp | Truncate
Rule = Callable[[Asked], Fault | None]


class FaultProxy:
    """Context manager: an HTTP proxy before the registry at `upstream` ("127.0.0.1:PORT")."""

    def __init__(self, upstream: str, *, tls: ssl.SSLContext | None = None) -> None:
        self.upstream = upstream
        self.rules: list[Rule] = []
        self.asked: list[Asked] = []  # all requests, in their order
        self._lock = threading.Lock()
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fail(self, times: int, method: str, part: str, fault: Fault) -> None:
        """The next so many requests of that kind meet that fault."""
        left = [times]

        def rule(asked: Asked) -> Fault | None:
            with self._lock:
                if left[0] and asked.is_a(method, part):
                    left[0] -= 1
                    return fault
            return None

        self.rules.append(rule)

    def sent(self, method: str, part: str = "") -> list[Asked]:
        """The requests of that kind."""
        return [asked for asked in self.asked if asked.is_a(method, part)]

    def forward(self, asked: Asked) -> tuple[int, list[tuple[str, str]], bytes]:
        """What the registry itself answers. OSError when it does not."""
        connection = http.client.HTTPConnection(self.upstream, timeout=30)
        try:
            headers = {name: value for name, value in asked.headers.items() if name.lower() != "connection"}
            connection.request(asked.method, asked.path, asked.body or None, headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: FaultProxy

    def handle_one_request(self) -> None:
        with suppress(ConnectionError):
            super().handle_one_request()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing: tests print enough."""

    def _answer(self) -> None:
        body = self._body()
        asked = Asked(self.command, self.path, dict(self.headers.items()), body)
        self.owner.asked.append(asked)
        fault = next((fault for rule in self.owner.rules if (fault := rule(asked)) is not None), None)
        if isinstance(fault, HangUp) and not fault.after:
            return self._reset()
        if isinstance(fault, Reply):
            return self._send(fault.status, list(fault.headers.items()), fault.body, len(fault.body))
        try:
            status, headers, answer = self.owner.forward(asked)
        except (OSError, http.client.HTTPException):
            return self._reset()
        if isinstance(fault, HangUp):
            return self._reset()
        kept = [
            (name, value)
            for name, value in headers
            if name.lower() not in ("content-length", "connection", "transfer-encoding")
        ]
        length = int({name.lower(): value for name, value in headers}.get("content-length", len(answer)))
        if isinstance(fault, Truncate):
            self._send(status, kept, answer[: len(answer) // 2], length)
            return self._reset()
        return self._send(status, kept, answer, length)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 -- the base class's names

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            raise AssertionError("a body without its length")
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes, length: int) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value.replace(self.owner.upstream, self.owner.host))
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _reset(self) -> None:
        self.close_connection = True
        # RST: the file objects of the handler would keep the connection open over a plain close.
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())


def ecr_rules(
    proxy: FaultProxy, *, repositories: Callable[[], Collection[str]], mutable: Callable[[str], bool]
) -> None:
    """What ECR does and docker-registry does not: repositories have to be there, and tags are immutable.

    Also a tag that would stay as it is, is refused (aws/containers-roadmap#2380).
    """

    def rule(asked: Asked) -> Fault | None:
        name = re.match(r"/v2/(.+?)/(?:blobs|manifests|referrers)/", asked.path)
        if name and name[1] not in repositories():
            return Reply.error(
                404,
                "NAME_UNKNOWN",
                f"The repository with name '{name[1]}' does not exist in the registry with id '123456789012'",
            )
        put = _MANIFEST.match(asked.path)
        if asked.method != "PUT" or not put or ":" in put["reference"] or mutable(put["reference"]):
            return None
        there = Asked("HEAD", asked.path, {**_auth(asked), "Accept": _ACCEPT}, b"")
        if proxy.forward(there)[0] == 200:
            return Reply.error(
                400,
                "TAG_INVALID",
                f"The image tag '{put['reference']}' already exists in the '{put['name']}' repository and cannot be "
                "overwritten because the tag is immutable.",
            )
        return None

    proxy.rules.append(rule)


def _auth(asked: Asked) -> dict[str, str]:
    return {name: value for name, value in asked.headers.items() if name.lower() == "authorization"}


class Tunnel:
    """Context manager: a proxy as companies have them (CONNECT), which leads every host to one address."""

    def __init__(self, target: str) -> None:
        name, _, port = target.partition(":")
        self._target = (name, int(port))
        self.hosts: list[str] = []  # who was asked for
        tunnel = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                tunnel.hosts.append(self.path)
                with socket.create_connection(tunnel._target, timeout=30) as server:
                    self.send_response_only(200)
                    self.end_headers()
                    back = threading.Thread(target=_copy, args=(server, self.connection), daemon=True)
                    back.start()
                    _copy(self.connection, server)
                    back.join()
                self.close_connection = True

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
                """Nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Cut:
    """Context manager: a TCP proxy that resets all connections once `after` bytes have passed, both ways together.

    Afterwards connections are served as if nothing had been, or, with `for_good`, are reset at once.
    """

    def __init__(self, upstream: str, after: int | None, *, for_good: bool = False) -> None:
        name, _, port = upstream.partition(":")
        self._upstream = (name, int(port))
        self._after = after
        self._for_good = for_good
        self.passed = 0
        self.was_cut = False
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._reset_all()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.was_cut and self._for_good:
                _reset(client)
                continue
            try:
                server = socket.create_connection(self._upstream, timeout=30)
            except OSError:
                _reset(client)
                continue
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open |= {client, server}
            self._spawn(self._pump, client, server)
            self._spawn(self._pump, server, client)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                with self._lock:
                    left = None if self._after is None or self.was_cut else self._after - self.passed
                    self.passed += len(data)
                if left is not None and len(data) >= left:
                    target.sendall(data[:left])
                    self.was_cut = True
                    self._reset_all()
                    return
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _reset_all(self) -> None:
        with self._lock:
            opened, self._open = self._open, set()
        for each in opened:
            _reset(each)

    def _spawn(self, function: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()


def _reset(connection: socket.socket) -> None:
    """End a connection at once, also for a thread of ours that waits at it."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
