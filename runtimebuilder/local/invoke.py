"""Sending events to an image as Lambda does: a box, one environment, one invocation after the other."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtimebuilder import events
from runtimebuilder.emulator.exchange import Route
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError, SpecError, SubjectFailedError
from runtimebuilder.sandbox.container import Box, InvokeResult
from runtimebuilder.sandbox.layer import LayerFile, put_layer
from runtimebuilder.sandbox.limits import Function, Limits
from runtimebuilder.sandbox.run import Run

CODE_LIMIT = 250 * 1024 * 1024  # what Lambda takes unzipped


@dataclass(frozen=True)
class HttpRequest:
    """`--http "POST /path?query"` as a function would receive it behind a function URL."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""

    @classmethod
    def parse(cls, text: str, body: bytes = b"") -> HttpRequest:
        """`METHOD /path?query`, or the path alone for GET. Raises `SpecError` (exit 2)."""
        method, _, target = text.strip().rpartition(" ")
        path, _, query = target.partition("?")
        if not path.startswith("/") or (method and not method.strip().isalpha()):
            raise SpecError(
                f"--http {text!r} is not a request", hint="for example --http 'GET /hello?name=x'"
            )
        return cls(method.strip().upper() or "GET", path, query, body)

    def event(self) -> Mapping[str, object]:
        """The event of an API Gateway HTTP API (payload format 2.0)."""
        return events.http_v2(self.method, self.path, query=self.query, body=self.body)


_STREAM_DELIMITER = bytes(8)  # between the head of a streamed answer and its body (page "runtimes-custom")


@dataclass(frozen=True)
class HttpAnswer:
    """What a web client would get for the function's result."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def of(cls, payload: bytes) -> HttpAnswer:
        """Read a proxy result (`statusCode`, `headers`, `cookies`, `body`), or a stream that begins with one.

        `SubjectFailedError` (exit 1) when it is neither.
        """
        head, delimiter, streamed = payload.partition(_STREAM_DELIMITER)
        try:
            result = json.loads(head)
            status = int(result["statusCode"])
            headers = {str(name): str(value) for name, value in (result.get("headers") or {}).items()}
            cookies = [("Set-Cookie", str(cookie)) for cookie in result.get("cookies") or []]
            text = str(result.get("body") or "")
            body = base64.b64decode(text) if result.get("isBase64Encoded") else text.encode()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SubjectFailedError(
                f"the function's result is no HTTP response: {payload[:300].decode('utf-8', 'replace')}",
                hint="is the handler a web application? Try --event instead of --http",
            ) from error
        return cls(status, (*sorted(headers.items()), *cookies), streamed if delimiter else body)


@dataclass(frozen=True)
class Invoked:
    """One invocation's result with what the function logged. `asked`: whether the runtime ever asked for an event."""

    result: InvokeResult
    log: str
    asked: bool = True


def code_layer(directory: Path, option: str = "--code") -> tuple[LayerFile, ...]:
    """The files below `directory` as they go to /var/task. `SpecError` (2): none there, or too many bytes."""
    if not directory.is_dir():
        raise SpecError(
            f"{option} {directory} is not a folder", hint="name the folder whose files go to /var/task"
        )
    files = []
    total = 0
    for file in sorted(directory.rglob("*")):
        if file.is_file():
            data = file.read_bytes()
            total += len(data)
            if total > CODE_LIMIT:
                raise SpecError(
                    f"{option} {directory} holds more than {CODE_LIMIT >> 20} MB, which Lambda refuses"
                )
            mode = 0o755 if file.stat().st_mode & 0o100 else 0o644
            files.append(LayerFile(f"/var/task/{file.relative_to(directory).as_posix()}", data, mode))
    if not files:
        raise SpecError(f"{option} {directory} holds no files")
    return tuple(files)


def invoke(
    engine: Engine,
    image: str,
    payloads: Sequence[bytes],
    *,
    handler: str,
    otherwise: str = "",
    code: Path | None = None,
    env: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    timeout: float = 30.0,
) -> tuple[Invoked, ...]:
    """Invoke `image` once for each payload, in one execution environment.

    `timeout` is the function's, in seconds. Raises `EnvironmentProblemError` (4) when the image is not there.
    """
    with started_box(
        engine, image, handler=handler, otherwise=otherwise, code=code, env=env, limits=limits
    ) as box:
        return tuple(invoked(box, payload, timeout) for payload in payloads)


def invoked(box: Box, payload: bytes, timeout: float) -> Invoked:
    """One invocation in a box that is started, with what was logged meanwhile."""
    before = len(box.logs())
    result = box.invoke(payload, timeout=timeout)
    asked = bool(box.emulator.recording.exchanges(Route.NEXT))
    return Invoked(result, box.logs()[before:], asked)


@contextlib.contextmanager
def started_box(
    engine: Engine,
    image: str,
    *,
    handler: str,
    otherwise: str = "",
    code: Path | None = None,
    env: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Iterator[Box]:
    """The function of an image, started and named like it; removed at the end.

    `handler`: "" for the image's CMD, and where it has none, `otherwise`. Raises `EnvironmentProblemError` (4) when the
    image is not there.
    """
    facts = engine.image(image)
    if facts is None:
        raise EnvironmentProblemError(f"the engine has no image {image}", hint="build or pull it first")
    if not handler and not facts.cmd:
        handler = otherwise
    with Run(engine) as run:
        subject = put_layer(run, image, code_layer(code)) if code else image
        function = Function(name=_function_name(image))
        with Box(
            run, subject, limits=limits or Limits(), handler=handler, env=env or {}, function=function
        ) as box:
            box.start()
            yield box


def _function_name(image: str) -> str:
    """What Lambda would take as a function's name: `php-82-fpm` of `registry/team/php-82-fpm:1@sha256:...`."""
    last = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return re.sub(r"[^A-Za-z0-9_-]", "-", last)[:64] or "function"
