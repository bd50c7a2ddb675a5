"""`runtimebuilder doctor`."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from runtimebuilder.cli import console
from runtimebuilder.errors import ExitCode
from runtimebuilder.local.doctor import Health, examine

_MARKS = {
    Health.OK: ("ok", "green"),
    Health.WARNING: ("warn", "yellow"),
    Health.PROBLEM: ("FAIL", "bold red"),
}


def doctor(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove what killed runs left in the engine.")
    ] = False,
) -> None:
    """Say what this machine has and lacks for building and verifying, with the remedy. Exit 4 when it cannot work."""
    findings = examine(clean=clean)
    printer = console.out()
    if json_output:
        printer.print(
            Text(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2)), soft_wrap=True
        )
    else:
        width = max(len(finding.subject) for finding in findings)
        for finding in findings:
            mark, style = _MARKS[finding.health]
            head = Text.assemble((f"{mark:<4}", style), f"  {finding.subject:<{width}}")
            _folded(printer, head, finding.text)
            if finding.remedy:
                _folded(printer, Text(" " * len(head)), f"-> {finding.remedy}")
    if any(finding.health is Health.PROBLEM for finding in findings):
        raise typer.Exit(ExitCode.ENVIRONMENT)


def _folded(printer: Console, head: Text, text: str) -> None:
    """`text` in the columns after `head`, on as many lines as the terminal needs; one line where there is none."""
    room = max(printer.width - len(head) - 2, 20)
    for line in textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False):
        printer.print(Text.assemble(head, "  ", line), soft_wrap=True)
        head = Text(" " * len(head))
