"""What a failed build says: the step, how it ended, its last lines; nothing twice, nothing broken apart."""

from __future__ import annotations

import pytest

from runtimebuilder.engine.builder import BuildEvent, BuildFailedError, Output, StepLog, StepStarted, failure
from runtimebuilder.errors import EnvironmentProblemError, ExitCode

LONG = "RUN apt-get update && apt-get install -y " + " ".join(f"php8.2-extension{n}" for n in range(40))


def test_pieces_of_a_line_are_one_line() -> None:
    heard: list[BuildEvent] = []
    log = StepLog(heard.append)
    log.started(2, 6, "RUN dd")
    for piece in ("dd: ", "error writing '/x'", ": Input/output error\nrecords", " in\n", "and"):
        log.streamed(piece)
    error = log.failure("The command '/bin/sh -c dd' returned a non-zero code: 1")
    assert error.detail == "  dd: error writing '/x': Input/output error\n  records in\n  and"
    assert Output("records in") in heard


def test_the_exit_code_is_told_without_the_whole_command() -> None:
    for reason in (
        f"The command '/bin/sh -c {LONG}' returned a non-zero code: 100",
        f'failed to solve: process "/bin/sh -c {LONG}" did not complete successfully: exit code: 100',
        f"failed to solve: executor failed running [/bin/sh -c {LONG}]: exit code: 100",
    ):
        log = StepLog(lambda _: None)
        log.started(2, 6, LONG)
        error = log.failure(reason)
        assert isinstance(error, BuildFailedError)
        assert error.message.startswith("step 2/6 failed: RUN apt-get update && ")
        assert error.message.endswith("... (exit code 100)")
        assert len(error.message) < 160


def test_any_other_reason_is_told_as_it_is() -> None:
    log = StepLog(lambda _: None)
    log.started(3, 6, "COPY rootfs/ /")
    error = log.failure("COPY failed:\n file not found")
    assert error.message == "step 3/6 failed: COPY rootfs/ / (COPY failed: file not found)"


def test_a_full_disk_is_the_environment_and_not_the_build() -> None:
    log = StepLog(lambda _: None)
    log.started(2, 6, "RUN dd")
    log.streamed("dd: error writing '/x'")
    log.streamed(": No space left on device\n")
    error = log.failure("The command '/bin/sh -c dd' returned a non-zero code: 1")
    assert error.exit_code == ExitCode.ENVIRONMENT
    assert error.message == "the Docker engine's disk is full"


@pytest.mark.parametrize(
    "reason",
    [
        "failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF",
        "rpc error: code = Canceled desc = grpc: the client connection is closing",
        "('Connection broken: IncompleteRead(0 bytes read)', IncompleteRead(0 bytes read))",
        "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
    ],
)
def test_an_engine_that_went_away_is_not_the_runtimes_fault(reason: str) -> None:
    error = failure(reason, StepStarted(1, 2, "RUN x"), ["out"])
    assert isinstance(error, EnvironmentProblemError)
    assert "went away" in error.message
