"""`LambdaContainer`, for tests of one's own functions; and the example of its page, run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtimebuilder.engine.containers import containers_with_label
from runtimebuilder.engine.docker import Engine, EngineError
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.sandbox.layer import LayerFile, put_layer
from runtimebuilder.sandbox.run import LABEL, Run
from runtimebuilder.testing import LambdaContainer

PAGE = Path(__file__).resolve().parents[3] / "docs" / "testing-functions.md"
CODE = """\
import os, sys, time

def limits(event, context):
    try:
        open("/var/task/new", "w")
        writes = True
    except OSError:
        writes = False
    open("/tmp/kept", "a").write("x")
    soft = __import__("resource").getrlimit(__import__("resource").RLIMIT_NOFILE)[0]
    capabilities = next(line for line in open("/proc/self/status") if line.startswith("CapEff")).split()[1]
    return {"uid": os.getuid(), "writes": writes, "files": soft, "capabilities": int(capabilities, 16),
            "memory": os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "tmp": len(open("/tmp/kept").read()),
            "asset": open("/var/task/asset").read()}

def waits(event, context):
    time.sleep(event)
    return "done"

def ends(event, context):
    print("going", file=sys.stderr, flush=True)
    os._exit(3)

def page(event, context):
    return {"statusCode": 201, "headers": {"x-path": event["rawPath"]}, "body": event["rawQueryString"]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(CODE)
    return tmp_path


def test_the_example_of_the_page_runs(engine: Engine, miniature: str, tmp_path: Path) -> None:
    function, test = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    reference = "runtimebuilder-tests/my-image:latest"
    test_file = tmp_path / "test_greeting.py"
    assert test.count('"my-image:latest"') == 1
    test_file.write_text(test.replace("my-image:latest", reference), encoding="utf-8")
    with Run(engine) as run:
        engine.tag(put_layer(run, miniature, [LayerFile("/var/task/app.py", function.encode())]), reference)
        # With the reaper: it has to play no part.
        env = {**os.environ, "TESTCONTAINERS_RYUK_DISABLED": "false"}
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-W",
            "error",
            str(test_file),
        ]
        done = subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=120
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_a_function_has_lambdas_limits_and_stays_warm(miniature: str, folder: Path) -> None:
    container = LambdaContainer(miniature, handler="app.limits", code=folder, timeout=30, memory_mb=192)
    with container.with_copy_into_container(b"an asset", "/var/task/asset") as function:
        first, second = function.invoke({}), function.invoke({})
        assert first.error is None
        assert first.json() == {
            "uid": 993,
            "writes": False,
            "files": 1024,
            "capabilities": 0,
            "memory": "192",
            "tmp": 1,
            "asset": "an asset",
        }
        assert second.json()["tmp"] == 2
        assert function.exec(["cat", "/tmp/kept"]).output == b"xx"
        assert function.get_wrapped_container().id == function.box.container.id


def test_what_goes_wrong_is_told_and_the_function_goes_on(miniature: str, folder: Path) -> None:
    with LambdaContainer(miniature, code=folder, timeout=30).with_command("app.waits") as function:
        late = function.invoke(60, timeout=0.5)
        assert (late.kind, late.error and late.error.type) == ("timeout", "Sandbox.Timedout")
        assert function.invoke(0).json() == "done"
    with LambdaContainer(miniature, handler="app.ends", code=folder, timeout=30) as function:
        gone = function.invoke()
        assert gone.kind == "exit"
        assert gone.error is not None
        assert gone.error.message.endswith("Runtime exited with error: exit status 3")
        assert function.invoke().kind == "exit"
    assert gone.logs == "going\n"


def test_a_web_request(miniature: str, folder: Path) -> None:
    with LambdaContainer(miniature, handler="app.page", code=folder, timeout=30) as function:
        answer = function.request("GET /orders?page=2")
    assert (answer.status, dict(answer.headers)["x-path"], answer.body) == (201, "/orders", b"page=2")


@pytest.fixture
def nothing_left(engine: Engine) -> Iterator[None]:
    def runs() -> set[str]:
        found = set()
        for container, _ in containers_with_label(engine, LABEL):
            try:
                found.add(str(container.inspect()["Config"]["Labels"][LABEL]))
            except EngineError:  # of somebody else's run, gone meanwhile
                continue
        return {label for label in found if label.startswith(f"{os.getpid()}-")}

    before = runs()  # of the run that the tests share
    yield
    assert runs() <= before


@pytest.mark.usefixtures("nothing_left")
def test_what_lambda_has_not_is_refused(miniature: str) -> None:
    for container, told in (
        (LambdaContainer(miniature).with_exposed_ports(8080), "no ports"),
        (LambdaContainer(miniature).with_volume_mapping("/srv", "/srv"), "no volumes"),
        (LambdaContainer(miniature).with_kwargs(privileged=True), "no options of the engine's"),
        (LambdaContainer(miniature).with_tmpfs_mount("/data"), "no other writable places"),
    ):
        with pytest.raises(ValueError, match=told), container:
            pass


@pytest.mark.usefixtures("nothing_left")
def test_a_missing_image_is_told() -> None:
    with (
        pytest.raises(EnvironmentProblemError, match="pull"),
        LambdaContainer("registry.invalid/nobody/has-this:1"),
    ):
        pass
