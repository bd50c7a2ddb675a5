"""A raw HTTP client for these tests: it sends the bytes it is given and keeps the bytes it gets."""

from __future__ import annotations

import json
import re
import socket
import struct
from dataclasses import dataclass
from typing import Any, Self

from runtimebuilder.emulator import Emulator

NEXT = "/2018-06-01/runtime/invocation/next"
INIT_ERROR = "/2018-06-01/runtime/init/error"


def response_path(request_id: str) -> str:
    return f"/2018-06-01/runtime/invocation/{request_id}/response"


def error_path(request_id: str) -> str:
    return f"/2018-06-01/runtime/invocation/{request_id}/error"


@dataclass(frozen=True)
class Got:
    """One answer as it came."""

    status: int
    reason: str
    raw_head: bytes
    headers: tuple[tuple[str, str], ...]
    body: bytes
    pieces: tuple[bytes, ...]  # chunks of a chunked body

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.headers)

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One TCP connection. ConnectionError when the emulator closes it in the middle of an answer."""

    def __init__(self, emulator: Emulator) -> None:
        self.sock = socket.create_connection(emulator.address, timeout=3)
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def ask(self, method: str, path: str, body: bytes | None = None, *headers: str) -> None:
        """Send a request without waiting for its answer."""
        lines = [f"{method} {path} HTTP/1.1", "Host: runtime", *headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode() + (body or b""))

    def get(self, path: str) -> Got:
        self.ask("GET", path)
        return self.read()

    def post(self, path: str, body: bytes = b"{}", *headers: str) -> Got:
        self.ask("POST", path, body, *headers)
        return self.read()

    def read(self) -> Got:
        """The next answer."""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("utf-8").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) (.*)", first)
        assert match, first
        pairs = [line.split(": ", 1) for line in lines]
        headers = tuple((name, value) for name, value in pairs)
        fields = {name.lower(): value for name, value in headers}
        pieces: list[bytes] = []
        if fields.get("transfer-encoding") == "chunked":
            while piece := self._chunk():
                pieces.append(piece)
            body = b"".join(pieces)
        else:
            body = self._exactly(int(fields.get("content-length", "0")))
        return Got(int(match[1]), match[2], head + b"\r\n\r\n", headers, body, tuple(pieces))

    def rest(self) -> bytes:
        """Everything until the emulator closes the connection. ConnectionResetError when it resets it."""
        while True:
            try:
                self._more()
            except ConnectionResetError:
                raise
            except ConnectionError:
                data, self._buffer = self._buffer, b""
                return data

    def reset(self) -> None:
        """Close with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _chunk(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._more()
        size, _, self._buffer = self._buffer.partition(b"\r\n")
        data = self._exactly(int(size, 16) + 2)
        assert data.endswith(b"\r\n")
        return data[:-2]

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _more(self) -> None:
        data = self.sock.recv(1 << 18)
        if not data:
            raise ConnectionError("closed by the emulator")
        self._buffer += data
