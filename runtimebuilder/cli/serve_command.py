"""`runtimebuilder serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from runtimebuilder.cli import console
from runtimebuilder.cli.subject import resolve_subject
from runtimebuilder.cli.variables import parse_variables
from runtimebuilder.engine.docker import Engine
from runtimebuilder.local.serve import serve as run_serve
from runtimebuilder.sandbox.limits import Limits


def serve(
    target: Annotated[
        str, typer.Argument(metavar="NAME|IMAGE", help="A runtime that was built here, or any image.")
    ],
    code: Annotated[
        Path | None, typer.Option("--code", metavar="DIR", help="The files that go to /var/task.")
    ] = None,
    handler: Annotated[
        str | None,
        typer.Option(
            "--handler",
            metavar="NAME",
            help="The handler, as on Lambda: the image's CMD, else public/index.php.",
        ),
    ] = None,
    port: Annotated[int, typer.Option("--port", "-p", min=0, max=65535, help="0: any that is free.")] = 8000,
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
) -> None:
    """Serve an image as a web site on this machine, one request at a time.

    Requests arrive as the events of an HTTP API. Ctrl-C ends it; the log is on standard error, the address on
    standard output.
    """
    engine = Engine.connect()
    image = resolve_subject(engine, target, base)

    def ready(url: str) -> None:
        console.say(f"serving {image}; Ctrl-C ends it")
        console.out().print(Text(url), soft_wrap=True)

    try:
        run_serve(
            engine,
            image,
            handler=handler or "",
            otherwise="public/index.php",
            port=port,
            code=code,
            env=parse_variables(env or []),
            limits=Limits(memory_mb=memory),
            timeout=timeout,
            ready=ready,
            say=lambda text: console.err().print(Text(text), soft_wrap=True),
        )
    except KeyboardInterrupt:
        console.say("ended")
