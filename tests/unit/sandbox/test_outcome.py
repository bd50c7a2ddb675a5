"""The service's words for ends."""

from __future__ import annotations

import json
import signal

import pytest

from runtimebuilder.sandbox.outcome import Exit, timeout_payload


@pytest.mark.parametrize(
    ("code", "number", "words"),
    [
        (0, None, "exit status 0"),
        (3, None, "exit status 3"),
        (128, None, "exit status 128"),
        (137, signal.SIGKILL, "signal: killed"),
        (139, signal.SIGSEGV, "signal: segmentation fault"),
        (143, signal.SIGTERM, "signal: terminated"),
        (
            142,
            None,
            "exit status 142",
        ),  # what the entrypoint of AWS's base images returns for wrong arguments
        (255, None, "exit status 255"),
    ],
)
def test_codes_are_read_as_statuses_and_signals(code: int, number: signal.Signals | None, words: str) -> None:
    found = Exit.of(code)
    assert found.signal == number
    assert found.describe() == words
    assert found.is_success == (code == 0)


def test_an_exit_is_an_error_payload_in_the_services_order() -> None:
    assert Exit.of(3).error("abc") == (
        b'{"errorType":"Runtime.ExitError","errorMessage":"RequestId: abc Error: '
        b'Runtime exited with error: exit status 3"}'
    )
    assert json.loads(Exit.of(0).error("abc"))["errorMessage"].endswith(
        "Runtime exited without providing a reason"
    )


def test_a_start_error_is_no_success_and_says_why() -> None:
    found = Exit.of(127, start_error="no such file or directory")
    assert not found.is_success
    assert found.describe() == "could not be started: no such file or directory"
    assert json.loads(found.error("abc")) == {
        "errorType": "Runtime.InvalidEntrypoint",
        "errorMessage": "RequestId: abc Error: no such file or directory",
    }


def test_a_timeout_shows_two_decimals() -> None:
    assert json.loads(timeout_payload(3)) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "Task timed out after 3.00 seconds",
    }
