"""What a test of a suite sees of an invocation, and how it is compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runtimebuilder.conformance.expectation import shown
from runtimebuilder.conformance.suites.document import JSON_TYPE, Assertion
from runtimebuilder.conformance.suites.transform import TransformError, transformed
from runtimebuilder.sandbox.outcome import InvokeResult

_METRICS = ("metrics", "init_metrics", "invoke_metrics")
_ERRORS = ("error", "errorType")


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of an invocation as AWS's runner sees it: a JSON object with an errorType is an error.

    It reads that off the body, for the Runtime Interface Emulator tells nothing else.
    """

    body: Any
    content_type: str
    error_type: str | None
    log: tuple[str, ...]

    @classmethod
    def of(cls, result: InvokeResult, log: str) -> Answer:
        """Read a result and what was printed meanwhile."""
        try:
            body, content_type = json.loads(result.body), JSON_TYPE
        except ValueError:
            body, content_type = result.body.decode("utf-8", "replace"), "application/unknown"
        typed = body.get("errorType") if isinstance(body, dict) else None
        failed = result.kind != "response"
        error_type = str(typed) if typed is not None else ("" if failed else None)
        return cls(body, content_type, error_type, tuple(log.splitlines()))


@dataclass(frozen=True, slots=True)
class Difference:
    """An assertion that does not hold."""

    expected: str
    seen: str


def unsupported(assertions: Sequence[Assertion]) -> str | None:
    """Why these cannot be judged here, or None."""
    asked = [one.subject for one in assertions if one.subject in _METRICS]
    return f"it asserts {asked[0]}, which only the service has" if asked else None


def first_difference(assertions: Sequence[Assertion], answer: Answer) -> Difference | None:
    """The first assertion that does not hold, None when all do."""
    differences = (_difference(one, answer) for one in assertions)
    return next((found for found in differences if found is not None), None)


def _difference(assertion: Assertion, answer: Answer) -> Difference | None:
    expected = f"{assertion.subject} {shown(assertion.value)}"
    if assertion.transform is not None:
        expected += f" after {assertion.transform}"
    failed = answer.error_type is not None
    if assertion.subject in _ERRORS and not failed:
        return Difference(expected, f"no error but the response {shown(answer.body)}")
    if assertion.subject in ("response", "responseContentType") and failed:
        return Difference(expected, f"the error {shown(answer.body)}")
    seen = _subject(assertion.subject, answer)
    if assertion.transform is not None:
        try:
            results = transformed(assertion.transform, seen)
        except TransformError as problem:
            return Difference(expected, f"{problem}, on {shown(seen)}")
        if not results:
            return Difference(expected, f"nothing, of {shown(seen)}")
        seen = results[0]
    return None if seen == assertion.value else Difference(expected, shown(seen))


def _subject(name: str, answer: Answer) -> Any:
    if name in ("contentType", "responseContentType"):
        return answer.content_type
    if name == "errorType":
        return answer.error_type
    return list(answer.log) if name in ("logs", "tail-logs") else answer.body
