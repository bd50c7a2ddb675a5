"""The end of an environment: which signals a runtime gets with and without extensions, and what these hear."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.emulator.extension import ExtensionEvent
from runtimebuilder.errors import SubjectFailedError
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.layer import LayerFile, put_layer
from runtimebuilder.sandbox.run import Run
from runtimebuilder.sandbox.shutdown import INTERNAL_WINDOW, RUNTIME_WINDOW

NewBox = Callable[..., Box]
EXTENSION = (Path(__file__).parent / "extension.pl").read_bytes()
DEAF = {"INIT": "$SIG{TERM} = 'IGNORE'"}


def started(new_box: NewBox, *, external: bool | None = None, env: dict[str, str] | None = None) -> Box:
    box = new_box(env=env or {})
    box.start()
    assert box.emulator.wait_ready(10), box.logs()
    if external is not None:
        box.emulator.add_extension("book", tuple(ExtensionEvent), external=external)
    return box


def test_without_an_extension_the_process_is_killed_at_once(new_box: NewBox) -> None:
    ended = started(new_box, env={"INIT": "$SIG{TERM} = sub { exit 7 }"}).shutdown()
    assert ended is not None
    assert ended.exit is not None
    assert (ended.window, ended.was_killed, ended.exit.code) == (0.0, True, 137)


@pytest.mark.parametrize(("external", "window"), [(False, INTERNAL_WINDOW), (True, RUNTIME_WINDOW)])
def test_with_one_it_may_end_by_itself(new_box: NewBox, external: bool, window: float) -> None:
    box = started(new_box, external=external)
    ended = box.shutdown()
    assert ended is not None
    assert ended.exit is not None
    assert (ended.window, ended.exit.code) == (window, 143)
    assert box.shutdown() is None


def test_who_does_not_is_killed_when_the_window_closes(new_box: NewBox) -> None:
    ended = started(new_box, external=False, env=DEAF).shutdown()
    assert ended is not None
    assert ended.exit is not None
    assert (ended.was_killed, ended.exit.code) == (True, 137)
    assert ended.seconds >= INTERNAL_WINDOW


def test_a_frozen_one_is_thawed_for_it(new_box: NewBox) -> None:
    box = started(new_box, external=False)
    box.freeze()
    ended = box.shutdown()
    assert ended is not None
    assert ended.exit is not None
    assert ended.exit.code == 143


def test_a_timeout_ends_the_process_in_the_same_way(new_box: NewBox) -> None:
    box = started(new_box, external=False, env={"INIT": "$SIG{TERM} = sub { print 'told'; exit 0 }"})
    assert box.invoke("sleep 30", timeout=0.5).kind == "timeout"
    assert not box.is_running()
    assert "told" in box.logs()


def test_programs_in_opt_extensions_live_and_die_with_the_box(run: Run, image: str, new_box: NewBox) -> None:
    subject = put_layer(run, image, [LayerFile("/opt/extensions/watcher", EXTENSION, 0o755)])
    box = new_box(subject)
    box.start()
    result = box.invoke("1 + 1", timeout=20)
    assert result.body == b"2", box.logs()
    (found,) = box.emulator.extensions()
    assert (found.name, found.is_external) == ("watcher", True)
    box.freeze()
    box.thaw()
    ended = box.shutdown()
    assert ended is not None
    assert ended.extensions_in_time
    box.start()  # and all begins again
    second = box.invoke("join '', `cat /tmp/events`", timeout=20)
    events = [json.loads(line) for line in second.body.decode().splitlines()]
    assert [(one["eventType"], one.get("requestId")) for one in events[:2]] == [
        ("INVOKE", result.request_id),
        ("SHUTDOWN", None),
    ]
    assert events[1]["shutdownReason"] == "spindown"


def test_an_extension_that_does_not_register_fails_the_image(run: Run, image: str, new_box: NewBox) -> None:
    box = new_box(put_layer(run, image, [LayerFile("/opt/extensions/ends", EXTENSION, 0o755)]))
    with pytest.raises(SubjectFailedError, match="/opt/extensions/ends ended: exit status 3"):
        box.start()
    assert not box.is_running()
