"""Holders made before a box asks: each used once, none left behind, failures told by the box that meets them."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtimebuilder.engine import containers, resources
from runtimebuilder.engine.containers import ContainerSpec, create_container
from runtimebuilder.engine.docker import Engine, EngineError
from runtimebuilder.errors import SpecError
from runtimebuilder.sandbox.ahead import Ahead
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.holder import Holder, make_holder
from runtimebuilder.sandbox.layer import LayerFile, put_layer
from runtimebuilder.sandbox.limits import Limits
from runtimebuilder.sandbox.run import LABEL, Run

BOOTSTRAP = (Path(__file__).parent / "mini-runtime.pl").read_bytes()
TMP_MB = Limits().tmp_mb
# Tells its run, begins to make holders, and waits to be interrupted.
SCRIPT = """
import sys, time
from runtimebuilder.engine.docker import Engine
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.run import Run
with Run(Engine.connect()) as run:
    run.make_ahead(512, sys.argv[2], 3)
    print(run.id, flush=True)
    with Box(run, sys.argv[1], handler="x", link=sys.argv[2]):
        time.sleep(60)
"""


def left(engine: Engine, run_id: str) -> list[str]:
    """Containers, volumes and networks of that run."""
    label = f"{LABEL}={run_id}"
    return [
        *(one.id for one, _ in containers.containers_with_label(engine, label)),
        *(name for name, _ in resources.volumes_with_label(engine, label)),
        *(name for name, _ in resources.networks_with_label(engine, label)),
    ]


def wait_until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 15
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def running_holders(engine: Engine, run: Run) -> int:
    found = containers.containers_with_label(engine, f"{LABEL}={run.id}")
    return sum(_is_running(one) for one, _ in found)


def _is_running(container: containers.Container) -> bool:
    try:
        return container.state().status == "running"
    except EngineError as error:
        # The engine lists a container that is being made before it can be asked about it.
        if error.status != 404:
            raise
        return False


def listening() -> set[str]:
    """Inodes of this process's sockets that listen on IPv4."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    all_listening = {row[9] for row in rows if row[3] == "0A"}
    mine = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:  # closed meanwhile: the descriptor of the listing itself, for one
            continue
        if target.startswith("socket:["):
            mine.add(target.removeprefix("socket:[").removesuffix("]"))
    return all_listening & mine


@pytest.fixture
def own_run(engine: Engine) -> Iterator[Run]:
    """A run of the test's own that has to leave nothing."""
    with Run(engine) as run:
        yield run
    assert left(engine, run.id) == []


def test_holders_that_no_box_took_are_removed(engine: Engine, own_run: Run) -> None:
    own_run.make_ahead(TMP_MB, "auto", 2)
    assert wait_until(lambda: running_holders(engine, own_run) == 2)
    time.sleep(0.5)
    assert len(left(engine, own_run.id)) == 4  # a container and a volume each, and not one more
    own_run.close()
    assert left(engine, own_run.id) == []
    with pytest.raises(RuntimeError, match="the run has ended"):
        own_run.holder(TMP_MB, "auto")


def test_closing_removes_what_is_in_stock_without_the_help_of_the_run(engine: Engine, own_run: Run) -> None:
    numbers = itertools.count(1)

    def make() -> Holder:
        return make_holder(
            engine,
            f"runtimebuilder-{own_run.id}-{next(numbers)}",
            image=own_run.pause_image(),
            tmp_mb=TMP_MB,
            link=own_run.link("auto"),
            labels=own_run.labels,
            on_disk=own_run.is_beside_engine,
        )

    ahead = Ahead(make, 2)
    taken = ahead.take()
    assert wait_until(lambda: running_holders(engine, own_run) == 3)
    ahead.close()
    assert left(engine, own_run.id) == [taken.container.id, taken.name]
    taken.close()
    assert left(engine, own_run.id) == []


def test_each_box_has_a_holder_and_a_tmp_of_its_own(own_run: Run, debian12_image: str) -> None:
    own_run.make_ahead(TMP_MB, "auto", 2)
    image = put_layer(own_run, debian12_image, [LayerFile("/var/runtime/bootstrap", BOOTSTRAP, 0o755)])
    namespaces, connections, files = [], [], []
    for _ in range(4):
        with Box(own_run, image, handler="x") as box:
            box.start()
            asked = box.invoke('my @old = glob("/tmp/*"); open(my $f, ">", "/tmp/mark"); "@old"', timeout=20)
            files.append(asked.body)
            namespaces.append(box.container.inspect()["HostConfig"]["NetworkMode"])
            connections.append(box.emulator.recording.exchanges()[0].number)
    assert len(set(namespaces)) == 4
    assert files == [b""] * 4
    assert connections == [1] * 4


def test_a_holder_that_is_used_again_is_as_new(engine: Engine, own_run: Run, debian12_image: str) -> None:
    """Under root on the engine's machine, as `make test` runs; elsewhere each box has a holder of its own."""
    own_run.make_ahead(TMP_MB, "auto", 1, reuse=True)
    image = put_layer(own_run, debian12_image, [LayerFile("/var/runtime/bootstrap", BOOTSTRAP, 0o755)])
    namespaces, seen = [], []
    for _ in range(3):
        with Box(own_run, image, handler="x") as box:
            box.start()
            code = (
                "my @old = map { -e $_ || -l $_ ? $_ : () } glob('/tmp/* /tmp/.[a-z]*');"
                "mkdir '/tmp/.deep'; mkdir '/tmp/.deep/er'; symlink '/', '/tmp/.deep/link'; symlink '/', '/tmp/x';"
                "system('dd if=/dev/zero of=/tmp/big bs=1M count=400 2>/dev/null; mkfifo /tmp/pipe');"
                "system('setsid sleep 300 >/dev/null 2>&1 &'); join(' ', @old, -s '/tmp/big')"
            )
            seen.append(box.invoke(code, timeout=30).body)
            namespaces.append(box.container.inspect()["HostConfig"]["NetworkMode"])
            assert box.emulator.recording.exchanges()[0].number == 1
    assert seen == [b"419430400"] * 3
    assert len(set(namespaces)) == (1 if own_run.is_beside_engine else 3)
    if own_run.is_beside_engine:
        assert running_holders(engine, own_run) == 1


