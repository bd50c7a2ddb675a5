"""Boxes with a runtime of thirty lines in them, whose events are Perl."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from runtimebuilder.engine.docker import Engine
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.layer import LayerFile, put_layer
from runtimebuilder.sandbox.run import Run, sweep

BOOTSTRAP = (Path(__file__).parent / "mini-runtime.pl").read_bytes()


@pytest.fixture(scope="session")
def run(engine: Engine) -> Iterator[Run]:
    with Run(engine) as run:
        yield run
    assert sweep(engine, run.id) == 0, "the run left something behind"


@pytest.fixture(scope="session")
def image(run: Run, debian12_image: str) -> str:
    """The debian-12 base with the mini runtime as its bootstrap."""
    return put_layer(run, debian12_image, [LayerFile("/var/runtime/bootstrap", BOOTSTRAP, 0o755)])


@pytest.fixture
def new_box(run: Run, image: str) -> Iterator[Callable[..., Box]]:
    """`new_box(limits=...)`: an open box of the mini runtime, not started, closed with the test."""
    with ExitStack() as stack:

        def make(subject: str = image, handler: str = "any", **options: object) -> Box:
            return stack.enter_context(Box(run, subject, handler=handler, **options))  # type: ignore[arg-type] # test convenience

        yield make


@pytest.fixture(scope="session")
def ask(run: Run, image: str) -> Iterator[Callable[[str], str]]:
    """`ask("2 + 3")`: what Perl says in a box that all tests share, for those that only look."""
    with Box(run, image, handler="index.php") as box:
        box.start()

        def evaluate(code: str) -> str:
            result = box.invoke(code, timeout=20)
            assert result.kind == "response", f"{code}: {result.kind} {result.body!r}\n{box.logs()}"
            return result.body.decode().strip()

        yield evaluate
