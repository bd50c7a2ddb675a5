"""A plan as people see it: what would be built, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from runtimebuilder.build.plan import Reason, Step
from runtimebuilder.cli import console


@dataclass(frozen=True)
class PlanRow:
    """One runtime of a plan; `what`: one of `Reason`'s words, or of `ci.changes.What`'s."""

    runtime: str
    base: str
    what: str
    why: tuple[str, ...]


def row(step: Step) -> PlanRow:
    """The step as a row."""
    return PlanRow(step.runtime.name, step.base.base.name, str(step.reason), step.why)


def show(rows: Sequence[PlanRow], *, json_output: bool) -> None:
    """Print the rows on standard output, as a table or as one JSON document."""
    if json_output:
        document = {
            "runtimes": [
                {"runtime": one.runtime, "base": one.base, "what": one.what, "why": list(one.why)}
                for one in rows
            ]
        }
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        return
    table = Table(box=None, pad_edge=False, header_style="")
    table.add_column("RUNTIME", no_wrap=True)
    table.add_column("BASE", no_wrap=True)
    table.add_column("WHAT", no_wrap=True)
    table.add_column("WHY")
    for one in rows:
        table.add_row(one.runtime, one.base, one.what, Text(", ".join(one.why)))
    out = console.out()
    with out.capture() as capture:
        out.print(table)
    sys.stdout.write("".join(line.rstrip() + "\n" for line in capture.get().splitlines()))
    todo = sum(one.what != Reason.UNCHANGED for one in rows)
    console.say(f"{todo} to build, {len(rows) - todo} unchanged")
