"""`runtimebuilder scan`: known vulnerabilities, and a threshold."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.attest.scanner import scan_image
from runtimebuilder.attest.vulnerabilities import Vulnerability, read_findings, severity_named, without
from runtimebuilder.cli import console
from runtimebuilder.cli.options import variable
from runtimebuilder.cli.subject import resolve_subject
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import ExitCode, SpecError

_COLUMNS = ("SEVERITY", "ID", "PACKAGE", "INSTALLED", "FIXED IN")


def scan(
    target: Annotated[
        str | None, typer.Argument(metavar="NAME|IMAGE", help="A runtime that was built here, or any image.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base", metavar="NAME", help="Which of a runtime's images, by its base.", **variable("base")
        ),
    ] = None,
    scanner: Annotated[
        str,
        typer.Option(
            "--scanner", metavar="grype|trivy|auto", help="Which scanner is run.", **variable("scanner")
        ),
    ] = "auto",
    given: Annotated[
        Path | None,
        typer.Option("--input", metavar="FILE", help="A scanner's JSON, instead of running one."),
    ] = None,
    fail_on: Annotated[
        str,
        typer.Option(
            "--fail-on",
            metavar="critical|high|medium|low|negligible",
            help="Exit 1 when one is that bad, or worse.",
            **variable("fail-on"),
        ),
    ] = "critical",
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="ID", help="Not this one. Repeatable.", **variable("ignore")),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the known vulnerabilities of an image, as grype or trivy find them; exit 1 by a threshold."""
    threshold = severity_named(fail_on)
    if (target is None) == (given is None):
        raise SpecError("say what to scan: a runtime's name or an image, or --input FILE")
    if given is not None:
        try:
            text = given.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(f"--input {given} cannot be read: {error}") from error
        shown = str(given)
    else:
        engine = Engine.connect()
        try:
            reference = resolve_subject(engine, target or "", base)
        finally:
            engine.close()
        shown, text = scan_image(reference, scanner)
    findings = without(read_findings(text, shown), ignore or ())
    bad = [one for one in findings if one.severity >= threshold]
    if json_output:
        rows = [{**vars(one), "severity": one.severity.word} for one in findings]
        document = {"scanner": shown, "fail_on": threshold.word, "failed": len(bad), "vulnerabilities": rows}
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(_table(findings))
    console.say(f"{len(findings)} vulnerabilities, {len(bad)} of them {threshold.word} or worse")
    if bad:
        raise typer.Exit(ExitCode.FAILED)


def _table(findings: tuple[Vulnerability, ...]) -> str:
    rows = [_COLUMNS] + [
        (one.severity.word, one.id, one.package, one.installed, one.fixed or "-") for one in findings
    ]
    if len(rows) == 1:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = [
        "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(lines) + "\n"
