"""The files of `--report` and `report -o`: the format by the suffix, written whole or not at all.

Only JSON lines grow while the run goes on, which is their point.
"""

from __future__ import annotations

import contextlib
import os
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self, TextIO

from runtimebuilder.conformance.case import Case
from runtimebuilder.conformance.report.html import html_page
from runtimebuilder.conformance.report.jsonlines import HINT, JsonLines, read_reports, write_reports
from runtimebuilder.conformance.report.junit import junit_xml
from runtimebuilder.conformance.report.result import CaseResult, Header, Report, Reporter
from runtimebuilder.errors import EnvironmentProblemError, SpecError, UserError

_GROWING = ".jsonl"

_RENDERED: Mapping[str, Callable[[Sequence[Report]], str]] = types.MappingProxyType(
    {
        ".html": html_page,
        ".xml": junit_xml,
    }
)
"""What is made of finished runs, by suffix."""


def check_suffixes(paths: Sequence[Path], option: str) -> None:
    """Raise `SpecError` for a suffix that names no format, and for a file that is named twice."""
    known = (_GROWING, *_RENDERED)
    for number, path in enumerate(paths):
        if path.suffix.lower() not in known:
            raise SpecError(
                f"{option} {path}: the suffix {path.suffix!r} names no format of a report"
                if path.suffix
                else f"{option} {path}: the file needs a suffix, which names the format of the report",
                hint=f"use one of {', '.join(known)}",
            )
        if path in paths[:number]:
            raise SpecError(f"{option} {path}: the file is named twice")


class ReportFiles:
    """The report files of one command, which may judge several images: each file holds all of them.

    A context: what it opened it closes, and on leaving it writes what has to be whole, also after a run that was
    interrupted. Nothing is written when no run has begun.
    """

    def __init__(self, paths: Sequence[Path], option: str = "--report") -> None:
        check_suffixes(paths, option)
        self._option = option
        self._whole = [path for path in paths if path.suffix.lower() != _GROWING]
        self._growing = [path for path in paths if path.suffix.lower() == _GROWING]
        self._stack = contextlib.ExitStack()
        self._streams: list[TextIO] = []
        self._runs: list[_Collector] = []

    def __enter__(self) -> Self:
        for path in self._whole:
            _check_place(path, self._option)
        with contextlib.ExitStack() as stack:
            for path in self._growing:
                with _told(path, self._option):
                    self._streams.append(stack.enter_context(path.open("w", encoding="utf-8")))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self._stack.close()
        reports = [run.report for run in self._runs if run.report is not None]
        if not reports:
            return
        try:
            write_files(self._whole, reports, self._option)
        except UserError:
            if problem is None:  # otherwise what went wrong before is the news
                raise

    def reporters(self) -> Sequence[Reporter]:
        """What takes the stream of one more run; call it once for each image, in the order of the images."""
        number = len(self._runs)
        run = _Collector()
        self._runs.append(run)
        # One run is the common case, and its lines need no number; the reader takes lines without one as run None.
        return [run, *(JsonLines(stream, number or None) for stream in self._streams)]


class _Collector:
    """Keeps a run as it comes, so that one that breaks off can be told too."""

    def __init__(self) -> None:
        self._header: Header | None = None
        self._results: list[CaseResult] = []
        self._report: Report | None = None

    @property
    def report(self) -> Report | None:
        """The run, without a footer when it had no end; None when it did not begin."""
        if self._report is None and self._header is not None:
            return Report(self._header, tuple(self._results), None)
        return self._report

    def begin(self, header: Header) -> None:
        self._header = header

    def started(self, case: Case) -> None:
        pass

    def finished(self, result: CaseResult) -> None:
        self._results.append(result)

    def end(self, report: Report) -> None:
        self._report = report


def write_files(paths: Sequence[Path], reports: Sequence[Report], option: str) -> None:
    """Write finished runs to files, each in the format that its suffix names.

    Raises `EnvironmentProblemError` when a file cannot be written; its older content is then still there.
    """
    check_suffixes(paths, option)
    for path in paths:
        with _told(path, option), _replacing(path) as stream:
            if path.suffix.lower() == _GROWING:
                write_reports(stream, reports)
            else:
                stream.write(_RENDERED[path.suffix.lower()](reports))


def _check_place(path: Path, option: str) -> None:
    """Say before a long run, not after it, that the file cannot be written."""
    folder = path.resolve().parent
    wrong = None
    if path.is_dir():
        wrong = "is a folder"
    elif not folder.is_dir():
        wrong = f"there is no folder {folder}"
    elif not os.access(folder, os.W_OK | os.X_OK):
        wrong = "the folder cannot be written to"
    if wrong:
        raise EnvironmentProblemError(f"{option} {path}: {wrong}", hint="name a file that can be written")


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """A stream whose text takes the file's place when it is complete."""
    target = path.resolve()  # a link stays one
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            yield stream
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _told(path: Path, option: str) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise EnvironmentProblemError(
            f"{option} {path}: {problem.strerror or problem}", hint="name a file that can be written"
        ) from problem


def read_file(path: Path) -> tuple[Report, ...]:
    """The runs in a file of JSON lines.

    Raises `EnvironmentProblemError` when it cannot be read, `SpecError` when it is not a report.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            return read_reports(stream, str(path))
    except OSError as problem:
        raise EnvironmentProblemError(
            f"{path}: {problem.strerror}", hint="name a file that is there"
        ) from problem
    except UnicodeDecodeError as problem:
        raise SpecError(f"{path}: not a report: it is not UTF-8 text", hint=HINT) from problem
