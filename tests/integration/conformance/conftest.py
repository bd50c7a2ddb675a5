"""The miniature runtime as an image, and ways to judge it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from runtimebuilder.conformance.report.result import Report
from runtimebuilder.conformance.run import VerifyOptions, verify
from runtimebuilder.engine.docker import Engine
from runtimebuilder.sandbox.limits import Limits
from runtimebuilder.sandbox.run import Run
from tests.integration.conformance.images import build_image

MINIATURES = Path(__file__).resolve().parents[2] / "miniatures"

# One step fetches Python, once for all images that begin with these lines.
PYTHON = """\
FROM {base}
RUN apt-get update -q && apt-get install -y -q --no-install-recommends python3 \\
 && rm -rf /var/lib/apt/lists/* /var/cache/apt
"""

DOCKERFILE = f"""\
{PYTHON}\
COPY *.py bootstrap /var/runtime/
RUN mkdir -p /usr/local/bin && cp /var/runtime/rie.py /usr/local/bin/aws-lambda-rie \\
 && chmod 0755 /usr/local/bin/aws-lambda-rie
LABEL dev.runtimebuilder.probe=python-streaming dev.runtimebuilder.features=snapstart,concurrency
"""

Judge = Callable[..., Report]


@pytest.fixture(scope="session")
def miniature(engine: Engine, debian12_image: str) -> str:
    """The unbroken miniature: Python and one bootstrap on the debian-12 base. Steps are cached by the engine."""
    return build(engine, "miniature", DOCKERFILE.format(base=debian12_image))


@pytest.fixture(scope="session")
def shared_run(engine: Engine) -> Iterator[Run]:
    """One run for many verdicts: the image with the probe is made once, and holders are in stock."""
    with Run(engine) as run:
        run.make_ahead(Limits().tmp_mb, "auto", 3, reuse=True)
        yield run


@pytest.fixture
def judge(engine: Engine, shared_run: Run) -> Judge:
    """`judge(image, "RT-060", env={...})`: the report of a run of these cases."""

    def run(image: str, *cases: str, env: Mapping[str, str] | None = None, **options: object) -> Report:
        wanted = VerifyOptions(cases=cases, env=env or {}, **options)  # type: ignore[arg-type] # test convenience
        return verify(engine, image, wanted, run=shared_run)

    return run


@pytest.fixture(scope="session")
def variant(engine: Engine, miniature: str) -> Iterator[Callable[[str], str]]:
    """`variant("VOLUME /var/data")`: the miniature with more Dockerfile lines, removed at the end."""
    made: dict[str, str] = {}

    def make(lines: str) -> str:
        if lines not in made:
            name = "miniature-" + hashlib.sha256(lines.encode()).hexdigest()[:8]
            made[lines] = build(engine, name, f"FROM {miniature}\n{lines}\n")
        return made[lines]

    yield make
    for reference in made.values():
        engine.remove_image(reference, force=True)


def build(engine: Engine, name: str, dockerfile: str) -> str:
    """Build with the miniature's modules beside the Dockerfile."""
    modules = {
        module.name: module.read_bytes()
        for module in sorted(MINIATURES.glob("*.py"))
        if module.stem not in ("__init__", "bootstrap")
    }
    files = {"bootstrap": (MINIATURES / "bootstrap.py").read_bytes(), **modules}
    return build_image(engine, name, dockerfile, files)
