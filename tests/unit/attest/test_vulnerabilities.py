"""What scanners say, read and judged; the program that is run, with a stand-in for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtimebuilder.attest.scanner import scan_image
from runtimebuilder.attest.vulnerabilities import Severity, Vulnerability, read_findings
from runtimebuilder.errors import EnvironmentProblemError, SpecError
from tests.unit.cli.conftest import Command, command

__all__ = ["command"]


def match(severity: str, number: str, versions: list[str]) -> dict[str, object]:
    return {
        "vulnerability": {
            "id": number,
            "severity": severity,
            "fix": {"versions": versions, "state": "fixed"},
        },
        "artifact": {"name": "libx", "version": "1.0", "type": "deb"},
    }


GRYPE = {
    "matches": [
        match("Low", "CVE-1", []),
        match("Critical", "CVE-2", ["1.1", "2.0"]),
        match("Critical", "CVE-2", ["1.1", "2.0"]),
        match("Negligible", "CVE-3", []),
        match("Odd", "CVE-4", []),
    ],
    "descriptor": {"name": "grype"},
}
TRIVY = {
    "SchemaVersion": 2,
    "Results": [
        {"Target": "clean"},
        {"Target": "none", "Vulnerabilities": None},
        {
            "Target": "app (debian 12)",
            "Vulnerabilities": [
                {"VulnerabilityID": "CVE-5", "PkgName": "a", "InstalledVersion": "1", "Severity": "MEDIUM"},
                {
                    "VulnerabilityID": "CVE-6",
                    "PkgName": "b",
                    "InstalledVersion": "2",
                    "FixedVersion": "3",
                    "Severity": "HIGH",
                },
            ],
        },
    ],
}


def test_what_grype_prints_is_read_each_once_the_worst_first() -> None:
    assert read_findings(json.dumps(GRYPE), "x") == (
        Vulnerability(Severity.CRITICAL, "CVE-2", "libx", "1.0", "1.1, 2.0"),
        Vulnerability(Severity.LOW, "CVE-1", "libx", "1.0", ""),
        Vulnerability(Severity.NEGLIGIBLE, "CVE-3", "libx", "1.0", ""),
        Vulnerability(Severity.UNKNOWN, "CVE-4", "libx", "1.0", ""),
    )


def test_what_trivy_prints_is_read() -> None:
    assert read_findings(json.dumps(TRIVY), "x") == (
        Vulnerability(Severity.HIGH, "CVE-6", "b", "2", "3"),
        Vulnerability(Severity.MEDIUM, "CVE-5", "a", "1", ""),
    )
    assert read_findings('{"SchemaVersion": 2}', "x") == ()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"matches": 1}', '{"matches": [{}]}', '{"SchemaVersion": 2, "Results": [1]}'],
)
def test_what_is_of_no_scanner_is_refused_and_never_taken_for_clean(text: str) -> None:
    with pytest.raises(SpecError, match=r"found\.json is neither"):
        read_findings(text, "found.json")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 1),
        (["--ignore", "CVE-2"], 0),
        (["--ignore", "CVE-2", "--fail-on", "low"], 1),
        (["--ignore", "CVE-2", "--ignore", "CVE-1", "--fail-on", "LOW"], 0),
    ],
)
def test_the_threshold_decides(command: Command, tmp_path: Path, arguments: list[str], code: int) -> None:
    (tmp_path / "found.json").write_text(json.dumps(GRYPE))
    ran = command("scan", "--input", "found.json", *arguments)
    assert ran.code == code, ran.err
    told = command("scan", "--input", "found.json", "--json", *arguments)
    assert (json.loads(told.out)["failed"] > 0) == bool(code)


def test_people_see_a_table(command: Command, tmp_path: Path) -> None:
    (tmp_path / "found.json").write_text(json.dumps(TRIVY))
    ran = command("scan", "--input", "found.json")
    assert ran.out == (
        "SEVERITY  ID     PACKAGE  INSTALLED  FIXED IN\n"
        "high      CVE-6  b        2          3\n"
        "medium    CVE-5  a        1          -\n"
    )
    assert ran.err == "2 vulnerabilities, 0 of them critical or worse\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say what to scan"),
        (["php-82", "--input", "x"], "say what to scan"),
        (["--input", "nothere.json"], "cannot be read"),
        (["--input", "x", "--fail-on", "bad"], "is not one of critical, high"),
    ],
)
def test_wrong_usage_is_told(command: Command, arguments: list[str], said: str) -> None:
    ran = command("scan", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_scanner_of_this_machine_is_asked_about_the_engines_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblemError, match="there is no grype and no trivy"):
        scan_image("app:1")
    stand_in = tmp_path / "trivy"
    stand_in.write_text('#!/bin/sh\necho talk >&2\necho "{\\"asked\\": \\"$*\\"}"\nexit "${CODE:-0}"\n')
    stand_in.chmod(0o755)
    name, text = scan_image("app:1")
    assert (name, json.loads(text)["asked"]) == (
        "trivy",
        "image --format json --quiet --scanners vuln app:1",
    )
    monkeypatch.setenv("CODE", "3")
    with pytest.raises(EnvironmentProblemError, match="trivy ended with code 3"):
        scan_image("app:1", "trivy")
    with pytest.raises(SpecError, match="is not one of auto, grype, trivy"):
        scan_image("app:1", "clair")
