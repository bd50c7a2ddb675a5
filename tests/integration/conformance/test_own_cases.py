"""Cases of other people run with the suite's: the example of docs/own-cases.md, as it stands there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.conformance.report.jsonlines import read_reports
from runtimebuilder.conformance.report.result import State

Cli = Callable[..., subprocess.CompletedProcess[str]]
PAGE = Path(__file__).resolve().parents[3] / "docs" / "own-cases.md"


@pytest.fixture
def checks(tmp_path: Path) -> Path:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "test_house.py").write_text(example, encoding="utf-8")
    return tmp_path


def test_the_example_of_the_page_runs(cli: Cli, miniature: str, checks: Path) -> None:
    selection = ("--cases", str(checks), "--case", "ACME-*", "--case", "test_house*", "--case", "RT-003")
    done = cli("verify", miniature, *selection, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    (report,) = read_reports(done.stdout.splitlines())
    assert [(result.case.number, str(result.state)) for result in report.results] == [
        ("RT-003", "passed"),
        ("ACME-001", "passed"),
        ("ACME-002", "failed"),
        ("test_house::test_asks_for_one_event_at_a_time", "passed"),
    ]
    assert report.results[2].expected == "the label org.opencontainers.image.source"
    assert report.header.arguments[-2:] == ("--cases", str(checks))


def test_a_plain_assert_tells_its_values_and_an_exception_is_an_error(
    cli: Cli, miniature: str, tmp_path: Path
) -> None:
    (tmp_path / "test_ours.py").write_text(
        "def test_assert(image):\n    print('talk')\n    assert image.os == 'plan9'\n\n\n"
        "def test_broken():\n    raise LookupError('our own mistake')\n",
        encoding="utf-8",
    )
    done = cli("verify", miniature, "--cases", str(tmp_path), "--case", "test_ours*", "--json", "--jobs", "1")
    assert done.returncode == 1
    assert "talk" in done.stderr
    (report,) = read_reports(done.stdout.splitlines())
    failed, errored = report.results
    assert (failed.state, errored.state) == (State.FAILED, State.ERRORED)
    assert "assert 'linux' == 'plan9'" in (failed.seen or "")
    assert errored.reason == "LookupError: our own mistake (test_ours.py:7)"


def test_cases_of_others_are_listed(cli: Cli, checks: Path) -> None:
    done = cli("verify", "--list", "--cases", str(checks), "--case", "ACME-*")
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["ACME-001-locale", "MUST"],
        ["ACME-002-labelled", "SHOULD"],
    ]
