"""What is wrong in a spec, with its place, and how it is shown to people."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtimebuilder.errors import SpecError

_WIDEST_EXCERPT = 120  # characters; a longer line is shown in part


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """One mistake. `line` and `column` count from 1, `length` is in characters of that line (at least 1).

    Problems sort by file, line and column. `excerpt` is the whole offending line, without its line break.
    """

    file: str
    line: int
    column: int
    length: int
    message: str
    excerpt: str

    def text(self) -> str:
        """`file:line:column: message`, the line, and carets under the mistake."""
        excerpt, column = _window(self.excerpt, self.column)
        gutter = " " * len(str(self.line))
        carets = "^" * max(1, min(self.length, len(excerpt) - column + 1))
        return (
            f"{self.file}:{self.line}:{self.column}: {self.message}\n"
            f"  {self.line} | {excerpt}\n"
            f"  {gutter} | {' ' * (column - 1)}{carets}"
        ).rstrip()


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a long line around `column`, and the column in it. Control characters become spaces."""
    line = "".join(character if character.isprintable() else " " for character in line)
    if len(line) <= _WIDEST_EXCERPT:
        return line, column
    start = max(0, column - 1 - _WIDEST_EXCERPT // 3)
    part = line[start : start + _WIDEST_EXCERPT]
    if start + _WIDEST_EXCERPT < len(line):
        part += "…"
    return ("…" + part, column - start + 1) if start else (part, column)


class SpecErrors(SpecError):  # noqa: N818 -- the plural says what it holds
    """All mistakes of all files that were read (exit 2), ordered by place, each named once."""

    def __init__(self, problems: Iterable[Problem], *, files: int) -> None:
        """`files`: how many files were read, with and without mistakes."""
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        self.files = files
        super().__init__(count_line(self.problems, files), detail="\n".join(p.text() for p in self.problems))


def count_line(problems: Sequence[Problem], files: int) -> str:
    """`2 errors in 1 of 3 files`; `0 errors in 3 files`."""
    errors = f"{len(problems)} error{'' if len(problems) == 1 else 's'}"
    total = f"{files} file{'' if files == 1 else 's'}"
    if not problems:
        return f"{errors} in {total}"
    return f"{errors} in {len({problem.file for problem in problems})} of {total}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'redis'?` to put behind a sentence, or nothing when no known word is near."""
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
