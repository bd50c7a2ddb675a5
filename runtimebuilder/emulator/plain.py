"""A plain request, whole in one read from the socket, taken apart without h11.

Nearly all requests of nearly all runtimes are such; h11 takes the most of the time that they need. What is not plain
(several reads, chunks, `Expect`, `Connection: close`, anything odd or wrong) is h11's, as before: what is read from a
plain request is what h11 would have read, which the tests compare.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

# Field values as h11 takes them, without the control characters about which opinions differ.
_HEAD = re.compile(
    rb"([A-Z]{1,16}) ([!-~]{1,8192}) HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n){1,100})\r\n"
)
_LENGTH = re.compile("[0-9]{1,9}")
_NOT_PLAIN = frozenset(("transfer-encoding", "expect", "upgrade", "connection", "trailer", "te"))
_LONGEST_HEAD = 64 * 1024
_OFTEN_SEEN = 2048  # bytes of header fields that are worth remembering


class PlainRequest(NamedTuple):
    """One request, byte for byte."""

    method: str
    target: str
    head: bytes  # request line to blank line
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_sized: bool  # it says how long the body is


def read_plain(data: bytes) -> PlainRequest | None:
    """The request that `data` is, when it is a plain one, no less and no more; else None."""
    match = _HEAD.match(data, 0, _LONGEST_HEAD)
    if match is None:
        return None
    method, target, block = match.groups()
    fields = _fields(block) if len(block) <= _OFTEN_SEEN else _fields.__wrapped__(block)
    end = match.end()
    if fields is None or len(data) - end != (fields.length or 0):
        return None
    return PlainRequest(
        method.decode("ascii"),
        target.decode("ascii"),
        data[:end],
        fields.headers,
        data[end:],
        fields.length is not None,
    )


class _Fields(NamedTuple):
    headers: tuple[tuple[str, str], ...]
    length: int | None  # what Content-Length says


@functools.lru_cache(maxsize=64)
def _fields(block: bytes) -> _Fields | None:
    """The header fields, the same objects for the same bytes: a runtime sends the same ones again and again."""
    headers = []
    hosts, length = 0, None
    for line in block[:-2].decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        value = value.strip(" \t")
        headers.append((name, value))
        lower = name.lower()
        if lower == "host":
            hosts += 1
        elif lower == "content-length":
            if length is not None or _LENGTH.fullmatch(value) is None:
                return None
            length = int(value)
        elif lower in _NOT_PLAIN:
            return None
    return _Fields(tuple(headers), length) if hosts == 1 else None
