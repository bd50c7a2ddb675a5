"""`runtimebuilder report`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.cli import console
from runtimebuilder.conformance.report.compare import comparison
from runtimebuilder.conformance.report.files import check_suffixes, read_file, write_files
from runtimebuilder.conformance.report.jsonlines import read_reports
from runtimebuilder.conformance.report.terminal import TerminalReport


def report(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE.jsonl...", help="What `verify --report FILE.jsonl` wrote; - is standard input."
        ),
    ],
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write FILE.html, FILE.xml (JUnit) or FILE.jsonl instead of printing. Repeatable.",
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print every case, the whole wire and the whole log.")
    ] = False,
) -> None:
    """Show results that were written before: of one run again, of several runs side by side.

    Needs no engine. Exit 0 whatever the results were: `verify` has said so.
    """
    check_suffixes(output or (), "--output")
    reports = [
        each
        for name in files
        for each in (read_reports(sys.stdin, "standard input") if name == "-" else read_file(Path(name)))
    ]
    if output:
        write_files(output, reports, "--output")
        return
    out = console.out()
    if len(reports) > 1:
        for line in comparison(reports, verbose=verbose):
            out.print(line, soft_wrap=True)
        return
    shown = TerminalReport(out, verbose=verbose)
    shown.begin(reports[0].header)
    shown.end(reports[0])
