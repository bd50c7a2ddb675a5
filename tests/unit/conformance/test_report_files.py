"""Files of reports: the format by the suffix, and whole or not at all."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from runtimebuilder.conformance.report.files import ReportFiles, write_files
from runtimebuilder.conformance.report.jsonlines import read_reports
from runtimebuilder.conformance.report.result import Report, Reporter
from runtimebuilder.errors import EnvironmentProblemError, SpecError
from tests.unit.conformance import reports

FIRST = reports.report(reports.failed(), reports.passed())
SECOND = reports.report(reports.passed())


def play(reporters: list[Reporter], report: Report, *, end: bool = True) -> None:
    for reporter in reporters:
        reporter.begin(report.header)
        for result in report.results:
            reporter.started(result.case)
            reporter.finished(result)
        if end:
            reporter.end(report)


def test_each_file_holds_all_runs_in_the_format_that_its_suffix_names(tmp_path: Path) -> None:
    lines, xml = tmp_path / "a.jsonl", tmp_path / "A.XML"
    with ReportFiles([lines, xml]) as files:
        first, second = list(files.reporters()), list(files.reporters())
        play(second, SECOND)
        play(first, FIRST)
    assert set(read_reports(lines.read_text().splitlines())) == {FIRST, SECOND}
    assert len(ET.fromstring(xml.read_text())) == 2
    assert sorted(tmp_path.iterdir()) == [xml, lines]


def test_json_lines_grow_and_the_others_come_at_the_end(tmp_path: Path) -> None:
    lines, xml = tmp_path / "a.jsonl", tmp_path / "a.xml"
    with ReportFiles([lines, xml]) as files:
        play(list(files.reporters()), FIRST, end=False)
        assert len(lines.read_text().splitlines()) == 3
        assert not xml.exists()


def test_a_run_that_broke_off_is_told_as_one(tmp_path: Path) -> None:
    xml = tmp_path / "a.xml"

    def interrupted() -> None:
        with ReportFiles([xml]) as files:
            play(list(files.reporters()), FIRST, end=False)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "the run did not come to its end: 2 of 6 cases are here" in xml.read_text()


def test_nothing_is_written_when_no_run_began(tmp_path: Path) -> None:
    xml = tmp_path / "a.xml"
    xml.write_text("older")

    def refused() -> None:
        with ReportFiles([xml]) as files:
            files.reporters()
            raise SpecError("no probe fits")

    with pytest.raises(SpecError):
        refused()
    assert xml.read_text() == "older"
    assert list(tmp_path.iterdir()) == [xml]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.pdf"], "--report a.pdf: the suffix '.pdf' names no format of a report"),
        (["report"], "--report report: the file needs a suffix, which names the format of the report"),
        (["a.xml", "a.xml"], "--report a.xml: the file is named twice"),
    ],
)
def test_a_name_that_says_no_format_is_refused(names: list[str], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        ReportFiles([Path(name) for name in names])
    assert caught.value.message == message


@pytest.mark.parametrize("suffix", [".xml", ".jsonl"])
def test_a_file_that_cannot_be_written_is_told_before_the_run(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "none" / f"a{suffix}"
    with pytest.raises(EnvironmentProblemError) as caught, ReportFiles([path]):
        pytest.fail("the run began")
    assert caught.value.message.startswith(f"--report {path}: ")


def test_a_failed_write_leaves_the_older_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.xml"
    path.write_text("older")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(EnvironmentProblemError, match="No space left on device"):
        write_files([path], [FIRST], "-o")
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.xml", tmp_path / "link.xml"
    link.symlink_to(target)
    write_files([link], [FIRST], "-o")
    assert link.is_symlink()
    assert target.read_text().startswith("<?xml")
