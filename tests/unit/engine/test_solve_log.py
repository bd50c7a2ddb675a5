"""BuildKit's plain progress of several targets, as buildx prints it."""

from __future__ import annotations

from runtimebuilder.engine.builder import BuildEvent, Output, StepStarted
from runtimebuilder.engine.solve_log import SolveLog
from runtimebuilder.errors import EnvironmentProblemError

FAILING = """\
#0 building with "default" instance using docker driver
#1 [internal] load local bake definitions
#1 reading from stdin 362B done
#2 [a internal] load build definition from Dockerfile
#8 [b internal] load metadata for docker.io/runtimebuilder/provided:debian-12
#9 [b 1/3] FROM docker.io/runtimebuilder/provided:debian-12
#9 DONE 0.0s
#12 [a stage-1 3/3] RUN echo   a; sleep 6
#12 0.228 from a
#12 ...
#13 [b 3/3] RUN echo broken; sleep 1; exit 7
#13 0.244 from b
#12 0.300 more from a
#13 0.301 the reason
#13 ERROR: executor failed running [/bin/sh -c echo broken; sleep 1; exit 7]: exit code: 7
#12 [a stage-1 3/3] RUN echo   a; sleep 6
#12 CANCELED
#14 [c 2/2] RUN true
#14 ERROR: context canceled
------
 > [b 3/3] RUN echo broken; sleep 1; exit 7:
0.244 from b
------
ERROR: failed to solve: executor failed running [/bin/sh -c echo broken; sleep 1; exit 7]: exit code: 7
"""


def follow(text: str, *targets: str) -> tuple[SolveLog, list[tuple[str, BuildEvent]]]:
    told: list[tuple[str, BuildEvent]] = []
    log = SolveLog(targets, lambda name, event: told.append((name, event)))
    for line in text.splitlines():
        log.read(line)
    return log, told


def test_each_line_goes_to_the_target_whose_step_printed_it() -> None:
    _, told = follow(FAILING, "a", "b", "c")
    assert told == [
        ("b", StepStarted(1, 3, "FROM docker.io/runtimebuilder/provided:debian-12")),
        ("a", StepStarted(3, 3, "RUN echo a; sleep 6")),
        ("a", Output("from a")),
        ("b", StepStarted(3, 3, "RUN echo broken; sleep 1; exit 7")),
        ("b", Output("from b")),
        ("a", Output("more from a")),
        ("b", Output("the reason")),
        ("c", StepStarted(2, 2, "RUN true")),
    ]


def test_who_failed_is_told_with_its_own_last_lines_and_who_was_stopped_has_not_failed() -> None:
    log, _ = follow(FAILING, "a", "b", "c")
    assert list(log.errors) == ["b"]
    error = log.errors["b"]
    assert error.message == "step 3/3 failed: RUN echo broken; sleep 1; exit 7 (exit code 7)"
    assert error.detail == "  from b\n  the reason"


def test_two_that_fail_in_one_solve_are_both_told() -> None:
    text = "#1 [a 1/1] RUN x\n#2 [b 1/1] RUN y\n#1 ERROR: exit code: 1\n#2 ERROR: exit code: 2\n"
    log, _ = follow(text, "a", "b")
    assert {name: error.message for name, error in log.errors.items()} == {
        "a": "step 1/1 failed: RUN x (exit code 1)",
        "b": "step 1/1 failed: RUN y (exit code 2)",
    }


def test_a_single_target_has_no_name_in_the_lines() -> None:
    log, told = follow("#5 [build-0 2/4] RUN x\n#5 0.1 out\n#5 ERROR: exit code: 3\n", "only")
    assert told == [("only", StepStarted(2, 4, "RUN x")), ("only", Output("out"))]
    assert log.errors["only"].message == "step 2/4 failed: RUN x (exit code 3)"


def test_a_target_that_is_called_like_a_stage_is_not_taken_for_it() -> None:
    _, told = follow("#5 [app 1/2] RUN x\n", "app")
    assert told == [("app", StepStarted(1, 2, "RUN x"))]


def test_a_base_that_is_not_there_is_its_targets_error() -> None:
    text = "#3 [b internal] load metadata for registry.test/none:1\n#3 ERROR: not found\n"
    log, _ = follow(text, "a", "b")
    assert list(log.errors) == ["b"]
    assert "not found" in log.errors["b"].message


def test_newer_buildx_names_the_target_in_its_last_line() -> None:
    log, _ = follow("ERROR: target b: failed to solve: granted no space\n", "a", "b")
    assert list(log.errors) == ["b"]


def test_an_error_of_no_step_is_kept_for_who_has_to_find_its_target() -> None:
    log, _ = follow("ERROR: failed to solve: something else\n", "a", "b")
    assert (log.errors, log.unplaced) == ({}, "failed to solve: something else")


def test_a_full_disk_is_the_machines_trouble_and_not_the_runtimes() -> None:
    log, _ = follow("#1 [a 1/1] RUN x\n#1 ERROR: write /x: no space left on device\n", "a", "b")
    assert isinstance(log.errors["a"], EnvironmentProblemError)
