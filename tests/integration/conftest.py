"""Real engine, real images. No engine is an error here, never a skip: `make test` starts one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from runtimebuilder.build.execute import BuiltImage, FailedBuild
from runtimebuilder.build.run import BuildOptions, plan_builds, run_plan
from runtimebuilder.engine.bases import make_present
from runtimebuilder.engine.builder import BuildEvent
from runtimebuilder.engine.docker import Engine
from runtimebuilder.spec.catalog import Catalog
from tests.integration import newer_engine as newer_engine_module

ROOT = Path(__file__).resolve().parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in here needs an engine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("engine")


class Quiet:
    """Progress that nobody reads."""

    def build_started(self, steps: object) -> None: ...
    def event(self, step: object, event: BuildEvent) -> None: ...
    def step_finished(self, result: object) -> None: ...


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The engine that `make test` found or started."""
    engine = Engine.connect()
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """What is shipped, whatever folder the tests run in."""
    return Catalog.load([ROOT / "runtimes"])


@pytest.fixture(scope="session")
def debian12_image(engine: Engine, catalog: Catalog) -> str:
    """The debian-12 base, made here when it is not there yet."""
    return make_present(engine, catalog.base("debian-12"), (), print).reference


@pytest.fixture(scope="session")
def debian13_image(engine: Engine, catalog: Catalog) -> str:
    """The debian-13 base, made here when it is not there yet."""
    return make_present(engine, catalog.base("debian-13"), (), print).reference


@pytest.fixture(scope="session")
def built(engine: Engine, catalog: Catalog) -> Callable[..., BuiltImage]:
    """`built("php-82", base="debian-12")`: the image, built now or unchanged since another test built it."""

    def build(name: str, **options: object) -> BuiltImage:
        wanted = BuildOptions(**options)  # type: ignore[arg-type] # test convenience
        plan = plan_builds(engine, catalog, catalog.select([name]), wanted, print)
        (result,) = run_plan(engine, plan, wanted, Quiet(), print)
        if isinstance(result, FailedBuild):
            pytest.fail(f"{result.error.message}\n{result.error.detail}")
        return result

    return build


@pytest.fixture(scope="session")
def cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    """`cli("list", "--json")`: the installed command, run as a person runs it."""
    command = Path(sys.executable).parent / "runtimebuilder"

    def run(
        *arguments: str, env: Mapping[str, str] | None = None, cwd: Path = ROOT, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *arguments],
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def buildx_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DOCKER_CONFIG in which the docker CLI finds buildx: the machine's own, or one unpacked for the tests."""
    probe = subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False)
    if probe.returncode == 0:
        return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    folder = tmp_path_factory.mktemp("docker-config")
    subprocess.run([ROOT / ".ci" / "buildx.sh", folder], check=True)
    return folder


@pytest.fixture(scope="session")
def newer_engine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the second engine is."""
    return tmp_path_factory.mktemp("newer")


@pytest.fixture(scope="session")
def newer_engine(newer_engine_folder: Path) -> Iterator[str]:
    """The address of a second engine, of another version, with containerd's image store."""
    with newer_engine_module.running(newer_engine_folder) as address:
        yield address
