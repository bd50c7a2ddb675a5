"""`runtimebuilder invoke`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from runtimebuilder.cli import console
from runtimebuilder.cli.subject import resolve_subject
from runtimebuilder.cli.variables import parse_variables
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import ExitCode, SpecError
from runtimebuilder.events import samples
from runtimebuilder.local.event import event_bytes
from runtimebuilder.local.invoke import HttpAnswer, HttpRequest
from runtimebuilder.local.invoke import invoke as run_invoke
from runtimebuilder.sandbox.limits import Limits


def invoke(
    target: Annotated[
        str, typer.Argument(metavar="NAME|IMAGE", help="A runtime that was built here, or any image.")
    ],
    event: Annotated[
        str | None,
        typer.Option(
            "--event",
            "-e",
            metavar="JSON|@FILE|-|NAME",
            help=f"The event to send, or the name of a sample: {', '.join(samples.names())}.",
        ),
    ] = None,
    http: Annotated[
        str | None,
        typer.Option(
            "--http", metavar="'METHOD /path?query'", help="Send a web request instead, and print the page."
        ),
    ] = None,
    data: Annotated[
        str, typer.Option("--data", "-d", metavar="TEXT", help="The body of the web request.")
    ] = "",
    code: Annotated[
        Path | None, typer.Option("--code", metavar="DIR", help="The files that go to /var/task.")
    ] = None,
    handler: Annotated[
        str | None,
        typer.Option(
            "--handler", metavar="NAME", help="The handler, as on Lambda: the image's CMD, else index.php."
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="NAME=VALUE", help="A variable of the function. Repeatable."),
    ] = None,
    memory: Annotated[
        int, typer.Option(metavar="MB", min=128, max=10240, help="The function's memory.")
    ] = 1024,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, max=900, help="The function's timeout.")
    ] = 30,
    base: Annotated[
        str | None, typer.Option("--base", metavar="NAME", help="Which of a runtime's images, by its base.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what the function logs.")] = False,
) -> None:
    """Send one event to an image in a box with Lambda's limits, and print the result."""
    if (event is None) == (http is None):
        raise SpecError(
            "say what to send: either --event or --http", hint="for example --http 'GET /', or --event '{}'"
        )
    request = HttpRequest.parse(http, data.encode()) if http is not None else None
    payload = json.dumps(request.event()).encode() if request else _read_event(event or "")
    engine = Engine.connect()
    image = resolve_subject(engine, target, base)
    (done,) = run_invoke(
        engine,
        image,
        [payload],
        handler=handler or "",
        otherwise="index.php",
        code=code,
        env=parse_variables(env or []),
        limits=Limits(memory_mb=memory),
        timeout=timeout,
    )
    if verbose and done.log:
        console.err().print(Text(done.log.rstrip()), soft_wrap=True)
    if done.result.kind != "response":
        why = "" if done.asked or done.result.kind != "timeout" else ": the runtime never asked for an event"
        console.say(f"the function failed ({done.result.kind}) after {done.result.duration:.2f} s{why}")
        if done.log and not verbose:
            console.err().print(Text(done.log.rstrip()[-4000:]), soft_wrap=True)
        _write(done.result.body)
        raise typer.Exit(ExitCode.FAILED)
    if request is None:
        _write(done.result.body)
        return
    answer = HttpAnswer.of(done.result.body)
    console.say(f"HTTP {answer.status} in {done.result.duration * 1000:.0f} ms")
    for name, value in answer.headers:
        console.say(f"{name}: {value}")
    _write(answer.body)
    if answer.status >= 500:
        raise typer.Exit(ExitCode.FAILED)


def _read_event(text: str) -> bytes:
    return sys.stdin.buffer.read() if text == "-" else event_bytes(text)


def _write(body: bytes) -> None:
    sys.stdout.buffer.write(body if body.endswith(b"\n") else body + b"\n")
    sys.stdout.buffer.flush()
