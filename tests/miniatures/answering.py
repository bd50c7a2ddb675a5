"""Results and errors as they are posted, and the mistakes that can be made with them."""

import json
import os
import re
import sys
import time
import traceback
import urllib.parse
from typing import Any

import streaming
import surroundings
from connection import Connection
from context import Context
from mutation import broken
from notes import first, say

ERROR_JSON = "application/vnd.aws.lambda.error+json"
TYPE_HEADER = "Lambda-Runtime-Function-Error-Type"
LIMIT = 6_291_556


def decode(body: bytes) -> Any:
    if not body:
        if broken("empty-event-ends-process"):
            os._exit(1)
        return None
    if broken("no-space-around-events") and body != body.strip():
        raise ValueError("white space before or after the event")
    if broken("integers-as-floats"):
        return json.loads(body, parse_int=float)
    if broken("first-of-equal-keys"):
        return json.loads(body, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    return json.loads(body)


def encode(result: Any) -> bytes:
    if broken("nothing-as-no-text") and result is None:
        return b""
    if broken("falsy-as-null"):
        result = result or None
    if broken("empty-object-as-list") and result == {}:
        result = []
    if broken("bytes-as-json") and isinstance(result, bytes):
        return result
    text = json.dumps(result, ensure_ascii=False, allow_nan=broken("infinity-as-json"))
    if broken("response-in-ascii"):
        return text.encode("ascii", errors="replace")
    if broken("text-ends-at-nul") and "\\u0000" in text:
        text = text.partition("\\u0000")[0] + '"'
    body = text.encode()
    if broken("limit-of-6000000") and len(body) > 6_000_000:
        raise ValueError("the response is too large")
    return body[:LIMIT] if broken("response-cut-to-limit") else body


def post_response(result: bytes, context: Context, connection: Connection) -> None:
    if broken("answers-one-late"):
        first["result"], result = result, first.get("result", b"null")
    if broken("413-spoils-next") and first.pop("too large", False):
        result = b"null"
    path = f"/invocation/{urllib.parse.quote(context.aws_request_id, safe='')}/response"
    headers = {} if broken("response-without-type") else {"Content-Type": "application/json"}
    if broken("error-type-kept") and "error type" in first:
        headers[TYPE_HEADER] = first["error type"]
    if broken("mode-kept-after-stream") and "streamed" in first:
        headers[streaming.MODE_HEADER] = "buffered"
    if broken("large-as-stream") and len(result) > LIMIT:
        headers[streaming.MODE_HEADER] = "streaming"
    if broken("late-result-kept") and "late" in first:
        result = first.pop("late")
    if broken("next-before-answer"):
        connection.send("POST", path, headers, result)
        other = Connection()
        other.send("GET", "/invocation/next", {}, None)
        connection.read()
        first["waiting"] = other.read()
        return
    try:
        answer = connection.request("POST", path, headers, result)
    except ConnectionError:
        if broken("cut-response-hangs"):
            time.sleep(30)
        raise
    except TimeoutError:  # a mutation set the timeout
        connection.close()
        answer = connection.request("POST", path, headers, result)
    if broken("200-posted-again") and answer.status == 200:
        connection.request("POST", path, headers, result)
    if broken("response-twice"):
        connection.request("POST", path, headers, result)
    if broken("answer-parsed-strictly"):
        json.loads(answer.body)
    while broken("response-posted-until-taken") and answer.status == 400:
        answer = connection.request("POST", path, headers, result)
    reported = (
        broken("413-then-error") and answer.status == 413,
        broken("403-then-error") and answer.status == 403,
    )
    if any(reported):
        report_error(RuntimeError(f"status {answer.status}"), context, connection)
        return
    if answer.status == 400:
        first["late"] = result
    if answer.status == 413:
        first["too large"] = True
    if answer.status == 410 and broken("410-ends-worker"):
        sys.exit("too late")
    if answer.status >= 500 and not broken("response-500-ignored"):
        sys.exit("the API failed")
    if answer.status != 202:
        say(f"response: status {answer.status}")


def report_error(problem: BaseException, context: Context, connection: Connection) -> None:
    kind = type(problem).__name__
    safe = function_type(kind)
    headers = {"Content-Type": "text/plain" if broken("error-as-text") else ERROR_JSON}
    if not broken("error-without-type-header"):
        raw = broken("error-type-unchecked") or broken("error-type-without-category")
        headers[TYPE_HEADER] = kind if raw else safe
    headers["Lambda-Runtime-Function-XRay-Error-Cause"] = surroundings.xray_cause(kind, str(problem))
    first["error type"] = safe
    body = error_body(kind, str(problem), problem)
    path = f"/invocation/{urllib.parse.quote(context.aws_request_id, safe='')}/error"
    answer = connection.request("POST", path, headers, body)
    while broken("error-posted-until-taken") and answer.status in (400, 403):
        answer = connection.request("POST", path, headers, body)
    if answer.status >= 500 and not broken("error-500-ignored"):
        sys.exit("the API failed")
    if broken("error-ends-process"):
        sys.exit(1)


def function_type(kind: str) -> str:
    """The error type as a header may hold it."""
    return "Function." + (re.sub(r"[^A-Za-z0-9_]", "", kind)[:100] or "Error")


def error_body(kind: str, message: str, problem: BaseException) -> bytes:
    if broken("message-must-be-utf8"):
        message.encode()
    if not broken("huge-message-uncut"):
        message = message[:10_000]
    lines = [
        line.rstrip()[:1000]
        for line in traceback.format_exception(type(problem), problem, problem.__traceback__)
    ]
    if broken("error-escaped-by-hand"):
        return f'{{"errorMessage":"{message}","errorType":"{kind}","stackTrace":[]}}'.encode()
    error: dict[str, Any] = {"errorMessage": message, "errorType": kind, "stackTrace": lines}
    if broken("stack-trace-of-objects"):
        error["stackTrace"] = [{"line": line} for line in lines]
    if broken("innermost-error-shown") and problem.__cause__:
        error["errorMessage"] = str(problem.__cause__)
    if broken("error-without-type"):
        del error["errorType"]
    return json.dumps(error).encode()
