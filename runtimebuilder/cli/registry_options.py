"""Options that all commands share that speak to registries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from runtimebuilder.cli import console
from runtimebuilder.cli.options import variable
from runtimebuilder.errors import SpecError
from runtimebuilder.publish.names import Place, parse_place
from runtimebuilder.publish.retry import ATTEMPTS, Retry
from runtimebuilder.publish.session import Session
from runtimebuilder.spec.config import Config

RegistryOption = Annotated[
    str | None,
    typer.Option(
        "--registry",
        metavar="HOST[/PREFIX]",
        help="Where the repositories are; runtimebuilder.yaml can say it.",
        **variable("registry"),
    ),
]
AttemptsOption = Annotated[
    int,
    typer.Option(
        "--attempts",
        metavar="N",
        min=1,
        max=20,
        help="How often a request is made that may go well in a moment.",
        **variable("attempts"),
    ),
]
InsecureOption = Annotated[
    bool,
    typer.Option(
        "--insecure-registry",
        help="Speak http with a registry that has no TLS.",
        **variable("insecure-registry"),
    ),
]
DEFAULT_ATTEMPTS = ATTEMPTS


def place_of(registry: str | None, config: Config) -> Place:
    """The registry that was said, here or in runtimebuilder.yaml. Raises `SpecError` (exit 2) when none was."""
    text = registry or config.publish.registry
    if text is None:
        raise SpecError(
            "say which registry: --registry HOST[/PREFIX]",
            hint="or RUNTIMEBUILDER_REGISTRY, or `publish: {registry: ...}` in runtimebuilder.yaml",
        )
    return parse_place(text)


@contextmanager
def session(attempts: int, *, insecure: bool) -> Iterator[Session]:
    """Connections for one command; each retry is said on standard error."""
    with Session(Retry(attempts, console.say), insecure=insecure) as opened:
        yield opened
