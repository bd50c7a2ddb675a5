"""Each probe on a small runtime of its language: what it can show passes, what its runtime does wrong is found."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runtimebuilder.conformance.probes.folder import read_probe
from runtimebuilder.conformance.probes.known import probe_named
from runtimebuilder.conformance.report.result import State
from runtimebuilder.engine.containers import create_carrier
from runtimebuilder.engine.docker import Engine
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.layer import put_layer
from runtimebuilder.sandbox.run import Run
from tests.integration.conformance.conftest import Judge
from tests.integration.conformance.images import build_image

RUNTIMES = Path(__file__).resolve().parents[2] / "fixtures" / "runtimes"

# A case or two for each command of a probe and each way in which a start goes wrong: seconds, not the whole suite.
SEEN_WARM = (
    *("RT-003", "RT-019", "RT-02[1-4]", "RT-027", "RT-028", "RT-029", "RT-030", "RT-060", "RT-061", "RT-062"),
    *("RT-07[5-9]", "RT-08[0-37]", "RT-11[1-57]", "RT-136", "FS-02", "FS-07", "LC-19"),
)
ON_THEIR_OWN = (
    *("RT-067", "RT-110", "RT-118", "RT-123", "RT-127", "RT-129", "RT-131", "RT-134"),
    *("RT-151", "RT-152", "RT-153", "RT-164", "LC-18", "EV-03"),
)


AT_ONCE = ("RT-031", "MI-0[1-689]", "MI-1[02]")


@dataclass(frozen=True)
class Language:
    """A runtime in tests/fixtures/runtimes/NAME. `failing` and `unsupported`: number of a case -> why."""

    setup: str = ""
    failing: Mapping[str, str] = field(default_factory=dict)
    unsupported: Mapping[str, str] = field(default_factory=dict)
    cases: tuple[str, ...] = (*SEEN_WARM, *ON_THEIR_OWN)


def packages(names: str) -> str:
    """The Dockerfile's line that brings these of Debian's packages."""
    return (
        f"RUN apt-get update -q && apt-get install -y -q --no-install-recommends {names}"
        " && rm -rf /var/lib/apt/lists/* /var/cache/apt"
    )


SHELL = (
    *("RT-003", "RT-019", "RT-028", "RT-060", "RT-061", "RT-062", "RT-069", "RT-072", "RT-075", "RT-079"),
    *("RT-08[0-3]", "RT-087", "RT-110", "RT-127", "RT-129", "RT-131", "RT-136", "RT-15[0-3]", "RT-164"),
    *("FS-02", "FS-07", "LC-18", "LC-19", "EV-03"),
)

LANGUAGES = {
    "node": Language(
        setup=packages("nodejs"),
        cases=(*SEEN_WARM, *ON_THEIR_OWN, *AT_ONCE),
        failing={
            "RT-082": "a number of JavaScript has 53 bits",
            "MI-05": "all events are handled in one process, which a handler can end",
        },
        unsupported={
            "RT-031": "the context has no trace id",
            "RT-021": "Node.js handlers are told how much time is left, not when the deadline is",
            "RT-078": "what a handler returns is sent as JSON",
        },
    ),
    # What AWS's tutorial shows is no complete runtime, and the suite says in what.
    "shell": Language(
        setup=packages("curl"),
        cases=SHELL,
        failing={
            "RT-028": "it does not read the trace id",
            "RT-062": "curl sends what -d gives it as a form",
            "RT-069": "it does not look at the status of an answer",
            "RT-072": "the response is an argument of curl, and Linux passes 128 KB in one",
            "RT-079": "no output is sent as no text",
            "RT-110": "a failing handler ends the script, and nothing is posted to /error",
            "RT-129": "so does one that dies",
            "RT-150": "nothing is posted to /init/error",
            "RT-151": "whether there is a function is seen with the first event",
            "RT-152": "nothing is posted to /init/error",
            "RT-153": "nothing is posted to /init/error",
        },
        unsupported={
            "RT-019": "a handler is given the event alone",
            "RT-127": "a handler is a subshell",
            "RT-136": "what a handler prints is its result",
            "LC-19": "a handler is a subshell",
        },
    ),
    # Events and results are the handler's affair, as in C++'s client: it may take and give what is not JSON.
    "native": Language(
        cases=(*SEEN_WARM, *ON_THEIR_OWN, "RT-088"),
        failing={
            "RT-078": "the result goes out as it is",
            "RT-088": "the event is handed on as it is",
        },
        unsupported={"RT-151": "it is linked with its functions", "RT-152": "it was compiled before"},
    ),
}


@pytest.fixture(scope="module")
def probe(
    engine: Engine, debian12_image: str, language: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """What --probe says: nothing where it is seen, a folder for a compiled program."""
    if language != "native":
        return "auto"
    folder = tmp_path_factory.mktemp("native-probe")
    (folder / "probe.yaml").write_bytes((RUNTIMES / "native" / "probe.yaml").read_bytes())
    sources = sorted((RUNTIMES / "native").glob("*.[ch]"))
    compile_static(engine, debian12_image, sources, folder / "bootstrap")
    return str(folder)


def compile_static(engine: Engine, base: str, sources: list[Path], program: Path) -> None:
    """Compile with this machine's compiler, or else with Debian's in an image."""
    options = [
        "-D_GNU_SOURCE",
        "-std=c11",
        "-static",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Wno-unused-result",
        "-Werror",
    ]
    code = [path for path in sources if path.suffix == ".c"]
    if shutil.which("cc") is not None:
        subprocess.run(["cc", *options, "-o", program, *code], check=True, timeout=120)
        return
    line = " ".join(["cc", *options, "-o", "/program", *(path.name for path in code)])
    dockerfile = f"FROM {base}\n{packages('gcc libc6-dev')}\nWORKDIR /code\nCOPY . .\nRUN {line}\n"
    compiled = build_image(
        engine, "native-compiled", dockerfile, {path.name: path.read_bytes() for path in sources}
    )
    carrier = create_carrier(engine, compiled, labels={})
    try:
        archive = carrier.get_archive("/program")
    finally:
        carrier.remove()
    assert archive is not None
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        file = opened.extractfile("program")
        assert file is not None
        program.write_bytes(file.read())
    program.chmod(0o755)


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    """The name of one of them."""
    return str(request.param)


@pytest.fixture(scope="module")
def image(engine: Engine, debian12_image: str, language: str) -> str:
    """Its runtime on the debian-12 base. No label: which probe fits has to be seen."""
    dockerfile = f"FROM {debian12_image}\n{LANGUAGES[language].setup}\nCOPY bootstrap /var/runtime/\n"
    files = {"bootstrap": (RUNTIMES / language / "bootstrap").read_bytes()}
    return build_image(engine, f"runtime-{language}", dockerfile, files)


def test_a_runtime_fails_exactly_where_it_has_to(judge: Judge, image: str, language: str, probe: str) -> None:
    wanted = LANGUAGES[language]
    report = judge(image, *wanted.cases, probe=probe)
    assert report.header.probe == language
    seen = {one.case.number: one for one in report.results}
    odd = {
        number: f"{one.state}: expected {one.expected}, seen {one.seen} {one.reason or ''}"
        for number, one in seen.items()
        if one.state is not State.PASSED and number not in (*wanted.failing, *wanted.unsupported)
    }
    assert not odd
    assert dict.fromkeys(wanted.failing, State.FAILED) == {
        number: seen[number].state for number in wanted.failing
    }
    assert dict.fromkeys(wanted.unsupported, State.UNSUPPORTED) == {
        number: seen[number].state for number in wanted.unsupported
    }
    assert report.count(State.PASSED) > len(wanted.failing)


def test_what_the_tutorial_leaves_out_is_on_the_page_of_findings() -> None:
    page = (RUNTIMES.parents[2] / "docs" / "conformance-findings.md").read_text(encoding="utf-8")
    assert [number for number in LANGUAGES["shell"].failing if number not in page] == []


# What every probe says in the box; the two that write and read belong together.
RESULTS: tuple[tuple[Mapping[str, object], object], ...] = (
    ({"do": "no-such-command"}, {"unsupported": True}),
    ({"do": "echo", "value": ["é", {"a": None}]}, ["é", {"a": None}]),
    ({"do": "env", "names": ["PROBE", "NONE"]}, {"PROBE": 'one "line"\nand \\another'}),
    ({"do": "child-env", "names": ["PROBE", "NONE"]}, {"PROBE": 'one "line"\nand \\another'}),
    ({"do": "child-allocate", "mb": 1}, 0),
    ({"do": "spawn", "count": 3}, 3),
    ({"do": "allocate", "mb": 1}, 1024 * 1024),
    ({"do": "clock"}, {"utc_offset": 0}),
    ({"do": "write", "path": "/tmp/a", "text": 'one "é"\n', "times": 2}, {"ok": True}),
    ({"do": "read", "path": "/tmp/a"}, 'one "é"\none "é"\n'),
    ({"do": "read", "path": "/nowhere"}, None),
    ({"do": "sleep", "seconds": 0.01}, None),
    ({"do": "background", "seconds": 0, "path": "/tmp/b"}, None),
)


def test_a_probe_obeys_its_contract(shared_run: Run, image: str, probe: str, language: str) -> None:
    files = read_probe(Path(probe)) if Path(probe).is_dir() else probe_named(language)
    layered = put_layer(shared_run, image, files.layer())
    env = {"PROBE": 'one "line"\nand \\another'}
    with Box(shared_run, layered, handler=files.handler, env=env) as box:
        box.start()
        for command, result in RESULTS:
            event = json.dumps(command, ensure_ascii=False, separators=(",", ":")).encode()
            answer = box.invoke(event, timeout=30)
            assert answer.kind == "response", (command, answer)
            assert json.loads(answer.body) == result, command
        told = json.loads(box.invoke(b'{"do":"context","seconds":0.01,"value":["a"]}', timeout=30).body)
        assert told["value"] == ["a"]
        assert told["pid"] > 0
