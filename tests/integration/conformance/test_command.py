"""`runtimebuilder verify` as a person runs it: exit codes, streams, files, and other people's pytest settings."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runtimebuilder.conformance.report.jsonlines import read_reports
from runtimebuilder.conformance.report.result import State
from runtimebuilder.engine.containers import containers_with_label
from runtimebuilder.engine.docker import Engine, EngineError
from runtimebuilder.sandbox.run import LABEL
from tests.integration.conformance.conftest import Judge

Cli = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = Path(sys.executable).parent / "runtimebuilder"


def test_what_passes_ends_with_0_and_says_nothing_else(cli: Cli, miniature: str) -> None:
    done = cli("verify", miniature, "--case", "RT-060", "--case", "RT-003")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[0] == f"{miniature}   linux/amd64   probe python-streaming"
    assert done.stdout.splitlines()[1].startswith("box: uid 993, read-only, 128 MB, ")
    assert done.stdout.splitlines()[-1].startswith("all 2 passed in ")
    assert done.stderr == ""


def test_what_fails_ends_with_1_and_shows_why(cli: Cli, miniature: str) -> None:
    done = cli("verify", miniature, "--case", "RT-060", "--env", "MUTATION=response-twice")
    assert done.returncode == 1
    assert "MUST  RT-060 response-basic" in done.stdout
    assert "expected  one POST\n      seen      2 POSTs\n" in done.stdout
    assert "← 202 Accepted" in done.stdout
    again = next(line for line in done.stdout.splitlines() if "again " in line).split(maxsplit=1)[1]
    assert again == f"runtimebuilder verify {miniature} --env MUTATION=response-twice --case RT-060 -v"


def test_a_should_fails_the_run_only_when_strict(cli: Cli, miniature: str) -> None:
    arguments = ("verify", miniature, "--case", "RT-062", "--env", "MUTATION=response-without-type")
    lenient, strict = cli(*arguments), cli(*arguments, "--strict")
    assert (lenient.returncode, strict.returncode) == (0, 1)
    assert "1 SHOULD of 1 failed" in lenient.stdout
    assert "so the image conforms" in lenient.stdout


def test_what_is_known_to_fail_must_still_fail(cli: Cli, miniature: str, tmp_path: Path) -> None:
    known = tmp_path / "known.txt"
    known.write_text("RT-062  # issue 7\nRT-060  # issue 8\n", encoding="utf-8")
    mutation = ("--env", "MUTATION=response-without-type")
    cases = ("--case", "RT-06[0-2]", "--level", "MUST", "--level", "SHOULD")
    done = cli("verify", miniature, *cases, *mutation, "--known-failing", str(known), "--strict")
    assert done.returncode == 1
    assert "known to fail   1  issue 7: RT-062" in done.stdout
    assert "PASSES  RT-060 response-basic" in done.stdout
    known.write_text("RT-062  # issue 7\n", encoding="utf-8")
    done = cli("verify", miniature, *cases, *mutation, "--known-failing", str(known), "--strict")
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 failed as known of 3 in ")


def test_json_is_lines_and_nothing_else(cli: Cli, miniature: str) -> None:
    done = cli("verify", miniature, "--case", "RT-060", "--json")
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert kinds == ["header", "case", "footer"]
    assert done.returncode == 0


def test_the_report_file_can_be_read_back(cli: Cli, miniature: str, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    done = cli("verify", miniature, "--case", "RT-06[0-2]*", "--report", str(path))
    (report,) = read_reports(path.read_text(encoding="utf-8").splitlines())
    assert [result.case.number for result in report.results] == ["RT-060", "RT-061", "RT-062"]
    assert report.conforms
    assert done.stdout.splitlines()[-1].endswith(f"report: {path}")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("{image}", "--case", "RT-999"), 3, "no case matches 'RT-999'"),
        (("{image}", "--section", "nothing"), 3, "no section matches 'nothing'"),
        (("runtimebuilder-tests/none:1",), 4, "no image runtimebuilder-tests/none:1"),
        (("{image}", "--probe", "pyton"), 2, "did you mean 'python'?"),
        (("{image}", "--link", "cable"), 2, "there is no link 'cable'"),
        (("{image}", "--report", "/nowhere/out.jsonl"), 4, "--report /nowhere/out.jsonl"),
        (("{image}", "--env", "NOVALUE"), 2, "not of the form NAME=VALUE"),
        ((), 2, "say what to verify"),
    ],
)
def test_a_wrong_call_says_so(
    cli: Cli, miniature: str, arguments: tuple[str, ...], code: int, message: str
) -> None:
    done = cli("verify", *(each.format(image=miniature) for each in arguments))
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert done.stdout == ""


def test_cases_are_listed_without_an_engine(cli: Cli) -> None:
    env = {"DOCKER_HOST": "unix:///nowhere.sock"}
    done = cli("verify", "--list", "--case", "RT-00*", env=env)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "RT-001-endpoint-from-env",
        "RT-002-endpoint-missing",
        "RT-003-next-path",
        "RT-004-next-only-when-ready",
        "RT-005-long-poll-65s",
        "RT-006-long-poll-130s",
        "RT-007-long-poll-15min",
        "RT-008-freeze-in-next",
        "RT-009-freeze-then-data-waiting",
    ]
    told = json.loads(cli("verify", "--list", "--json", "--case", "RT-005", env=env).stdout)
    assert told[0]["slow"] == "holds next for 65 s"


def test_pytest_settings_of_the_folder_take_no_part(cli: Cli, miniature: str, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_text("raise RuntimeError\n", encoding="utf-8")
    before = sorted(path.name for path in tmp_path.iterdir())
    env = {"PYTEST_ADDOPTS": "--more-nonsense", "PYTEST_PLUGINS": "nowhere"}
    done = cli("verify", miniature, "--case", "RT-060", cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_without_a_probe_the_image_alone_is_judged(cli: Cli, miniature: str) -> None:
    done = cli("verify", miniature, "--probe", "none", "--section", "image", "--section", "payloads")
    assert done.returncode == 0, done.stdout
    assert "Image     6 of 6" in done.stdout
    assert "there is no probe for this image (--probe none): RT-075" in done.stdout


def test_an_image_that_cannot_be_started_fails(judge: Judge, variant: Callable[[str], str]) -> None:
    (result,) = judge(variant("RUN chmod 0644 /var/runtime/bootstrap"), "RT-003").results
    assert result.state is State.FAILED
    assert "the process ended with exit status 126" in (result.seen or "")
    assert "bootstrap" in result.evidence.log


def test_an_image_without_anything_to_start_fails(judge: Judge, engine: Engine) -> None:
    reference = "runtimebuilder-tests/nothing-to-start:latest"
    engine.import_image(empty_tar(), ref=reference)
    try:
        report = judge(reference, "RT-003", "IM-01", probe="python")
    finally:
        engine.remove_image(reference, force=True)
    assert [result.state for result in report.results] == [State.FAILED, State.FAILED]
    assert [result.seen for result in report.results] == [
        f"{report.header.image_id} has neither an ENTRYPOINT nor a CMD: there is nothing to start",
        "neither ENTRYPOINT nor CMD",
    ]


def empty_tar() -> bytes:
    return tar_of({})


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """These files, executable."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def test_a_box_that_cannot_be_made_is_no_failure_of_the_image(judge: Judge, miniature: str) -> None:
    # No engine gives a container 1 MB. After three such cases the rest is not tried.
    report = judge(miniature, "RT-06*", memory=1)
    assert report.count(State.ERRORED) == 3
    assert report.count(State.FAILED) == 0
    assert not report.conforms
    errored, *_, unreached = report.results
    assert "memory" in f"{errored.reason}".lower()
    assert (unreached.state, unreached.reason) == (
        State.SKIPPED,
        "the run stopped before it: too many cases errored",
    )


