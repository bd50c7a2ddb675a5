"""A run leaves nothing behind, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runtimebuilder.engine import containers, resources
from runtimebuilder.engine.docker import Engine
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.layer import LayerFile, put_layer
from runtimebuilder.sandbox.run import LABEL, Run, sweep, sweep_late

BOOTSTRAP = Path(__file__).parent / "mini-runtime.pl"
# A box with each link and an image of its own; then it tells its run and waits to be interrupted.
SCRIPT = """
import pathlib, sys, time
from runtimebuilder.engine.docker import Engine
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.layer import LayerFile, put_layer
from runtimebuilder.sandbox.run import Run
engine = Engine.connect()
with Run(engine) as run:
    print(run.id, flush=True)
    bootstrap = LayerFile("/var/runtime/bootstrap", pathlib.Path(sys.argv[2]).read_bytes(), 0o755)
    image = put_layer(run, sys.argv[1], [bootstrap])
    with Box(run, image, handler="x", link="gateway") as first, Box(run, image, handler="x") as second:
        first.start()
        second.start()
        assert second.invoke("2 + 2").body == b"4", second.logs()
        print("ready", flush=True)
        second.invoke("sleep 60", timeout=60)
"""


def left(engine: Engine, run_id: str) -> list[str]:
    label = f"{LABEL}={run_id}"
    return [
        *(
            f"container {one.id[:12]} of {one.image}"
            for one, _ in containers.containers_with_label(engine, label)
        ),
        *(f"volume {name}" for name, _ in resources.volumes_with_label(engine, label)),
        *(f"network {name}" for name, _ in resources.networks_with_label(engine, label)),
        *(f"image {image.id}" for image in engine.images_with_label(label)),
    ]


class Running:
    """The script above as a process."""

    def __init__(self, image: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, image, str(BOOTSTRAP)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.run_id = self.process.stdout.readline().strip()

    def wait_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == "ready", (
            self.process.stderr and self.process.stderr.read()
        )

    def end(self, number: signal.Signals) -> str:
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=30)
        return errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(
    engine: Engine, debian12_image: str, number: signal.Signals
) -> None:
    running = Running(debian12_image)
    running.wait_ready()
    assert len(left(engine, running.run_id)) == 8  # 4 containers, 2 volumes, a network, an image
    errors = running.end(number)
    assert errors.splitlines()[-1] == "KeyboardInterrupt"
    assert left(engine, running.run_id) == []


@pytest.mark.parametrize("after", [0.0, 0.1, 0.2, 0.4])
def test_a_run_interrupted_while_a_box_opens_leaves_nothing(
    engine: Engine, debian12_image: str, after: float
) -> None:
    running = Running(debian12_image)
    time.sleep(after)
    errors = running.end(signal.SIGINT)
    assert errors.splitlines()[-1] == "KeyboardInterrupt"
    assert left(engine, running.run_id) == []


def test_what_a_killed_run_left_is_swept_later_and_nothing_else(engine: Engine, debian12_image: str) -> None:
    running = Running(debian12_image)
    running.wait_ready()
    running.end(signal.SIGKILL)
    assert len(left(engine, running.run_id)) == 8
    assert sweep(engine, "another-run") == 0
    assert sweep(engine, running.run_id, older_than=3600) == 0
    assert len(left(engine, running.run_id)) == 8
    assert sweep(engine, running.run_id) == 8
    assert left(engine, running.run_id) == []


def test_what_the_engine_makes_late_is_removed_too(engine: Engine) -> None:
    labels = {LABEL: "cut-short"}
    names = [f"runtimebuilder-test-late-{number}" for number in range(3)]

    def make() -> None:
        for name in names:
            resources.create_volume(engine, name, options={}, labels=labels)
            time.sleep(0.35)

    late = threading.Thread(target=make)
    late.start()
    sweep_late(engine, "cut-short")
    late.join()
    assert left(engine, "cut-short") == []


@pytest.mark.parametrize("after", [0.0, 0.05, 0.15, 0.3])
def test_a_run_that_ends_while_a_thread_opens_a_box_leaves_nothing(
    engine: Engine, debian12_image: str, after: float
) -> None:
    run = Run(engine)
    ends: list[str] = []

    def open_a_box() -> None:
        try:
            Box(run, debian12_image, handler="x").open()
            ends.append("opened")
        except RuntimeError as error:
            ends.append(str(error))

    thread = threading.Thread(target=open_a_box)
    thread.start()
    time.sleep(after)
    run.close()
    thread.join()
    assert ends in (["opened"], ["the run has ended"])
    assert left(engine, run.id) == []


def test_an_exception_in_a_run_passes_and_leaves_nothing(engine: Engine, debian12_image: str) -> None:
    run = Run(engine)

    def fail() -> None:
        with run:
            Box(run, put_layer(run, debian12_image, [LayerFile("/x", b"")]), handler="x").start()
            assert len(left(engine, run.id)) == 4
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert left(engine, run.id) == []


def test_a_box_of_its_own_cleans_up_for_itself(engine: Engine, debian12_image: str) -> None:
    with Box(engine, debian12_image, handler="x", link="gateway") as box:
        label = box.container.inspect()["Config"]["Labels"][LABEL]
        assert len(left(engine, label)) == 4
    assert left(engine, label) == []
    box.close()  # a second time does nothing


def test_a_box_that_cannot_be_opened_leaves_nothing(engine: Engine) -> None:
    run = Run(engine)
    with run, pytest.raises(Exception, match="the engine has no image no/such:1"):
        Box(run, "no/such:1").open()
    assert left(engine, run.id) == []
