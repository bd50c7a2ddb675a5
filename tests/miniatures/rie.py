#!/usr/bin/python3
"""The smallest emulator that a runtime can be invoked through inside its image: one event at a time, no timeouts."""

import os
import queue
import subprocess
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

events: "queue.Queue[tuple[str, bytes]]" = queue.Queue()
answers: "queue.Queue[bytes]" = queue.Queue()
one_at_a_time = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self, status: int, body: bytes, headers: "dict[str, str] | None" = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))


class Caller(Handler):
    """The side of who invokes."""

    def do_POST(self) -> None:
        with one_at_a_time:
            events.put((str(uuid.uuid4()), self.body()))
            self.answer(200, answers.get())


class Runtime(Handler):
    """The side of the runtime."""

    def do_GET(self) -> None:
        identity, event = events.get()
        headers = {"Lambda-Runtime-Aws-Request-Id": identity, "Lambda-Runtime-Deadline-Ms": "4102444800000"}
        self.answer(200, event, headers)

    def do_POST(self) -> None:
        answers.put(self.body())
        self.answer(202, b"{}")


if __name__ == "__main__":
    for address, side in ((("", 8080), Caller), (("127.0.0.1", 9001), Runtime)):
        threading.Thread(target=ThreadingHTTPServer(address, side).serve_forever, daemon=True).start()
    sys.exit(subprocess.call(sys.argv[1:], env={**os.environ, "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}))
