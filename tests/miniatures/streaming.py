"""How the miniature streams: a handler that returns an iterator of bytes has every piece sent when it comes."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from mutation import broken

MODE_HEADER = "Lambda-Runtime-Function-Response-Mode"
TYPE_TRAILER = "Lambda-Runtime-Function-Error-Type"
BODY_TRAILER = "Lambda-Runtime-Function-Error-Body"
HTTP_TYPE = "application/vnd.awslambda.http-integration-response"
DELIMITER = b"\0" * 8

ErrorBody = Callable[[BaseException], tuple[str, bytes]]  # the type for the header, and the body


class Opened:
    """A stream whose first piece is there: whatever goes wrong before it is an ordinary error."""

    def __init__(self, result: Any) -> None:
        self.content_type = getattr(result, "content_type", None) or "application/octet-stream"
        prelude = getattr(result, "prelude", None)
        if broken("stream-type-fixed"):
            self.content_type = "application/octet-stream"
        if prelude is not None and not broken("prelude-as-json"):
            self.content_type = HTTP_TYPE
        elif prelude is not None:
            self.content_type = "application/json"
        self.pieces: Iterator[bytes] = iter(result)
        self.is_empty = False
        if not broken("stream-head-first"):
            head = next(self.pieces, None)
            self.is_empty = head is None
            self.pieces = chain([head or b""], self.pieces)
        if broken("nuls-dropped"):
            self.pieces = (piece.replace(DELIMITER, b"") for piece in self.pieces)
        if prelude is not None:
            self.pieces = with_prelude(prelude, self.pieces)
        if broken("stream-of-6-mb"):
            self.pieces = cut(self.pieces, 6_000_000)
        if broken("stream-collected"):
            self.pieces = iter([b"".join(self.pieces)])
        if broken("stream-read-ahead"):
            self.pieces = read_ahead(self.pieces)


def is_stream(result: Any) -> bool:
    """Whether a handler's result is to be streamed."""
    return isinstance(result, Iterator)


def with_prelude(prelude: Any, pieces: Iterable[bytes]) -> Iterator[bytes]:
    text = json.dumps(prelude)
    if broken("prelude-raw-nul"):
        text = text.replace("\\u0000", "\0")
    yield text.encode() + DELIMITER
    for piece in pieces:
        yield piece + DELIMITER if broken("delimiter-after-every-write") else piece


def cut(pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    for piece in pieces:
        if limit <= 0:
            return
        yield piece[:limit]
        limit -= len(piece)


def read_ahead(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Take the pieces as fast as they come, whether anybody reads or not."""
    taken: list[bytes] = []
    thread = threading.Thread(target=lambda: taken.extend(pieces))
    thread.start()
    place = 0
    while thread.is_alive() or place < len(taken):
        if place < len(taken):
            yield taken[place]
            place += 1
        else:
            thread.join(0.01)


def post_stream(opened: Opened, path: str, connection: Any, error_body: ErrorBody) -> Any:
    """Send the stream on a connection of its own, which ends with it. The answer; None when there was none."""
    own = connection if broken("connection-kept-after-stream") else type(connection)()
    headers = {
        MODE_HEADER: "Streaming" if broken("mode-in-capitals") else "streaming",
        "Content-Type": opened.content_type,
        "Trailer": f"{TYPE_TRAILER}, {BODY_TRAILER}",
        "Connection": "close",
    }
    if broken("trailers-unannounced"):
        del headers["Trailer"]
    if broken("connection-kept-after-stream"):
        del headers["Connection"]
    if broken("stream-sized"):
        return own.attempt("POST", path, headers, b"".join(opened.pieces))
    headers["Transfer-Encoding"] = "chunked"
    try:
        own.send("POST", path, headers, None)
        own.socket.sendall(end_of(send_pieces(own.socket, opened.pieces), own.socket, error_body))
        return own.read()
    except ConnectionError:
        if broken("dropped-stream-hangs"):
            time.sleep(30)
        return None
    finally:
        if own is not connection:
            own.close()


def send_pieces(sock: Any, pieces: Iterator[bytes]) -> Exception | None:
    """Send every piece as a chunk. What the handler raised meanwhile."""
    while True:
        try:
            piece = next(pieces)
        except StopIteration:
            return None
        except Exception as problem:  # noqa: BLE001 - whatever user code does
            return problem
        if piece:
            sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))


def end_of(problem: Exception | None, sock: Any, error_body: ErrorBody) -> bytes:
    """The last chunk and the trailers."""
    if problem is None:
        return b"0\r\n\r\n"
    kind, body = error_body(problem)
    text = base64.encodebytes(body) if broken("trailer-in-lines") else base64.b64encode(body)
    trailers = f"{TYPE_TRAILER}: {kind}\r\n{BODY_TRAILER}: ".encode() + text + b"\r\n"
    if broken("trailers-in-a-chunk"):
        sock.sendall(b"%x\r\n%b\r\n" % (len(trailers), trailers))
        return b"0\r\n\r\n"
    return b"0\r\n" + trailers + b"\r\n"