def test_a_holder_with_a_process_left_in_it_is_not_used_again(own_run: Run) -> None:
    holder = own_run.holder(TMP_MB, "auto")
    inside = ContainerSpec(
        image=own_run.pause_image(), labels=own_run.labels, pid_mode=f"container:{holder.container.id}"
    )
    other = create_container(own_run.engine, inside)
    assert holder.clear() is own_run.is_beside_engine
    other.start()
    assert holder.clear() is False
    other.remove()
    holder.container.kill()
    holder.container.wait(10)
    assert holder.clear() is False
    holder.close()


@pytest.mark.parametrize(("comes_back_after", "made"), [(0.1, 1), (1.5, 2)])
def test_who_asks_waits_a_moment_for_a_holder_in_use_before_another_is_made(
    own_run: Run, comes_back_after: float, made: int
) -> None:
    seen: list[Holder] = []

    def make() -> Holder:
        name = f"runtimebuilder-{own_run.id}-waits-{len(seen)}"
        seen.append(
            make_holder(
                own_run.engine,
                name,
                image=own_run.pause_image(),
                tmp_mb=TMP_MB,
                link=own_run.link("namespace"),
                labels=own_run.labels,
                on_disk=False,
            )
        )
        return seen[-1]

    ahead = Ahead(make, 1, reuse=True)
    first = ahead.take()
    back = threading.Timer(comes_back_after, ahead.give_back, [first])
    back.start()
    second = ahead.take()
    back.join()
    assert (second is first) == (made == 1)
    second.close()
    ahead.close()  # waits for the one that is being made
    assert len(seen) == made


def test_a_box_of_another_size_does_not_take_what_was_made_for_others(
    own_run: Run, debian12_image: str
) -> None:
    own_run.make_ahead(TMP_MB, "auto", 1)
    image = put_layer(own_run, debian12_image, [LayerFile("/var/runtime/bootstrap", BOOTSTRAP, 0o755)])
    with Box(own_run, image, handler="x", limits=Limits(tmp_mb=600)) as box:
        box.start()
        megabytes = int(box.invoke("(split ' ', `df -m /tmp | tail -1`)[1]", timeout=20).body)
    assert 600 <= megabytes < 640


def test_nothing_listens_for_a_holder_in_stock(engine: Engine, own_run: Run, debian12_image: str) -> None:
    before = listening()
    own_run.make_ahead(TMP_MB, "gateway", 2)
    assert wait_until(lambda: running_holders(engine, own_run) == 2)
    assert listening() == before
    with Box(own_run, debian12_image, handler="x", link="gateway"):
        assert len(listening() - before) == 1


def test_a_holder_that_cannot_be_made_fails_the_box_that_should_have_had_it(
    engine: Engine, own_run: Run, debian12_image: str
) -> None:
    # In the way of the first holder, and of no other.
    in_the_way = ContainerSpec(
        image=own_run.pause_image(),
        name=f"runtimebuilder-{own_run.id}-1-holder",
        labels=own_run.labels,
    )
    create_container(engine, in_the_way)
    own_run.make_ahead(TMP_MB, "auto", 2)
    time.sleep(1)
    assert len(left(engine, own_run.id)) == 1  # no volume of the failed one, and no second try by itself
    with pytest.raises(EngineError, match="create a container") as raised:
        Box(own_run, debian12_image, handler="x").open()
    assert "is already in use" in str(raised.value.detail)
    with Box(own_run, debian12_image, handler="x") as box:
        assert box.container.state().status == "created"


def test_a_link_that_does_not_exist_is_told_as_without_holders_ahead(
    own_run: Run, debian12_image: str
) -> None:
    own_run.make_ahead(TMP_MB, "bridge", 2)
    for _ in range(2):
        with pytest.raises(SpecError, match="there is no link 'bridge'"):
            Box(own_run, debian12_image, handler="x", link="bridge").open()


@pytest.mark.parametrize("link", ["auto", "gateway"])
@pytest.mark.parametrize(
    ("number", "after"),
    [
        (signal.SIGINT, 0.0),
        (signal.SIGINT, 0.1),
        (signal.SIGINT, 0.3),
        (signal.SIGINT, 1),
        (signal.SIGTERM, 0.2),
    ],
)
def test_a_run_interrupted_while_holders_are_made_leaves_nothing(
    engine: Engine, debian12_image: str, link: str, number: signal.Signals, after: float
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, debian12_image, link],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    time.sleep(after)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert errors.splitlines()[-1] == "KeyboardInterrupt"
    assert left(engine, run_id) == []


@pytest.mark.parametrize("after", [0.0, 0.1, 0.25])
def test_a_run_that_ends_while_a_box_waits_for_its_holder_leaves_nothing(
    engine: Engine, debian12_image: str, after: float
) -> None:
    run = Run(engine)
    run.make_ahead(TMP_MB, "auto", 2)
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


def test_a_run_without_boxes_ends_at_once(engine: Engine) -> None:
    run = Run(engine)
    run.make_ahead(TMP_MB, "auto", 2)
    run.close()
    assert left(engine, run.id) == []
    with pytest.raises(RuntimeError, match="the run has ended"):
        run.make_ahead(TMP_MB, "auto", 2)
