"""`runtimebuilder doctor`."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer
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
            printer.print(
                Text.assemble((f"{mark:<4}", style), f"  {finding.subject:<{width}}  {finding.text}"),
                soft_wrap=True,
            )
            if finding.remedy:
                printer.print(Text(f"      {'':<{width}}  -> {finding.remedy}"), soft_wrap=True)
    if any(finding.health is Health.PROBLEM for finding in findings):
        raise typer.Exit(ExitCode.ENVIRONMENT)
