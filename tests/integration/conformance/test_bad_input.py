"""Whatever an image is: a clear verdict in bounded time and memory, no traceback, nothing left. docs/bad-input.md."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtimebuilder.conformance.report.result import State
from runtimebuilder.engine.docker import Engine, asking
from runtimebuilder.sandbox.pause import pause_program
from tests.integration.conformance.conftest import Judge
from tests.integration.conformance.test_command import empty_tar, mine, tar_of

COMMAND = Path(sys.executable).parent / "runtimebuilder"
Cli = Callable[..., subprocess.CompletedProcess[str]]

# The page says two minutes. That is what a machine takes that does nothing else.
TIME = 300.0  # seconds
MEMORY = 250  # MB, of which an idle run takes 70; the log that is not held is a gigabyte and more
FLOOD = (
    r"RUN printf '#!/bin/sh\nexec yes this is a line of a log that does not end\n' > /var/runtime/bootstrap"
)

# What stands in the image, and what is said of it.
CANNOT_START = {
    "not-executable": (
        "RUN chmod 0600 /var/runtime/bootstrap",
        "/var/runtime/bootstrap may not be executed by uid 993 (mode 0600; 0755 would do)",
    ),
    "crlf": (
        r"RUN sed -i 's/$/\r/' /var/runtime/bootstrap",
        "the lines of /var/runtime/bootstrap end with CR LF, as on Windows",
    ),
    "no-interpreter": (
        r"RUN printf '#!/usr/bin/ruby\n' > /var/runtime/bootstrap",
        "/var/runtime/bootstrap asks for the interpreter /usr/bin/ruby, which is not in the image",
    ),
    "byte-order-mark": (
        r"RUN printf '\357\273\277#!/bin/sh\n' > /lambda-entrypoint.sh",
        "/lambda-entrypoint.sh begins with a byte order mark",
    ),
    "gone": ("RUN rm /var/runtime/bootstrap", "/var/runtime/bootstrap is not in the image"),
    "folder": (
        "RUN rm /var/runtime/bootstrap && mkdir /var/runtime/bootstrap",
        "/var/runtime/bootstrap is a folder, not a program",
    ),
    "exits-at-once": (
        r"RUN printf '#!/bin/sh\nexit 3\n' > /var/runtime/bootstrap",
        "the process ended with exit status 3",
    ),
}


@pytest.mark.parametrize("what", CANNOT_START)
def test_what_cannot_be_started_is_told_with_the_reason(
    judge: Judge, variant: Callable[[str], str], what: str
) -> None:
    lines, told = CANNOT_START[what]
    (result,) = judge(variant(lines), "RT-003").results
    assert result.state is State.FAILED, result.reason
    assert told in (result.seen or "")


@pytest.fixture
def foreign(engine: Engine) -> Iterator[Callable[[str], str]]:
    """`foreign("arm64")`: an image that says it is for arm64, with a program for that architecture."""
    made = []

    def make(program: str) -> str:
        reference = f"runtimebuilder-tests/says-arm64-is-{program}:latest"
        layer = tar_of({"lambda-entrypoint.sh": pause_program(program)})
        config = {
            "architecture": "arm64",
            "os": "linux",
            "config": {
                "Entrypoint": ["/lambda-entrypoint.sh"],
                "Labels": {"dev.runtimebuilder.probe": "python"},
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
        manifest = [{"Config": "config.json", "RepoTags": [reference], "Layers": ["layer.tar"]}]
        archive = tar_of(
            {
                "config.json": json.dumps(config).encode(),
                "layer.tar": layer,
                "manifest.json": json.dumps(manifest).encode(),
            }
        )
        with asking(f"to load {reference}"):
            for _ in engine.api.load_image(archive):
                pass
        made.append(reference)
        return reference

    yield make
    for reference in made:
        engine.remove_image(reference, force=True)


def test_an_image_for_another_machine_is_exit_4(
    engine: Engine, cli: Cli, foreign: Callable[[str], str]
) -> None:
    if engine.ping().arch == "arm64":
        pytest.skip("arm64 is this machine's own")
    done = cli("verify", foreign("arm64"))
    assert (done.returncode, done.stdout) == (4, "")
    assert (
        f"is for linux/arm64, and this engine runs programs for {engine.ping().platform} only" in done.stderr
    )


def test_an_image_that_lies_about_its_machine_fails(judge: Judge, foreign: Callable[[str], str]) -> None:
    (result,) = judge(foreign("amd64"), "IM-03").results
    assert result.state is State.FAILED
    assert result.seen == "/lambda-entrypoint.sh is for amd64"


def test_an_image_with_nothing_to_start_is_exit_1(engine: Engine, cli: Cli) -> None:
    reference = "runtimebuilder-tests/empty:latest"
    engine.import_image(empty_tar(), ref=reference)
    try:
        done = cli("verify", reference)
    finally:
        engine.remove_image(reference, force=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{reference} has neither an ENTRYPOINT nor a CMD: there is nothing to start" in done.stderr


def test_a_flood_of_log_costs_neither_memory_nor_time(
    engine: Engine, variant: Callable[[str], str], tmp_path: Path
) -> None:
    image = variant(FLOOD)
    begun = time.monotonic()
    # Through a small process: the kernel counts the memory of whoever starts a program as that program's own, and this
    # one has grown large by now.
    started = (
        "import resource, subprocess, sys\n"
        "process = subprocess.Popen(sys.argv[1:])\n"
        "print('pid', process.pid, flush=True)\n"
        "print('code', process.wait(), 'peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    with (tmp_path / "out").open("w+") as output:
        command = [sys.executable, "-c", started, str(COMMAND), "verify", image, "--case", "RT-003"]
        subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=True)
        output.seek(0)
        said = output.read()
    pid = int(said.split()[1])
    code, peak = re.findall(r"^code (\d+) peak (\d+)$", said, re.MULTILINE)[0]
    assert int(code) == 1, said
    assert "GET next within 10 s of the start" in said
    assert "Traceback" not in said
    assert len(said) < 20_000
    assert int(peak) / 1024 < MEMORY
    assert time.monotonic() - begun < TIME
    assert mine(engine, pid) == []
