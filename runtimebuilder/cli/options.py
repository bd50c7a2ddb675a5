"""Options that several commands have, written once."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def variable(option: str) -> dict[str, Any]:
    """The option's environment variable, the same for every command: `no-cache` is RUNTIMEBUILDER_NO_CACHE."""
    # Not shown with each option, which would be half of every help page.
    return {"envvar": f"RUNTIMEBUILDER_{option.upper().replace('-', '_')}", "show_envvar": False}


BaseOption = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="NAME|auto",
        help="Another base than the spec's; auto: the spec's if its registry answers, else one made here.",
        **variable("base"),
    ),
]
MirrorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--mirror",
        metavar="REGISTRY=HOST[/PATH]",
        help="Take images of REGISTRY from HOST. Repeatable.",
        **variable("mirror"),
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set this in the specs of what is selected: ini.memory_limit=512M. Repeatable.",
        **variable("set"),
    ),
]
CacheFromOption = Annotated[
    list[str] | None,
    typer.Option(
        "--cache-from",
        metavar="type=TYPE,KEY=VALUE...",
        help="A cache to read, as buildx takes it; {name} is the runtime's. Repeatable.",
        **variable("cache-from"),
    ),
]
CacheToOption = Annotated[
    list[str] | None,
    typer.Option(
        "--cache-to",
        metavar="type=TYPE,KEY=VALUE...",
        help="A cache to write, as buildx takes it; {name} is the runtime's. Repeatable.",
        **variable("cache-to"),
    ),
]
