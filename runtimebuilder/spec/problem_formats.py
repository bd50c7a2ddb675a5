"""Mistakes in the forms that people and programs read: text, JSON, GitHub's annotations, SARIF.

Each writer gives one whole document, in the order of the problems, and ends it with a line break.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath

import runtimebuilder
from runtimebuilder.spec.problem import Problem, count_line

Writer = Callable[[Sequence[Problem], int], str]


def as_text(problems: Sequence[Problem], files: int) -> str:
    """Each mistake with its line and carets, then how many there are."""
    return "\n".join([*(problem.text() for problem in problems), count_line(problems, files)]) + "\n"


def as_json(problems: Sequence[Problem], files: int) -> str:
    """`{"files": 3, "errors": [...]}`. Lines and columns from 1, `end_column` behind the last character."""
    errors = [
        {
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "end_column": problem.column + problem.length,
            "message": problem.message,
            "excerpt": problem.excerpt,
        }
        for problem in problems
    ]
    return json.dumps({"files": files, "errors": errors}, indent=2, ensure_ascii=False) + "\n"


def as_github(problems: Sequence[Problem], files: int) -> str:
    """Workflow commands: GitHub shows each beside its line in a pull request. Then the count, as in text."""
    lines = [
        f"::error file={_property(problem.file)},line={problem.line},col={problem.column},"
        f"endColumn={problem.column + problem.length},title=runtimebuilder::{_data(problem.message)}"
        for problem in problems
    ]
    return "\n".join([*lines, count_line(problems, files)]) + "\n"


def _data(text: str) -> str:
    """The message of a workflow command: a line break would end it, and what follows would be another command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_sarif(problems: Sequence[Problem], files: int) -> str:  # noqa: ARG001 -- SARIF has no place for the count
    """SARIF 2.1.0, as GitHub's code scanning and editors read it."""
    rule = {
        "id": "spec",
        "shortDescription": {"text": "A mistake in a spec: nothing can be built of it."},
        "defaultConfiguration": {"level": "error"},
    }
    results = [
        {
            "ruleId": "spec",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": problem.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _uri(problem.file)},
                        "region": {
                            "startLine": problem.line,
                            "startColumn": problem.column,
                            "endColumn": problem.column + problem.length,
                        },
                    }
                }
            ],
        }
        for problem in problems
    ]
    driver = {"name": "runtimebuilder", "version": runtimebuilder.__version__, "rules": [rule]}
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _uri(file: str) -> str:
    path = PurePath(file)
    if path.is_absolute():
        return path.as_uri()
    return urllib.parse.quote(path.as_posix())


FORMATS: Mapping[str, Writer] = {"text": as_text, "json": as_json, "github": as_github, "sarif": as_sarif}
