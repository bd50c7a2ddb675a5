"""The connection to the Runtime API, and the mistakes that can be made with it."""

import os
import socket
import sys
import time

import surroundings
from mutation import broken

API = "/2018-06-01/runtime"
USER_AGENT = surroundings.user_agent()


class ClosedError(Exception):
    """The API closed the connection before it answered anything."""


class Connection:
    """One keep-alive connection to the API."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.data = b""

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> "Answer":
        """Send one request and read its answer; once more when a kept connection turns out to be dead."""
        kept = self.socket is not None
        try:
            return self.attempt(method, path, headers, body)
        except (ClosedError, ConnectionError):
            self.close()
            if broken("cut-response-hangs") and body:
                raise
            if not kept or broken("no-reconnect") or broken("connection-close-ignored"):
                raise
            return self.attempt(method, path, headers, body)

    def attempt(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> "Answer":
        begun = time.time()
        self.send(method, path, headers, body)
        answer = self.read()
        if broken("time-since-request") and method == "GET" and time.time() - begun > 2:
            raise TimeoutError
        closing = answer.headers.get("connection", "").lower() == "close"
        if (closing and not broken("connection-close-ignored")) or broken("connection-per-request"):
            self.close()
        return answer

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> None:
        host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")
        if broken("endpoint-hardcoded"):
            host, port = "127.0.0.1", "9001"
        if self.socket is None:
            if broken("proxy-obeyed") and "http_proxy" in os.environ:
                host, port = "127.0.0.1", "9"
            self.socket = socket.create_connection((host, int(port)))
            self.socket.settimeout(None)
            self.data = b""
        if broken("two-nexts") and method == "GET":
            self.socket.settimeout(0.2)
        if broken("timeout-by-clock") and method == "GET":
            self.socket.settimeout(0.5)
        if broken("next-timeout") and method == "GET":
            self.socket.settimeout(2)
        if broken("answer-timeout") and path.endswith("/response"):
            self.socket.settimeout(1)
        if path == "/init/error" and not broken("init-error-waits-for-ever"):
            self.socket.settimeout(1)
        if broken("next-with-body") and method == "GET":
            body = b"{}"
        lines = [f"{method} {API}{path} HTTP/1.1", f"Host: {host}:{port}"]
        if not broken("no-user-agent"):
            lines.append(f"User-Agent: {USER_AGENT}")
        lines.append("Lambda-Runtime-Features: " + "mutable" * (40 if broken("features-too-long") else 1))
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body is not None:
            length = len(body.decode()) if broken("length-in-characters") else len(body)
            lines.append(f"Content-Length: {length}")
        if broken("waits-for-100") and body and len(body) > 1024:
            lines.append("Expect: 100-continue")
        head = "\r\n".join([*lines, "", ""]).encode()
        if "Expect: 100-continue" in lines:
            self.socket.sendall(head)
            head = b""
            time.sleep(1.2)
        self.socket.sendall(head + (body or b""))

    def read(self) -> "Answer":
        while b"\r\n\r\n" not in self.data:
            self.more()
            if broken("head-of-16-kb") and len(self.data.partition(b"\r\n\r\n")[0]) > 16384:
                sys.exit("too large a head")
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        if broken("too-many-headers") and len(lines) > 20:
            sys.exit("too many headers")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name if broken("header-names-as-typed") else name.lower()] = value.strip()
        if broken("header-names-as-typed"):
            headers = {
                name.lower(): value
                for name, value in headers.items()
                if name[:1].isupper() and not name.isupper()
            }
        return Answer(int(status.split()[1]), headers, self.body(headers))

    def body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return b"" if broken("chunked-unknown") else self.chunks()
        length = int(headers.get("content-length", "0"))
        if broken("event-cut-at-4-mb") and length > 4_000_000:
            return self.take(length)[:4_000_000]
        if broken("event-cut-at-512-kb") and length > 524_288:
            return self.take(length)[:524_288]
        if broken("length-ignored"):
            if not self.data:
                self.more()
            body, self.data = self.data[:4096], b""  # what one read of a small buffer brings
            return body
        return self.take(length)

    def chunks(self) -> bytes:
        body = b""
        while True:
            size = int(self.line().partition(b";")[0], 16)
            chunk = self.take(size)
            if broken("chunks-decoded-apart"):
                chunk = chunk.decode(errors="replace").encode()
            self.line()
            if size == 0:
                return body
            body += chunk

    def line(self) -> bytes:
        while b"\r\n" not in self.data:
            self.more()
        line, _, self.data = self.data.partition(b"\r\n")
        return line

    def take(self, size: int) -> bytes:
        parts, missing = [self.data[:size]], size - len(self.data)
        self.data = self.data[size:]
        while missing > 0:
            self.more()
            parts.append(self.data[:missing])
            self.data, missing = self.data[missing:], missing - len(parts[-1])
        return b"".join(parts)

    def more(self) -> None:
        assert self.socket is not None
        received = self.socket.recv(65536)
        if not received:
            raise ClosedError
        self.data += received

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
        self.socket = None


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body
