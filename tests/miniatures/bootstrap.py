#!/usr/bin/python3
"""A small Lambda runtime for Python handlers, which obeys the whole contract, and can break exactly one thing.

The suite is proved on it: as it stands it passes every case; with the variable MUTATION it fails the case that looks
for that mistake. Standard library only; it is the image's /var/runtime/bootstrap.
"""

import importlib
import io
import itertools
import json
import os
import pwd
import re
import signal
import socket
import sys
import time
import traceback
import urllib.parse
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

import event_sources
import extensions
import lifecycle
import restoring
import streaming
import surroundings
import workers
from mutation import broken

API = "/2018-06-01/runtime"
ERROR_JSON = "application/vnd.aws.lambda.error+json"
TYPE_HEADER = "Lambda-Runtime-Function-Error-Type"
LIMIT = 6_291_556
USER_AGENT = surroundings.user_agent()
LOCK = Path("/tmp/bootstrap.lock")
REPORTED = Path("/tmp/bootstrap.reported")

first: dict[str, Any] = {}  # what some mutations remember of the first invoke


def nothing(_event: Any, _context: Any) -> None:
    """The handler of some mutations."""


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


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


def main() -> None:
    connection = Connection()
    lifecycle.begin()
    start_wrong()
    extensions.register_one()
    if broken("next-before-load"):
        early = connection
        early.send("GET", "/invocation/next", {}, None)
        handler = load(Connection())
        serve(handler, connection, early.read())
    workers.set_up_logs()
    handler = load(connection)
    if restoring.is_wanted():
        restoring.wait_for_restore(connection, fail_start)
    if workers.are_many():
        workers.run(lambda: serve(handler, Connection()))
    serve(handler, connection)


