"""AWS's own Python client, from the package index, on every MUST: the suite finds where it does not conform."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from runtimebuilder.conformance.case import Level, builtin_cases
from runtimebuilder.conformance.report.result import Report, State
from runtimebuilder.conformance.run import VerifyOptions, verify
from runtimebuilder.engine.docker import Engine
from tests.integration.conformance.conftest import PYTHON
from tests.integration.conformance.images import build_image

VERSION = "4.2.2"

# As AWS's documentation has a Python image start it; /usr/bin/python3 of Debian 12 is the Python of the wheels.
DOCKERFILE = f"""\
{PYTHON}\
ENV PYTHONPATH=/opt/client
COPY client /opt/client
COPY bootstrap /var/runtime/
LABEL dev.runtimebuilder.probe=python
"""
BOOTSTRAP = b'#!/bin/sh\nexec /usr/bin/python3 -m awslambdaric "$_HANDLER"\n'
PYTHON_VERSION = "3.11"

# Case -> what the client does instead, and where the catalogue of requirements knows of it. It must go on doing so: a
# case that passes here is news. MUSTs are all run; of the others only these.
KNOWN_FAILING: dict[str, str] = {
    "RT-067": "ends the process when a response is refused with 413; the table of clients: process survives 413, no",
    "RT-020": "aborts on a deadline that is no number: the assertion of the C++ library below it, named in the row",
    "RT-083": "sends Infinity, which is not JSON: named in the row",
    "RT-090": "hands the event to the handler as text when it is not sent as JSON: named in the row",
    "RT-114": "sends no error type in a header; the table of clients: error-type header on /error, no",
    "RT-115": "the same",
    "RT-118": "ends the process when the message cannot be logged as UTF-8",
    "RT-120": "posts the whole of a huge message: the row says that no client cuts it",
    "RT-121": "catches Exception only: another BaseException ends the process, and the error is not posted",
    "RT-167": "the same at a failed start",
    "MI-09": "ends a worker after three tries without a pause: it is the C++ library's loop",
    "MI-12": "logs that an error was refused for its size, and goes on without another one",
}


@pytest.fixture(scope="module")
def awslambdaric(engine: Engine, debian12_image: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The client on the debian-12 base, installed by this machine's pip with its own settings: nothing of those
    gets into the image, and nothing is compiled.
    """
    folder = tmp_path_factory.mktemp("awslambdaric")
    wheels = ("--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON_VERSION}")
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-compile",
                f"--target={folder}",
                *wheels,
            ),
            *(f"--platform=manylinux2014_{platform.machine()}", f"awslambdaric=={VERSION}"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    files = {f"client/{path.relative_to(folder)}": path.read_bytes() for path in _files_of(folder)}
    dockerfile = DOCKERFILE.format(base=debian12_image)
    return build_image(engine, "awslambdaric", dockerfile, {**files, "bootstrap": BOOTSTRAP})


@pytest.fixture(scope="module")
def report(engine: Engine, awslambdaric: str) -> Report:
    """One run, which the tests below look at."""
    musts = [one.number for one in builtin_cases() if one.level is Level.MUST and not one.slow]
    wanted = tuple(dict.fromkeys((*musts, *KNOWN_FAILING)))
    return verify(engine, awslambdaric, VerifyOptions(cases=wanted))


def test_it_fails_exactly_where_it_is_known_to(report: Report) -> None:
    failed = {
        one.case.number: f"expected {one.expected}, seen {one.seen}"
        for one in report.results
        if one.state is State.FAILED
    }
    news = {number: told for number, told in failed.items() if number not in KNOWN_FAILING}
    assert not news
    assert sorted(failed) == sorted(KNOWN_FAILING)


def test_every_other_case_is_judged(report: Report) -> None:
    errored = {one.case.number: one.reason for one in report.results if one.state is State.ERRORED}
    assert not errored
    assert report.count(State.PASSED) >= 80


def test_the_findings_are_on_their_page(report: Report) -> None:
    page = (Path(__file__).parents[3] / "docs" / "conformance-findings.md").read_text(encoding="utf-8")
    assert f"awslambdaric {VERSION}" in page
    told = {one.case.id for one in report.results if one.state is State.FAILED}
    assert not [identity for identity in told if identity not in page]


def _files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
