"""`verify IMAGE --suite FILE`: suites of AWS's containerized test runner, in our box and with our reports."""

from __future__ import annotations

import importlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from runtimebuilder.conformance.report.jsonlines import read_reports

Cli = Callable[..., subprocess.CompletedProcess[str]]
SUITES = Path(__file__).resolve().parents[2] / "data" / "suites"
SAMPLE = ("--suite", str(SUITES / "sample.json"), "--tasks", str(SUITES / "tasks"))


def test_the_sample_passes(cli: Cli, miniature: str, tmp_path: Path) -> None:
    jq = importlib.import_module("jq")
    assert jq.compile(".").input_value(1).first() == 1  # or nothing is known of the transforms below
    lines = tmp_path / "out.jsonl"
    done = cli("verify", miniature, *SAMPLE, "--report", str(lines))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all 8 passed in " in done.stdout
    assert "it asserts metrics, which only the service has: metrics" in done.stdout
    (report,) = read_reports(lines.read_text(encoding="utf-8").splitlines())
    assert len(report.results) == 10
    assert "/response" in report.results[0].evidence.transcript
    assert report.results[0].case.link == "sample.json"


def test_what_fails_is_told_and_may_be_known(cli: Cli, miniature: str, tmp_path: Path) -> None:
    test = {"name": "a wrong answer", "handler": "core.echo", "request": 1, "assertions": [{"response": 2}]}
    suite = tmp_path / "suite.json"
    suite.write_text(json.dumps({"tests": [test, {**test, "name": "not selected"}]}))
    arguments = ("verify", miniature, "--suite", str(suite), *SAMPLE[2:], "--case", "a wrong answer")
    done = cli(*arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "expected  response 2\n      seen      1\n" in done.stdout
    assert "not selected" not in done.stdout
    again = next(line for line in done.stdout.splitlines() if "again " in line)
    assert again.endswith(f"--suite {suite} --tasks {SUITES / 'tasks'} --case 'a wrong answer' -v")
    known = tmp_path / "known"
    known.write_text("a wrong answer  # one day\n")
    assert cli(*arguments, "--known-failing", str(known)).returncode == 0


def test_a_wrong_call_says_so(cli: Cli, miniature: str) -> None:
    for arguments, code, told in (
        (("--suite", "/nowhere/suite.json"), 4, "--suite /nowhere/suite.json: No such file"),
        (("--tasks", str(SUITES)), 2, "--tasks is for --suite"),
        ((*SAMPLE[:2], "--tasks", "/nowhere"), 2, "resource payload: no file payload.json"),
        ((*SAMPLE, "--case", "none"), 3, "no case matches 'none'"),
    ):
        done = cli("verify", miniature, *arguments)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert told in done.stderr
