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
import sys
import time
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
from answering import (
    ERROR_JSON,
    TYPE_HEADER,
    decode,
    encode,
    error_body,
    function_type,
    post_response,
    report_error,
)
from connection import API, Answer, ClosedError, Connection
from context import Context
from mutation import broken
from notes import first, say

LOCK = Path("/tmp/bootstrap.lock")
REPORTED = Path("/tmp/bootstrap.reported")


def nothing(_event: Any, _context: Any) -> None:
    """The handler of some mutations."""


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


if __name__ == "__main__":
    main()
