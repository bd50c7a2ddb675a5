"""What GitHub Actions shows of a run: annotations on the job, and the job's summary.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from runtimebuilder.conformance.case import Case, Level
from runtimebuilder.conformance.report.markdown import markdown
from runtimebuilder.conformance.report.result import CaseResult, Header, Report, State
from runtimebuilder.conformance.report.terminal import summary
from runtimebuilder.conformance.report.text import bounded, printable

SUMMARY_LIMIT = 1024 * 1024
"""Bytes that GitHub takes as the summary of a step."""

_ANNOTATIONS = 10
"""Errors, and warnings, of a step that GitHub shows."""

_MESSAGE_CHARACTERS = 1000
_COMMAND = re.compile(r"^(\s*):(?=:)")


def in_actions(environment: Mapping[str, str]) -> bool:
    """Whether this is a job of GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def disarmed(line: str) -> str:
    """A line of the image's own that GitHub does not take for a command to the runner."""
    return _COMMAND.sub(r"\1: ", line).replace("##[", "## [")


class GitHubReport:
    """Writes annotations to `stream` (the runner reads standard error too, and standard output is data) and appends
    to the summary file. A summary that cannot be written is told there, and fails nothing.
    """

    def __init__(self, stream: TextIO, summary_file: Path | None) -> None:
        self._stream = stream
        self._summary_file = summary_file

    @classmethod
    def of(cls, environment: Mapping[str, str], stream: TextIO) -> list[GitHubReport]:
        """The reporter for this environment; none outside of GitHub Actions."""
        if not in_actions(environment):
            return []
        name = environment.get("GITHUB_STEP_SUMMARY")
        return [cls(stream, Path(name) if name else None)]

    def begin(self, header: Header) -> None:
        """Nothing is known yet."""

    def started(self, case: Case) -> None:
        """Nor now."""

    def finished(self, result: CaseResult) -> None:
        """All comes at the end, the worst first: GitHub shows only the first annotations."""

    def end(self, report: Report) -> None:
        """Annotations and summary."""
        for line in annotating(report):
            self._stream.write(line + "\n")
        if self._summary_file is not None:
            try:
                self._append(self._summary_file, report)
            except OSError as problem:
                told = f"the summary {self._summary_file} cannot be written: {problem.strerror}"
                self._stream.write(_command("warning", "runtimebuilder", told) + "\n")
        self._stream.flush()

    @staticmethod
    def _append(path: Path, report: Report) -> None:
        with path.open("ab") as stream:
            room = SUMMARY_LIMIT - stream.seek(0, os.SEEK_END) - 1
            stream.write(f"\n{markdown(report, room)}".encode())


def annotating(report: Report) -> list[str]:
    """Workflow commands: an error for what fails the run, a warning for what does not."""
    errors: list[tuple[str, str]] = []
    warnings: list[tuple[str, str]] = []
    for result in sorted(report.results, key=_weight):
        if result.state in (State.FAILED, State.ERRORED) or result.passes_now:
            counts = result.counts(strict=report.header.strict)
            (errors if counts else warnings).append(_annotation(report, result))
    if not report.complete or (not report.conforms and not errors):
        errors.append((report.header.subject, summary(report)))
    return [*_commands("error", errors), *_commands("warning", warnings)]


def _weight(result: CaseResult) -> int:
    return list(Level).index(result.case.level) * 2 + result.case.judgement


def _annotation(report: Report, result: CaseResult) -> tuple[str, str]:
    one = result.case
    word = "errored" if result.state is State.ERRORED else one.shown_level
    lines = [one.requirement]
    if result.passes_now:
        lines.append("It is said to fail, and passes now: take it out of the file of known failing cases.")
    for label, text in (("expected", result.expected), ("seen", result.seen), ("reason", result.reason)):
        lines += [f"{label}: {bounded(text, _MESSAGE_CHARACTERS)}"] if text else []
    lines.append(f"again: {report.again(one)}")
    return f"{word} {one.number} {one.slug} ({report.header.subject})", "\n".join(lines)


def _commands(kind: str, told: list[tuple[str, str]]) -> list[str]:
    shown = told if len(told) <= _ANNOTATIONS else told[: _ANNOTATIONS - 1]
    lines = [_command(kind, title, message) for title, message in shown]
    if len(shown) < len(told):
        more = f"{len(told) - len(shown)} more stand in the step's log and summary"
        lines.append(_command(kind, "runtimebuilder", more))
    return lines


def _command(kind: str, title: str, message: str) -> str:
    escaped = _escaped(bounded(title, 200)).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={escaped}::{_escaped(message)}"


def _escaped(text: str) -> str:
    """A text in a workflow command, which ends with its line."""
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
