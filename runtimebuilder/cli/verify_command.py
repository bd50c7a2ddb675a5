"""`runtimebuilder verify`."""

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
from runtimebuilder.conformance.case import Case, Level, builtin_cases
from runtimebuilder.conformance.report.files import ReportFiles
from runtimebuilder.conformance.report.jsonlines import JsonLines
from runtimebuilder.conformance.report.progress import Progress
from runtimebuilder.conformance.report.result import Reporter
from runtimebuilder.conformance.report.terminal import TerminalReport
from runtimebuilder.conformance.run import VerifyOptions
from runtimebuilder.conformance.run import verify as run_verify
from runtimebuilder.conformance.selection import Selection, check_selection
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import ExitCode, SpecError
from runtimebuilder.sandbox.link import WISHES


def verify(
    target: Annotated[
        str | None, typer.Argument(metavar="NAME|IMAGE", help="A runtime that was built here, or any image.")
    ] = None,
    case: Annotated[
        list[str] | None,
        typer.Option(
            "--case", metavar="ID", help="Only this case; an id or a glob such as 'RT-06*'. Repeatable."
        ),
    ] = None,
    section: Annotated[
        list[str] | None,
        typer.Option("--section", metavar="TITLE", help="Only cases of this section. Repeatable."),
    ] = None,
    level: Annotated[
        list[Level] | None,
        typer.Option(
            "--level",
            metavar="MUST|SHOULD|MAY",
            case_sensitive=False,
            help="Of these, only cases of this level. Repeatable.",
        ),
    ] = None,
    soak: Annotated[bool, typer.Option("--soak", help="Also the cases that take long.")] = False,
    slow: Annotated[bool, typer.Option("--slow", hidden=True)] = False,  # the older name of --soak
    strict: Annotated[
        bool, typer.Option("--strict", help="A SHOULD that is not met fails the run too.")
    ] = False,
    known_failing: Annotated[
        Path | None,
        typer.Option(
            "--known-failing",
            metavar="FILE",
            help="Cases that fail and must still fail: `ID  # reason`, one on a line.",
        ),
    ] = None,
    probe: Annotated[
        str,
        typer.Option(
            "--probe",
            metavar="auto|none|NAME|DIR",
            help="The handler that the suite installs; none judges the image alone.",
        ),
    ] = "auto",
    memory: Annotated[
        int | None, typer.Option(metavar="MB", min=128, max=10240, help="The function's memory (128).")
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="NAME=VALUE", help="A variable of the function. Repeatable."),
    ] = None,
    link: Annotated[
        str,
        typer.Option("--link", metavar="|".join(WISHES), help="How the container reaches the Runtime API."),
    ] = "auto",
    base: Annotated[
        str | None, typer.Option("--base", metavar="NAME", help="Which of a runtime's images, by its base.")
    ] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Write all results to FILE.html, FILE.xml (JUnit) or, as the run goes, FILE.jsonl. Repeatable.",
        ),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON lines and nothing else.")
    ] = False,
    list_cases: Annotated[bool, typer.Option("--list", help="List the cases; run nothing.")] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Show every case, and of what failed the whole wire and log."),
    ] = False,
) -> None:
    """Prove that an image obeys the Lambda Runtime API, in a container under Lambda's limits.

    Exit 0 when no MUST failed (with --strict no SHOULD either), 1 when one did, a case errored, or one that is
    known to fail passed; 3 when no case was selected.
    """
    options = VerifyOptions(
        cases=tuple(case or ()),
        sections=tuple(section or ()),
        levels=tuple(level or ()),
        soak=soak or slow,
        known_failing=known_failing,
        strict=strict,
        probe=probe,
        link=link,
        memory=memory,
        env=parse_variables(env or []),
    )
    if list_cases:
        _list(options, json_output=json_output)
        return
    if target is None:
        raise SpecError(
            "say what to verify: a runtime's name or an image",
            hint="`runtimebuilder verify php-82`, or --list",
        )
    files = ReportFiles(report or ())
    engine = Engine.connect()
    try:
        reference = resolve_subject(engine, target, base)
        with files:
            reporters: list[Reporter] = [Progress(console.err(), verbose=verbose and json_output)]
            reporters += files.reporters()
            if json_output:
                reporters.append(JsonLines(sys.stdout))
            else:
                told = ", ".join(map(str, report or ())) or None
                reporters.append(TerminalReport(console.out(), verbose=verbose, report_file=told))
            found = run_verify(engine, reference, options, reporters)
    finally:
        engine.close()
    if not found.conforms:
        raise typer.Exit(ExitCode.FAILED)


def _list(options: VerifyOptions, *, json_output: bool) -> None:
    known = builtin_cases()
    selection = Selection(options.cases, options.sections, options.levels, soak=True)
    check_selection(selection, known)
    chosen = [one for one in known if selection.refusal(one) is None]
    out = console.out()
    if json_output:
        out.print(Text(json.dumps([_as_json(one) for one in chosen], indent=2)), soft_wrap=True)
        return
    width = max(len(one.id) for one in chosen)
    for one in chosen:
        slow = f" ({one.slow})" if one.slow else ""
        out.print(Text(f"{one.id:<{width}}  {one.shown_level:<7}  {one.section}{slow}"), soft_wrap=True)


def _as_json(one: Case) -> dict[str, object]:
    return {
        "id": one.id,
        "level": str(one.level),
        "judgement": one.judgement,
        "section": one.section,
        "requirement": one.requirement,
        "link": one.link,
        "needs": [str(need) for need in one.needs],
        "slow": one.slow,
    }
