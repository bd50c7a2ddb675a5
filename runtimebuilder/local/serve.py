"""An image as a web server on this machine: HTTP requests become the events of an HTTP API, its results the answers.

One execution environment, one event at a time, as Lambda has it: requests that come together wait for each other.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from runtimebuilder import events
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError, SubjectFailedError
from runtimebuilder.local.invoke import HttpAnswer, invoked, started_box
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.limits import Limits

ADDRESS = "127.0.0.1"
BODY_LIMIT = 6 * 1024 * 1024  # bytes that Lambda takes in one event
_OURS = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "upgrade"}

Told = Callable[[str], None]


def serve(
    engine: Engine,
    image: str,
    *,
    handler: str,
    otherwise: str = "",
    port: int = 0,
    code: Path | None = None,
    env: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    timeout: float = 30.0,
    ready: Callable[[str], None],
    say: Told,
) -> None:
    """Serve until a `KeyboardInterrupt`; then the container is removed.

    `ready` gets the URL when requests are taken; `say` gets a line for each request, and what the function logs.
    `port` 0: any that is free. `timeout` is the function's, in seconds. Raises `EnvironmentProblemError` (4): no
    such image, or the port is taken.
    """
    with started_box(
        engine, image, handler=handler, otherwise=otherwise, code=code, env=env, limits=limits
    ) as box:
        gate = _Gate(box, timeout, say)
        try:
            server = _Server(port, gate)
        except OSError as problem:
            raise EnvironmentProblemError(
                f"port {port} cannot be listened on: {problem.strerror}",
                hint="give another one with --port",
            ) from problem
        with server:
            ready(f"http://{ADDRESS}:{server.server_address[1]}")
            server.serve_forever()


class _Gate:
    """What stands between the web and the function: API Gateway's part."""

    def __init__(self, box: Box, timeout: float, say: Told) -> None:
        self._box = box
        self._timeout = timeout
        self._say = say
        self._lock = threading.Lock()

    def answer(self, event: Mapping[str, object]) -> tuple[HttpAnswer, float]:
        """The function's answer and how long it took (seconds); 502 for what is none, as API Gateway says it."""
        with self._lock:
            told = invoked(self._box, json.dumps(event).encode(), self._timeout)
        done, log = told.result, told.log.rstrip()
        if log:
            self._say(log)
        if done.kind == "response":
            try:
                return HttpAnswer.of(done.body), done.duration
            except SubjectFailedError as problem:
                self._say(problem.message)
        elif not log or not told.asked:
            self._say(f"the function failed ({done.kind}): {done.body[:1000].decode('utf-8', 'replace')}")
        body = b'{"message":"Internal Server Error"}'
        return HttpAnswer(502, (("Content-Type", "application/json"),), body), done.duration

    def log_request(self, method: str, target: str, answer: HttpAnswer, seconds: float) -> None:
        """One line for people."""
        self._say(f"{answer.status} {method} {target}  {len(answer.body)} bytes in {seconds * 1000:.0f} ms")


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, gate: _Gate) -> None:
        self.gate = gate
        super().__init__((ADDRESS, port), _Handler)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds that an idle connection is kept
    server: _Server

    def version_string(self) -> str:
        """The Server header."""
        return "runtimebuilder"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Not on its own: `log_request` below says what people want to know."""

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        target = urlsplit(self.path)
        port = str(self.server.server_port)
        headers = [(name, value) for name, value in self.headers.items() if name.lower() != "cookie"]
        headers += [("x-forwarded-for", self.client_address[0]), ("x-forwarded-proto", "http")]
        headers += [("x-forwarded-port", port)]
        if "host" not in self.headers:
            headers.append(("host", f"{ADDRESS}:{port}"))
        cookies = [
            part.strip()
            for line in self.headers.get_all("cookie", [])
            for part in line.split(";")
            if part.strip()
        ]
        event = events.http_v2(
            self.command,
            target.path or "/",
            query=target.query,
            headers=headers,
            cookies=cookies,
            body=body,
        )
        context = event["requestContext"]
        http_part = {**context["http"], "sourceIp": self.client_address[0]}
        event = {**event, "requestContext": {**context, "http": http_part}}
        answer, seconds = self.server.gate.answer(event)
        self._send(answer)
        self.server.gate.log_request(self.command, self.path, answer, seconds)

    def _body(self) -> bytes | None:
        """The request's body; None when it was refused."""
        if "transfer-encoding" in self.headers:
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
            return None
        text = self.headers.get("content-length", "0")
        if not text.isdigit():
            self._refuse(HTTPStatus.BAD_REQUEST)
            return None
        if int(text) > BODY_LIMIT:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return None
        return self.rfile.read(int(text))

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        answer = HttpAnswer(status, (("Connection", "close"),), f"{status.phrase}\n".encode())
        self._send(answer)
        self.server.gate.log_request(self.command, self.path, answer, 0.0)

    def _send(self, answer: HttpAnswer) -> None:
        has_body = answer.status not in {204, 304} and answer.status >= HTTPStatus.OK
        self.send_response(answer.status)
        for name, value in answer.headers:
            if name.lower() not in _OURS and "\r" not in value and "\n" not in value:
                self.send_header(name, value.encode().decode("latin-1"))
        if has_body:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815
