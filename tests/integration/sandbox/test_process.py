"""The process in the box: its end, its restart, its deadline, and how the service tells of them."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable

import pytest

from runtimebuilder.emulator.exchange import Route
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.layer import LayerFile, put_layer
from runtimebuilder.sandbox.run import Run

NewBox = Callable[..., Box]


def _soon(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        ("exit 3", "Runtime exited with error: exit status 3"),
        ("exit 0", "Runtime exited without providing a reason"),
        ("kill 'KILL', $$", "Runtime exited with error: signal: killed"),
        ("kill 'SEGV', $$", "Runtime exited with error: signal: segmentation fault"),
        ("kill 'TERM', $$; sleep 1", "Runtime exited with error: signal: terminated"),
    ],
)
def test_an_exit_within_an_invocation_is_told_as_the_service_does(
    new_box: NewBox, ending: str, words: str
) -> None:
    box = new_box()
    box.start()
    result = box.invoke(ending)
    assert result.kind == "exit"
    assert result.json() == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: {words}",
    }
    assert not box.is_running()


def test_the_next_invocation_starts_a_new_process_that_finds_tmp_as_it_was(new_box: NewBox) -> None:
    box = new_box()
    box.start()
    box.invoke("open(my $f, '>', '/tmp/kept') or die; print $f 'kept'; close $f; our $count = 7")
    assert box.invoke("exit 1").kind == "exit"
    second = box.invoke("join ' ', $count, `cat /tmp/kept`")
    assert (second.kind, second.body, second.starts) == ("response", b"0 kept", 1)


def test_every_box_has_a_tmp_of_its_own(new_box: NewBox) -> None:
    first, second = new_box(), new_box()
    first.start()
    second.start()
    first.invoke("open(my $f, '>', '/tmp/mine') or die")
    assert first.invoke("-e '/tmp/mine' ? 1 : 0").body == b"1"
    assert second.invoke("-e '/tmp/mine' ? 1 : 0").body == b"0"


def test_restart_gives_a_new_process_in_the_same_place(new_box: NewBox) -> None:
    box = new_box()
    box.start()
    before = box.invoke("open(my $f, '>', '/tmp/kept') or die; $$").body
    box.restart()
    assert box.emulator.wait_ready(5)
    after = box.invoke("-e '/tmp/kept' ? $$ : 'lost'").body
    assert after != b"lost"
    assert after != before


def test_the_deadline_kills(new_box: NewBox) -> None:
    box = new_box()
    box.start()
    result = box.invoke("sleep 30", timeout=0.5)
    assert result.kind == "timeout"
    assert result.json()["errorMessage"] == "Task timed out after 0.50 seconds"
    assert 0.5 <= result.duration < 1.5
    assert result.exit is not None
    assert result.exit.signal == signal.SIGKILL
    assert box.invoke("1 + 1").body == b"2"


def test_children_die_with_the_process(new_box: NewBox) -> None:
    box = new_box()
    box.start()
    box.invoke("unless (fork) { close STDOUT; close STDERR; exec 'sleep', '60' } 1")
    assert _soon(lambda: any(process.command == "sleep 60" for process in box.processes()))
    box.kill()
    assert box.wait_exit(5) is not None
    box.start()
    assert box.emulator.wait_ready(5)
    assert [process.command for process in box.processes()] == ["/usr/bin/perl /var/runtime/bootstrap"]


def test_the_runtime_is_not_process_1_and_orphans_leave_no_zombies(new_box: NewBox) -> None:
    box = new_box()
    box.start()
    assert box.invoke("`cat /proc/1/comm`").body.strip() == b"pause"
    orphan = "my $p = fork; if (!$p) { fork or exit; exit } waitpid $p, 0;"
    assert box.invoke(f"for (1 .. 20) {{ {orphan} }} select undef, undef, undef, 0.2; 1").body == b"1"
    assert len(box.processes()) == 1
    assert box.invoke("scalar grep { /^\\d+$/ } map { s{/proc/}{}r } glob '/proc/*'").body == b"2"


def test_an_init_that_fails_without_a_word_is_an_exit(new_box: NewBox) -> None:
    box = new_box(env={"INIT": "exit 9"})
    box.start()
    first = box.wait_exit(5)
    assert first is not None
    assert first.describe() == "exit status 9"
    result = box.invoke("1")
    assert (result.kind, result.starts) == ("exit", 1)
    assert result.json()["errorMessage"].endswith("Error: Runtime exited with error: exit status 9")


def test_an_init_error_reaches_the_caller(new_box: NewBox) -> None:
    report = '{"errorMessage":"no handler","errorType":"Runtime.NoHandler"}'
    box = new_box(env={"INIT": f"ask('POST', qq($base/init/error), '{report}'); exit 1"})
    box.start()
    assert box.wait_exit(5) is not None
    result = box.invoke("1")
    assert result.kind == "init_error"
    assert result.body.decode() == report
    assert len(box.emulator.recording.exchanges(Route.INIT_ERROR)) == 2


def test_a_new_process_begins_with_a_clean_slate(new_box: NewBox) -> None:
    report = "ask('POST', qq($base/init/error), '{}'); exit 1"
    box = new_box(env={"INIT": f"unless (-e '/tmp/x') {{ open(my $f, '>', '/tmp/x'); {report} }}"})
    box.start()
    assert box.wait_exit(5) is not None
    assert box.emulator.init_error() is not None
    box.start()
    assert box.emulator.wait_ready(5)
    assert box.emulator.init_error() is None
    assert box.invoke("exit 2").kind == "exit"


def test_a_start_counts_when_the_invocation_needs_one(new_box: NewBox) -> None:
    box = new_box(env={"INIT": "sleep 30 if -e '/tmp/slow'"})
    box.start()
    box.invoke("open(my $f, '>', '/tmp/slow') or die")
    assert box.invoke("exit 1").kind == "exit"
    result = box.invoke("1", timeout=1)
    assert (result.kind, result.starts) == ("timeout", 1)


def test_a_slow_init_is_no_failure_of_the_first_invocation(new_box: NewBox) -> None:
    box = new_box(env={"INIT": "sleep 2"})
    box.start()
    result = box.invoke("1 + 1", timeout=1)
    assert (result.kind, result.body, result.starts) == ("response", b"2", 0)


def test_an_exit_after_the_response_keeps_the_response(new_box: NewBox) -> None:
    box = new_box()
    box.start()
    answer_and_exit = "ask('POST', qq($base/invocation/$id/response), 'done'); exit 4"
    first = box.invoke(answer_and_exit)
    assert (first.kind, first.body) == ("response", b"done")
    second = box.invoke("1 + 1")
    assert (second.kind, second.body, second.starts) == ("response", b"2", 1)


def test_freezing_stops_everything_and_thawing_goes_on(new_box: NewBox) -> None:
    box = new_box()
    box.start()
    box.invoke(
        "unless (fork) { for (1 .. 1000) { print qq(tick\\n); select undef, undef, undef, 0.02 } exit } 1"
    )
    time.sleep(0.2)
    box.freeze()
    frozen = box.logs().count("tick")
    time.sleep(0.4)
    assert box.logs().count("tick") == frozen
    assert frozen >= 3
    assert box.is_running()
    box.thaw()
    time.sleep(0.4)
    assert box.logs().count("tick") >= frozen + 5
    box.freeze()  # and closing a frozen box works


@pytest.mark.parametrize(
    ("bootstrap", "code"),
    [
        (LayerFile("/var/runtime/bootstrap", b"#!/bin/sh\nexit 0\n", 0o644), 126),
        (LayerFile("/var/runtime/bootstrap", b"#!/bin/sh\r\nexit 0\r\n", 0o755), 127),
    ],
    ids=["not-executable", "carriage-returns"],
)
def test_a_bootstrap_that_the_entrypoint_cannot_run_is_an_exit(
    new_box: NewBox, run: Run, image: str, bootstrap: LayerFile, code: int
) -> None:
    box = new_box(put_layer(run, image, [bootstrap]))
    box.start()
    found = box.wait_exit(5)
    assert found is not None
    assert found.code == code
    assert not found.is_success


def test_an_entrypoint_that_cannot_be_run_is_an_exit(new_box: NewBox, run: Run, image: str) -> None:
    box = new_box(put_layer(run, image, [LayerFile("/lambda-entrypoint.sh", b"x", 0o644)]))
    box.start()
    found = box.wait_exit(0)
    assert found is not None
    assert found.start_error == 'exec: "/lambda-entrypoint.sh": permission denied'
    result = box.invoke("1")
    assert json.loads(result.body)["errorType"] == "Runtime.InvalidEntrypoint"


def test_the_handler_is_the_only_argument(new_box: NewBox, debian12_image: str) -> None:
    def started(**options: object) -> str:
        box = new_box(debian12_image, **options)
        box.start()
        assert box.wait_exit(5) is not None
        return box.logs()

    complaint = "entrypoint requires the handler name to be the first argument"
    assert complaint in started(handler="")
    assert complaint in started(handler="", command=["one", "two"])
    assert complaint not in started(handler="one")


def test_output_is_kept_apart(new_box: NewBox) -> None:
    box = new_box()
    box.start()
    box.invoke("print STDOUT qq(out\\n); print STDERR qq(err \\xff\\n); 1")
    box.kill()
    box.wait_exit(5)
    # Two pipes: which of them the engine read first is not told.
    assert sorted(box.logs().splitlines()) == ["err �", "out"]
    assert box.logs(stderr=False) == "out\n"
    assert box.logs(stdout=False) == "err �\n"
