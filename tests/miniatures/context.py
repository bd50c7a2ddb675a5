"""What a handler may know about its invoke, and the mistakes that can be made with it."""

import json
import time
from typing import Any

from mutation import broken
from notes import first, say


class Identity:
    def __init__(self, told: Any) -> None:
        self.cognito_identity_id = told


class Context:
    """What a handler may know about its invoke; named as in AWS's Python client."""

    def __init__(self, headers: dict[str, str]) -> None:
        if broken("request-id-guessed"):
            headers.setdefault("lambda-runtime-aws-request-id", "")
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        deadline = headers.get("lambda-runtime-deadline-ms", "")
        known = deadline.isdigit() or broken("deadline-must-be-number")
        self._epoch_deadline_time_in_ms = int(deadline) if known else 0
        self.client_context = self.parsed(headers, "client-context")
        self.identity = Identity(self.parsed(headers, "cognito-identity"))
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self.trace_id = headers.get("lambda-runtime-trace-id")
        self.deadline = self._epoch_deadline_time_in_ms
        if broken("deadline-in-32-bits"):
            self._epoch_deadline_time_in_ms &= 0xFFFFFFFF
        if broken("deadline-of-first-invoke"):
            self.deadline = first.setdefault("deadline", self.deadline)
        if broken("arn-of-first-invoke"):
            self.invoked_function_arn = first.setdefault("arn", self.invoked_function_arn)
        if broken("tenant-of-earlier-invoke"):
            self.tenant_id = first["tenant"] = self.tenant_id or first.get("tenant")

    def parsed(self, headers: dict[str, str], name: str) -> Any:
        """The JSON in a header, None where there is none."""
        text = headers.get(f"lambda-runtime-{name}", "null")
        if broken(f"{name}-unparsed"):
            return None if text == "null" else text
        if broken("ascii-headers-only"):
            text.encode("ascii")
        try:
            return json.loads(text)
        except ValueError:
            if broken("bad-context-ends-process"):
                raise
            say(f"{name} is not JSON")
            return None

    def get_remaining_time_in_millis(self) -> int:
        return int(self.deadline - time.time() * 1000)
