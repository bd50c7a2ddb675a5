"""Standard output is data, standard error is talk."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from rich.text import Text

from runtimebuilder.errors import UserError


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    # Where there is no terminal, lines are data for other programs: never folded, never coloured.
    width = None if stream.isatty() or os.environ.get("COLUMNS") else 10_000
    return Console(
        stderr=stderr, highlight=False, emoji=False, markup=False, width=width, soft_wrap=not stream.isatty()
    )


def out() -> Console:
    """The console for data."""
    return _console(stderr=False)


def err() -> Console:
    """The console for talk: progress, warnings, errors."""
    return _console(stderr=True)


def say(message: str) -> None:
    """One line of talk."""
    style = "bold yellow" if message.startswith("WARNING") else ""
    err().print(Text(message, style=style), soft_wrap=True)


def show_error(error: UserError, *, of: str | None = None) -> None:
    """What is wrong, the details, and what to do. `of`: whose error it is, where several could have it."""
    console = err()
    whose = f"{of}: " if of and not error.message.startswith(of) else ""
    console.print(Text.assemble(("error: ", "bold red"), whose, error.message), soft_wrap=True)
    if error.detail:
        console.print(Text(error.detail), soft_wrap=True)
    if error.hint:
        console.print(Text.assemble(("  -> ", "bold"), error.hint), soft_wrap=True)
