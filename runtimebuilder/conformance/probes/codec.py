"""Commands into events and answers back into results, for each form of probe."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Protocol

from runtimebuilder import events
from runtimebuilder.conformance.probes.probe import Form

Command = Mapping[str, object]

HTTP_STREAM_DELIMITER = bytes(8)
"""Between status, headers and cookies of a streamed HTTP response and its payload."""


class NotDecodableError(ValueError):
    """An answer is not of the form that the probe's results have; the text says what is wrong with it."""


class Codec(Protocol):
    """One form. Text goes through as it is, so that a case can write a command byte by byte."""

    def event(self, command: str) -> bytes:
        """The event for a command given as JSON text."""

    def result(self, body: bytes) -> str:
        """The JSON text of the handler's result; raises `NotDecodableError`."""


class Direct:
    """The event is the command, the response's body the result."""

    def event(self, command: str) -> bytes:
        return command.encode()

    def result(self, body: bytes) -> str:
        return _text(body)


class Http:
    """An HTTP API event (payload format 2.0) whose body is the command; the result is the response's body."""

    def event(self, command: str) -> bytes:
        headers = {"content-type": "application/json", "content-length": str(len(command.encode()))}
        event = events.http_v2("POST", "/", headers=headers, body=command)
        return json.dumps(event, ensure_ascii=False).encode()

    def result(self, body: bytes) -> str:
        prelude, delimiter, payload = body.partition(HTTP_STREAM_DELIMITER)
        response = _object(prelude, "an HTTP response object")
        status = response.get("statusCode")
        text = _text(payload) if delimiter else response.get("body", "")
        if not isinstance(text, str):
            raise NotDecodableError(f"the HTTP response's body is not a string but {type(text).__name__}")
        if status != 200:
            raise NotDecodableError(f"HTTP status {status!r} with body {text[:200]!r}")
        if response.get("isBase64Encoded"):
            try:
                return _text(base64.b64decode(text, validate=True))
            except binascii.Error as problem:
                raise NotDecodableError("the HTTP response's body is not base64 as it says") from problem
        return text


class Console:
    """The event is a list of one argument, the command; the result is what the command wrote."""

    def event(self, command: str) -> bytes:
        return json.dumps([command], ensure_ascii=False).encode()

    def result(self, body: bytes) -> str:
        answer = _object(body, "an object with exitCode and output")
        output = answer.get("output")
        if answer.get("exitCode") != 0 or not isinstance(output, str):
            raise NotDecodableError(f"exitCode {answer.get('exitCode')!r}, output {str(output)[:200]!r}")
        return output


def codec_for(form: Form) -> Codec:
    """The codec of a form."""
    return _CODECS[form]


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as problem:
        raise NotDecodableError(f"the answer is not UTF-8 at byte {problem.start}") from problem


def _object(body: bytes, wanted: str) -> Mapping[str, object]:
    try:
        value = json.loads(_text(body))
    except (ValueError, RecursionError) as problem:
        raise NotDecodableError(f"the answer is not {wanted}: {body[:200]!r}") from problem
    if not isinstance(value, dict):
        raise NotDecodableError(f"the answer is not {wanted}: {body[:200]!r}")
    return value


_CODECS: Mapping[Form, Codec] = {Form.DIRECT: Direct(), Form.HTTP: Http(), Form.CONSOLE: Console()}
