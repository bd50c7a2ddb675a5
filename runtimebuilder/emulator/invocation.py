"""What goes to the runtime with `next`, and what comes back."""

from __future__ import annotations

import base64
import enum
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from runtimebuilder.emulator.exchange import Exchange

MODE_HEADER = "Lambda-Runtime-Function-Response-Mode"
ERROR_TYPE_TRAILER = "Lambda-Runtime-Function-Error-Type"
ERROR_BODY_TRAILER = "Lambda-Runtime-Function-Error-Body"

DEFAULT_ACCOUNT = "123456789012"
DEFAULT_ARN = f"arn:aws:lambda:eu-west-1:{DEFAULT_ACCOUNT}:function:probe"


@dataclass(frozen=True)
class Invocation:
    """One invocation as `GET next` hands it out. Fields that are None send no header.

    `deadline_ms` is in milliseconds since the Unix epoch. Header values are sent as UTF-8 bytes, as they are.
    ValueError when one holds CR, LF or NUL: that would be another header, not a value.
    """

    request_id: str
    event: bytes
    deadline_ms: int
    function_arn: str = DEFAULT_ARN
    trace_id: str | None = None
    client_context: str | None = None
    cognito_identity: str | None = None
    tenant_id: str | None = None
    content_type: str | None = "application/json"

    def __post_init__(self) -> None:
        for name, value in self.headers():
            if any(char in value for char in "\r\n\0"):
                raise ValueError(f"{name}: a header value cannot hold a line break or NUL: {value!r}")

    @classmethod
    def of(
        cls,
        event: object | bytes,
        *,
        timeout: float = 3.0,
        request_id: str | None = None,
        function_arn: str = DEFAULT_ARN,
        trace_id: str | None = None,
        client_context: str | None = None,
        cognito_identity: str | None = None,
        tenant_id: str | None = None,
        content_type: str | None = "application/json",
    ) -> Invocation:
        """An invocation with a fresh UUID whose deadline is `timeout` seconds from now.

        Bytes go out as they are, everything else as compact JSON. ValueError for NaN and infinities,
        TypeError for what JSON cannot hold.
        """
        return cls(
            request_id=str(uuid.uuid4()) if request_id is None else request_id,
            event=event if isinstance(event, bytes) else encode_json(event),
            deadline_ms=int((time.time() + timeout) * 1000),
            function_arn=function_arn,
            trace_id=trace_id,
            client_context=client_context,
            cognito_identity=cognito_identity,
            tenant_id=tenant_id,
            content_type=content_type,
        )

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of the answer to `GET next`: canonical case, sorted as Go's server does (§6.3)."""
        pairs = (
            ("Content-Type", self.content_type),
            ("Lambda-Runtime-Aws-Request-Id", self.request_id),
            ("Lambda-Runtime-Aws-Tenant-Id", self.tenant_id),
            ("Lambda-Runtime-Client-Context", self.client_context),
            ("Lambda-Runtime-Cognito-Identity", self.cognito_identity),
            ("Lambda-Runtime-Deadline-Ms", str(self.deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", self.function_arn),
            ("Lambda-Runtime-Trace-Id", self.trace_id),
        )
        return tuple((name, value) for name, value in pairs if value is not None)


def encode_json(value: object) -> bytes:
    """Compact UTF-8 JSON; lone surrogates force the all-ASCII form, the only one that can carry them."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


class OutcomeKind(enum.StrEnum):
    """How an invocation was answered."""

    RESPONSE = "response"
    ERROR = "error"
    TOO_LARGE = "too-large"


@dataclass(frozen=True)
class StreamError:
    """What went wrong in the middle of a stream, as its trailers tell: the invocation still counts as answered.

    `body` is the trailer decoded, None where it is no base64.
    """

    type: str | None
    body: bytes | None


@dataclass(frozen=True)
class Outcome:
    """The runtime's answer to an invocation.

    `body` is what the caller of the function gets: the posted bytes, or for TOO_LARGE the service's own text
    (§6.4); what was posted then is in `exchange.request_body`. `exchange` is the POST.
    """

    kind: OutcomeKind
    request_id: str
    body: bytes
    exchange: Exchange

    @property
    def is_streamed(self) -> bool:
        """The response was announced as a stream."""
        return self.exchange.header(MODE_HEADER) == "streaming"

    @property
    def stream_error(self) -> StreamError | None:
        """The error in the trailers of a streamed response, if there is one."""
        kind = self.exchange.trailer(ERROR_TYPE_TRAILER)
        text = self.exchange.trailer(ERROR_BODY_TRAILER)
        if not self.is_streamed or (kind is None and text is None):
            return None
        try:
            body = None if text is None else base64.b64decode(text, validate=True)
        except ValueError:
            body = None
        return StreamError(kind, body)

    def json(self) -> Any:
        """The body parsed as JSON. ValueError when it is none."""
        return json.loads(self.body)