@pytest.mark.parametrize("more", [(), ("--case", "RT-092")], ids=["one case", "two processes"])
def test_ctrl_c_ends_with_130_and_leaves_nothing(
    engine: Engine, miniature: str, more: tuple[str, ...], tmp_path: Path
) -> None:
    page = tmp_path / "out.html"
    with subprocess.Popen(
        [COMMAND, "verify", miniature, "--case", "RT-005", *more, "--report", page],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            deadline = time.monotonic() + 30
            while len(mine(engine, process.pid)) < 2:  # the box is there
                assert time.monotonic() < deadline
                time.sleep(0.1)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130, output + errors
    assert "interrupted after " in output
    assert "interrupted after " in page.read_text(encoding="utf-8")
    assert mine(engine, process.pid) == []
    labels = [image.labels[LABEL] for image in engine.images_with_label(LABEL)]
    assert not [label for label in labels if label.startswith(f"{process.pid}-")]


def test_workers_of_a_run_that_is_killed_leave_nothing(engine: Engine, miniature: str) -> None:
    with subprocess.Popen(
        [COMMAND, "verify", miniature, "--case", "RT-005", "--case", "RT-092", "--jobs", "2"],
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while len(mine(engine, process.pid)) < 2:  # a box is there
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            process.kill()
    deadline = time.monotonic() + 60
    while mine(engine, process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    for image in engine.images_with_label(LABEL):  # the run's own: nobody was left to remove it
        if image.labels[LABEL].startswith(f"{process.pid}-"):
            engine.remove_image(image.id, force=True)


def test_several_images_are_told_one_after_the_other(
    cli: Cli, miniature: str, variant: Callable[[str], str], tmp_path: Path
) -> None:
    path, page, xml, steps = (tmp_path / name for name in ("both.jsonl", "both.html", "both.xml", "steps.md"))
    files = [part for each in (path, page, xml) for part in ("--report", str(each))]
    actions = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(steps)}
    broken = variant("ENV MUTATION=response-without-type")
    cases = ("--case", "RT-06[0-2]*", "--case", "RT-003", "--strict")
    done = cli("verify", broken, miniature, *cases, "--jobs", "3", *files, env=actions)
    assert done.returncode == 1, done.stderr
    first, second = done.stdout.index(broken + "  "), done.stdout.index(miniature + "  ")
    assert first < done.stdout.index("1 SHOULD of 4 failed") < second < done.stdout.index("all 4 passed")
    assert done.stdout.splitlines()[-1] == "1 of 2 images conform"
    reports = read_reports(path.read_text(encoding="utf-8").splitlines())
    assert [(one.header.subject, one.conforms) for one in reports] == [(broken, False), (miniature, True)]
    assert all(result.evidence.transcript for report in reports for result in report.results)
    assert "2 runs compared" in page.read_text(encoding="utf-8")
    assert xml.read_text(encoding="utf-8").count("<testsuite ") == 2
    assert [line.split("(")[0] for line in done.stderr.splitlines()] == [
        "::error title=SHOULD RT-062 content-type "
    ]
    assert steps.read_text(encoding="utf-8").count("### ") == 2


def mine(engine: Engine, pid: int) -> list[str]:
    """Ids of the containers that the process of this id has made; those of other runs come and go meanwhile."""
    found = []
    for container, _ in containers_with_label(engine, LABEL):
        with contextlib.suppress(EngineError):
            if str(container.inspect()["Config"]["Labels"][LABEL]).startswith(f"{pid}-"):
                found.append(container.id)
    return found


def run_pytest(
    folder: Path, *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_pytest_runs_the_same_suite(miniature: str, tmp_path: Path) -> None:
    selection = ("--image", miniature, "--case", "RT-06[0-2]*")
    more = ("-n", "2", "--junitxml", "out.xml")  # xdist: each of its workers has a session of its own
    done = run_pytest(tmp_path, "--pyargs", "runtimebuilder.conformance", *selection, *more)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    assert 'tests="3"' in (tmp_path / "out.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize("expression", ["RT_060", "RT-060", "response_basic"])
def test_pytest_selects_a_case_by_id_or_name(miniature: str, tmp_path: Path, expression: str) -> None:
    done = run_pytest(
        tmp_path, "--pyargs", "runtimebuilder.conformance", "--image", miniature, "-k", expression
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


OWN_CASES = """
import pytest
from runtimebuilder.conformance.case import Level, case
from runtimebuilder.conformance.environment import do
from runtimebuilder.conformance.expectation import require


@case("ZZ-001-echo", Level.MUST, requirement="Echoes.", page="runtimes-api", section="Ours")
def test_echo(warm):
    warm.require_echo("ours")


@case("ZZ-002-should", Level.SHOULD, requirement="Should.", page="runtimes-api", section="Ours")
def test_should(warm):
    require(warm.ask(do("counter")) == -1, expected="-1", seen="a counter")


def test_plain(api, box, image, probe):
    assert probe.name == "python-streaming"
    assert image.entrypoint == ("/lambda-entrypoint.sh",)
    assert box.is_running()
    assert api.wait_ready(1)
"""


@pytest.mark.parametrize(
    ("arguments", "code", "outcome"),
    [((), 0, "2 passed, 1 xfailed"), (("--strict-should",), 1, "1 failed, 2 passed")],
)
def test_people_add_cases_as_plain_test_files(
    miniature: str, tmp_path: Path, arguments: tuple[str, ...], code: int, outcome: str
) -> None:
    (tmp_path / "test_ours.py").write_text(OWN_CASES, encoding="utf-8")
    done = run_pytest(tmp_path, "--image", miniature, *arguments)
    assert done.returncode == code, done.stdout
    assert outcome in done.stdout
    assert ("expected -1" in done.stdout) is bool(arguments)


def test_in_pytest_too_what_is_known_to_fail_must_still_fail(miniature: str, tmp_path: Path) -> None:
    (tmp_path / "test_ours.py").write_text(
        OWN_CASES.replace("Level.SHOULD", "Level.MUST").replace("def test_plain", "def unused"),
        encoding="utf-8",
    )
    known = tmp_path / "known.txt"
    arguments = ("--image", miniature, "--known-failing", str(known), "-rxf", "-p", "no:randomly")
    known.write_text("ZZ-002  # issue 7\nRT-062\n", encoding="utf-8")
    done = run_pytest(tmp_path, *arguments)
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 xfailed" in done.stdout
    assert "known to fail (issue 7): expected -1" in done.stdout

    known.write_text("ZZ-002\nZZ-001\n", encoding="utf-8")
    done = run_pytest(tmp_path, *arguments)
    assert done.returncode == 1
    assert "ZZ-001-echo is said to fail (no reason given), and passes now: take it out of" in done.stdout

    known.write_text("RT-0600\n", encoding="utf-8")
    done = run_pytest(tmp_path, *arguments)
    assert done.returncode == 4
    assert "known.txt:1: no case is named 'RT-0600'; did you mean RT-060?" in done.stdout + done.stderr
