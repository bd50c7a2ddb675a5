"""The file of cases that are known to fail: `ID  # reason`, one on a line.

They must still fail. One that passes now fails the run, so that the file never excuses what has been mended.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from runtimebuilder.conformance.case import Case
from runtimebuilder.errors import EnvironmentProblemError, SpecError


def read_known_failing(path: Path, known: Sequence[Case]) -> Mapping[str, str]:
    """The reason ("" where none is given) by the case's whole id. A line names one case: id or number.

    Raises `SpecError` (exit 2) that names every wrong line, `EnvironmentProblemError` (4) when the file cannot
    be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise EnvironmentProblemError(f"--known-failing {path}: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise SpecError(f"--known-failing {path}: not UTF-8 text") from problem
    reasons: dict[str, str] = {}
    lines: dict[str, int] = {}
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        name, _, reason = (part.strip() for part in line.partition("#"))
        if not name:
            continue
        one = next((one for one in known if one.is_named_by(name)), None)
        if one is None:
            problems.append(f"{path}:{number}: {_unknown(name, known)}")
        elif one.id in lines:
            problems.append(f"{path}:{number}: {one.number} is on line {lines[one.id]} already")
        else:
            reasons[one.id], lines[one.id] = reason, number
    if problems:
        first, *others = problems
        raise SpecError(
            first,
            detail="\n".join(others) or None,
            hint="a line is `ID  # reason`; `runtimebuilder verify --list` lists the ids",
        )
    return reasons


def _unknown(name: str, known: Sequence[Case]) -> str:
    if any(sign in name for sign in "*?["):
        return f"{name!r} is a pattern: name each case, for each has to fail"
    names = [each for one in known for each in (one.number, one.id)]
    near = difflib.get_close_matches(name.upper(), names, n=1)
    return f"no case is named {name!r}" + (f"; did you mean {near[0]}?" if near else "")
