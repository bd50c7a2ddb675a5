"""`runtimebuilder verify`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from runtimebuilder.cli import console
from runtimebuilder.cli.selection import ChangedSince, Exclude, Family, Own, Variant
from runtimebuilder.cli.subject import matching, resolve_subject, resolve_tests, with_settings
from runtimebuilder.cli.variables import parse_variables
from runtimebuilder.conformance.case import Case, Level, builtin_cases
from runtimebuilder.conformance.options import jobs_here
from runtimebuilder.conformance.report.files import ReportFiles
from runtimebuilder.conformance.report.github import GitHubReport, disarmed, in_actions
from runtimebuilder.conformance.report.jsonlines import JsonLines
from runtimebuilder.conformance.report.progress import Progress
from runtimebuilder.conformance.report.terminal import TerminalReport
from runtimebuilder.conformance.report.turns import Turns
from runtimebuilder.conformance.run import VerifyOptions, Wanted, verify_several
from runtimebuilder.conformance.selection import Selection, check_selection
from runtimebuilder.conformance.suites.run import cases_of, verify_suites
from runtimebuilder.conformance.worker_process import cases_in
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import ExitCode, SpecError
from runtimebuilder.sandbox.link import WISHES


def verify(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME|IMAGE", help="Runtimes that were built here, or any images."),
    ] = None,
    family: Family = None,
    variant: Variant = None,
    exclude: Exclude = None,
    of_project: Own = False,
    changed_since: ChangedSince = None,
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
    own: Annotated[
        list[Path] | None,
        typer.Option(
            "--cases",
            metavar="PATH",
            help="Also your own test_*.py in this folder, or this file. Repeatable.",
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
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            min=1,
            max=32,
            show_default=False,
            help="Cases that run at the same time, of all images (two more than processors, at most 6).",
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
    timeout: Annotated[
        int | None,
        typer.Option(
            metavar="S",
            min=1,
            max=900,
            help="The function's timeout, where your own tests invoke the box (3).",
        ),
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
    suite: Annotated[
        list[Path] | None,
        typer.Option(
            "--suite",
            metavar="FILE.json",
            help="Run the tests of this suite instead, written for AWS's containerized test runner. Repeatable.",
        ),
    ] = None,
    tasks: Annotated[
        Path | None,
        typer.Option("--tasks", metavar="DIR", help="The functions of --suite: its files go to /var/task."),
    ] = None,
    list_cases: Annotated[bool, typer.Option("--list", help="List the cases; run nothing.")] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Show every case, and of what failed the whole wire and log."),
    ] = False,
) -> None:
    """Prove that images obey the Lambda Runtime API, in containers under Lambda's limits.

    Exit 0 when no MUST failed (with --strict no SHOULD either), 1 when one did, a case errored, or one that is
    known to fail passed; 3 when no case was selected.
    """
    options = VerifyOptions(
        cases=tuple(case or ()),
        sections=tuple(section or ()),
        levels=tuple(level or ()),
        soak=soak or slow,
        known_failing=known_failing,
        own=tuple(own or ()),
        strict=strict,
        jobs=jobs or jobs_here(),
        probe=probe,
        link=link,
        memory=memory,
        timeout=timeout,
        env=parse_variables(env or []),
        suites=tuple(suite or ()),
        tasks=tasks,
    )
    if tasks is not None and not suite:
        raise SpecError("--tasks is for --suite", hint="`invoke --code DIR` puts code into an image")
    if list_cases:
        _list(options, json_output=json_output)
        return
    if not (targets or family or variant or of_project or changed_since):
        raise SpecError(
            "say what to verify: a runtime's name or an image",
            hint="`runtimebuilder verify php-82`, or --list",
        )
    named = matching(targets or (), family, variant, exclude, changed_since, own=of_project)
    files = ReportFiles(report or ())
    engine = Engine.connect()
    try:
        references = {resolve_subject(engine, target, base): target for target in named}
        progress, turns = Progress(console.err(), verbose=verbose and json_output), Turns()
        told = ", ".join(map(str, report or ())) or None
        with files:
            wanted: list[Wanted] = []
            actions = GitHubReport.of(os.environ, sys.stderr)
            guard = disarmed if in_actions(os.environ) else str
            for reference, target in references.items():
                shown = (
                    JsonLines(sys.stdout)
                    if json_output
                    else TerminalReport(console.out(), verbose=verbose, report_file=told, guard=guard)
                )
                told_to = [progress, *files.reporters(), *actions, turns.reporter(shown)]
                wanted.append(
                    Wanted(
                        reference,
                        told_to,
                        own=resolve_tests(target),
                        options=with_settings(options, target),
                    )
                )
            if suite:
                found = [verify_suites(engine, one.reference, options, one.reporters) for one in wanted]
            else:
                found = verify_several(engine, wanted, options)
    finally:
        engine.close()
    good = sum(one.conforms for one in found)
    if len(found) > 1 and not json_output:
        console.out().print(Text(f"\n{good} of {len(found)} images conform"))
    if good < len(found):
        raise typer.Exit(ExitCode.FAILED)


def _list(options: VerifyOptions, *, json_output: bool) -> None:
    known = (
        tuple(cases_of(options.suites, options.tasks))
        if options.suites
        else (*builtin_cases(), *cases_in(options.own))
    )
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