def start_wrong() -> None:
    """Mistakes of a start, before anything else happens."""
    surroundings.at_start()
    if broken("waits-for-endpoint") and "AWS_LAMBDA_RUNTIME_API" not in os.environ:
        time.sleep(60)
    if broken("writes-beside-bootstrap"):
        Path("/var/runtime/cache").write_text("x", encoding="utf-8")
    if broken("writes-to-volume"):
        Path("/var/data/started").touch()
    if broken("needs-user-name"):
        pwd.getpwuid(os.getuid())
    if broken("needs-execution-env"):
        first["environment"] = os.environ["AWS_EXECUTION_ENV"]
    if broken("lines-of-variables-joined"):
        os.environ.update({name: value.replace("\n", " ") for name, value in os.environ.items()})
    if broken("writes-to-home"):
        Path(os.environ["HOME"], ".cache").mkdir()
    if broken("needs-credentials") and not os.environ["AWS_ACCESS_KEY_ID"]:
        sys.exit("no credentials")
    if broken("opens-200-files"):
        first["files"] = [os.dup(2) for _ in range(200)]
    if broken("ignores-sigterm"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if broken("changes-folder"):
        os.chdir("/tmp")
    if broken("wants-200-mb"):
        first["memory"] = b"x" * 200 * 1024 * 1024
    if broken("lock-in-tmp") and LOCK.exists():
        sys.exit("another instance is running")


def load(connection: Connection) -> Any:
    """Find the handler, or report why not and exit."""
    name = os.environ.get("_HANDLER", "")
    if broken("unset-handler-silent") and "_HANDLER" not in os.environ:
        sys.exit(1)
    if broken("lock-at-load"):
        LOCK.touch(exist_ok=False)
    module, _, function = name.rpartition(".")
    sys.path.insert(0, os.environ.get("LAMBDA_TASK_ROOT", "/var/task"))
    try:
        return getattr(importlib.import_module(module), function)
    except ValueError as problem:  # an empty name
        if broken("malformed-handler-silent"):
            sys.exit(0)
        fail_start(connection, "Runtime.MalformedHandlerName", problem)
    except SystemExit:
        if broken("exit-at-load-swallowed"):
            return nothing
        raise
    except AttributeError as problem:
        if broken("symbol-looked-up-late"):
            return nothing
        fail_start(connection, "Runtime.HandlerNotFound", problem)
    except SyntaxError as problem:
        if broken("syntax-error-unreported"):
            sys.exit(1)
        fail_start(connection, "Runtime.UserCodeSyntaxError", problem)
    except ImportError as problem:
        if broken("missing-file-unreported"):
            sys.exit(1)
        fail_start(connection, "Runtime.ImportModuleError", problem)
    except Exception as problem:  # noqa: BLE001 - whatever user code does
        if broken("load-error-without-message"):
            fail_start(connection, "Runtime.Unknown", RuntimeError("the handler could not be loaded"))
        fail_start(connection, "Runtime.Unknown", problem)


def fail_start(
    connection: Connection, kind: str, problem: BaseException, path: str = "/init/error"
) -> NoReturn:
    if not broken("start-failure-not-logged"):
        say(f"cannot start the handler {os.environ.get('_HANDLER')!r}: {kind}: {str(problem)[:1000]}")
    if broken("second-start-silent") and REPORTED.exists():
        sys.exit(1)
    if broken("second-start-silent"):
        REPORTED.touch()
    body = error_body(kind, str(problem), problem)
    headers = {"Content-Type": ERROR_JSON}
    if not broken("error-without-type-header"):
        headers[TYPE_HEADER] = kind
    try:
        answer = connection.request("POST", path, headers, body)
    except TimeoutError:
        sys.exit("init/error was not answered")
    if broken("init-error-twice"):
        connection.request("POST", "/init/error", headers, body)
    while broken("init-error-until-taken") and answer.status != 202:
        answer = connection.request("POST", "/init/error", headers, body)
    if broken("init-error-lingers"):
        time.sleep(30)
    if broken("next-after-init-error"):
        connection.request("GET", "/invocation/next", {}, None)
    sys.exit(0 if broken("init-error-exits-0") else 1)


def serve(handler: Any, connection: Connection, waiting: Answer | None = None) -> NoReturn:
    while True:
        event, waiting = waiting or ask_next(connection), None
        if broken("content-type-checked") and event.headers.get("content-type") != "application/json":
            sys.exit("not JSON")
        context = Context(event.headers)
        if broken("one-context-for-all"):
            vars(first.setdefault("context", context)).update(vars(context))
            context = first["context"]
        workers.begin(context.aws_request_id)
        lifecycle.event_came()
        extensions.register_late()
        set_trace(event.headers.get("lambda-runtime-trace-id"))
        if broken("request-id-must-be-uuid") and not re.fullmatch(r"[0-9a-f-]{36}", context.aws_request_id):
            sys.exit("bad request id")
        if broken("lock-in-tmp"):
            LOCK.touch()
        if broken("writes-events-to-tmp"):
            Path(f"/tmp/{context.aws_request_id}").write_bytes(b"x" * 1_000_000)
        if broken("loads-again-and-again"):
            handler = loaded_again(handler)
        invoke(handler, event.body, context, connection)
        if broken("lock-in-tmp"):
            LOCK.unlink()
        if broken("clears-tmp"):
            for path in Path("/tmp").glob("probe*"):
                path.unlink()
        waiting = first.pop("waiting", None)  # of a mutation that asks too early


def loaded_again(handler: Any) -> Any:
    """The handler from its module, after it and all that it imported from its folder were loaded again."""
    folder = os.environ.get("LAMBDA_TASK_ROOT", "/var/task")
    own = [one for one in sys.modules.values() if str(getattr(one, "__file__", "")).startswith(folder)]
    for module in reversed(own):
        importlib.reload(module)
    return getattr(sys.modules[handler.__module__], handler.__name__)


def ask_next(connection: Connection) -> Answer:
    failures = 0
    while True:
        try:
            answer = connection.request("GET", "/invocation/next", {}, None)
        except TimeoutError:  # a mutation set the timeout
            if broken("two-nexts"):  # the connections stay open
                first.setdefault("abandoned", []).append(connection.socket)
                connection.socket = None
            connection.close()
            continue
        except (ClosedError, ConnectionError):
            failures += 1
            if broken("cut-next-in-a-loop") or workers.tries_again(failures):
                continue
            raise
        if answer.status == 200:
            return answer
        say(f"next: status {answer.status}")
        if broken("redirect-followed") and "location" in answer.headers:
            path = urllib.parse.urlsplit(answer.headers["location"]).path
            connection.request("GET", path.removeprefix(API), {}, None)
        if broken("next-204-in-a-loop") and answer.status == 204:
            continue
        if broken("next-refused-in-a-loop") and answer.status == 403:
            continue
        sys.exit(0 if broken("next-500-exits-0") else 1)


def set_trace(trace: str | None) -> None:
    if broken("trace-not-set") or (workers.are_many() and not broken("trace-set-among-workers")):
        return  # the environment belongs to all workers: theirs is in the context
    if broken("trace-of-first-invoke"):
        trace = first.setdefault("trace", trace)
    if trace is None and broken("trace-kept-when-absent"):
        return
    if trace is None:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    else:
        os.environ["_X_AMZN_TRACE_ID"] = trace


def invoke(handler: Any, body: bytes, context: Context, connection: Connection) -> None:
    if broken("events-through-one-file"):
        body = workers.through_file(body)
    lifecycle.handler_begins(lambda result: post_response(result, context, Connection()))
    try:
        event = event_sources.mangled(decode(body))
        if broken("objects-only") and not isinstance(event, dict):
            raise TypeError("the event is not an object")  # noqa: TRY301 - reported like a handler's own
        result = packed(event_sources.wrapped(event, call(handler, event, context)))
    except SystemExit as problem:
        if broken("exit-reported-twice"):
            report_error(problem, context, connection)
            report_error(problem, context, connection)
        if broken("exit-swallowed"):
            result = b"null"
        elif broken("exit-status-lost"):
            sys.exit(1)
        else:
            raise
    except BaseException as problem:
        if broken("odd-errors-end-process") and not isinstance(problem, Exception):
            raise
        if broken("recursion-as-null") and isinstance(problem, RecursionError):
            post_response(b"null", context, connection)
            return
        if broken("deep-event-ends-process") and isinstance(problem, RecursionError):
            raise
        if broken("bad-event-ends-process") and isinstance(problem, json.JSONDecodeError):
            raise
        if broken("surrogate-ends-process") and isinstance(problem, UnicodeEncodeError):
            raise
        report_error(problem, context, connection)
        return
    if isinstance(result, streaming.Opened):
        stream(result, context, connection)
    else:
        post_response(result, context, connection)
        lifecycle.answer_sent(lambda: post_response(result, context, connection))


def packed(result: Any) -> "bytes | streaming.Opened":
    """What a handler gave, ready to be sent."""
    if not streaming.is_stream(result):
        return encode(result)
    opened = streaming.Opened(result)
    return b"null" if opened.is_empty and broken("empty-stream-as-null") else opened


def stream(opened: streaming.Opened, context: Context, connection: Connection) -> None:
    def body_of(problem: BaseException) -> tuple[str, bytes]:
        kind = type(problem).__name__
        return function_type(kind), error_body(kind, str(problem), problem)

    if broken("next-before-stream-ends"):
        other = Connection()
        opened.pieces = itertools.chain(opened.pieces, ask_too_early(other))
    path = f"/invocation/{urllib.parse.quote(context.aws_request_id, safe='')}/response"
    answer = streaming.post_stream(opened, path, connection, body_of)
    if broken("next-before-stream-ends"):
        first["waiting"] = other.read()
    first["streamed"] = True
    if answer is None:
        say("response: the API closed the connection in the middle of a stream")
    elif answer.status >= 500:
        sys.exit("the API failed")
    elif answer.status != 202:
        say(f"response: status {answer.status}")


def ask_too_early(connection: Connection) -> Iterator[bytes]:
    connection.send("GET", "/invocation/next", {}, None)
    yield b""


def call(handler: Any, event: Any, context: Context) -> Any:
    if broken("stdout-is-response"):
        printed = io.StringIO()
        with redirect_stdout(printed):
            result = handler(event, context)
        sys.stderr.write(printed.getvalue())
        return printed.getvalue() or result
    if broken("prints-after-response"):
        sys.stdout.write(first.pop("printed", ""))
        printed = io.StringIO()
        with redirect_stdout(printed):
            result = handler(event, context)
        first["printed"] = printed.getvalue()
        return result
    if broken("crash-hidden"):
        child = os.fork()
        if child == 0:
            handler(event, context)
            os._exit(0)
        return handler(event, context) if os.waitpid(child, 0)[1] == 0 else None
    return surroundings.within_limits(handler, event, context)


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


if __name__ == "__main__":
    main()
