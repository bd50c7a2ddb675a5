"""A real registry, small images that `build` might have made, and a push of them in this process."""

from __future__ import annotations

import io
import random
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import docker
import pytest

from runtimebuilder.build.plan import KEY_LABEL, PARTS_LABEL
from runtimebuilder.cli import main
from runtimebuilder.engine.docker import Engine
from runtimebuilder.publish.names import parse_place
from runtimebuilder.publish.push import Intended, NotPushed, Pushed, Pusher, PushOptions, PushResult
from runtimebuilder.publish.retry import Retry
from runtimebuilder.publish.session import Session
from runtimebuilder.render.image import LABEL
from runtimebuilder.spec.catalog import Catalog
from tests.integration.registry import Registry

LAYERS, LAYER_SIZE = 3, 150_000  # random bytes, which do not become smaller
SPEC = 'schema: 1\nname: {name}\nextends: php-82\nbase: debian-12\ntags: ["{{{{ version }}}}", "{{{{ date }}}}"]\n'


@pytest.fixture(scope="session")
def docker_client() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def registry(docker_client: docker.DockerClient) -> Iterator[Registry]:
    with Registry(docker_client) as running:
        yield running


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two small runtimes: pub-one, pub-two."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "runtimes").mkdir()
    for name in ("pub-one", "pub-two"):
        (folder / "runtimes" / f"{name}.yaml").write_text(SPEC.format(name=name))
    return folder


@pytest.fixture(scope="session")
def small_catalog(project: Path) -> Catalog:
    root = Path(__file__).resolve().parents[3]
    return Catalog.load([project / "runtimes", root / "runtimes"])


Maker = Callable[..., str]


@pytest.fixture(scope="session")
def make_image(engine: Engine, docker_client: docker.DockerClient) -> Iterator[Maker]:
    """`make_image("pub-one", seed=1)`: a FROM scratch image under the name that `build` would give it; its id."""
    made: set[str] = set()

    def make(name: str, *, seed: int, layers: int = LAYERS, parts: str = "", arm64: bool = False) -> str:
        labels = {f"{LABEL}.runtime": name, f"{LABEL}.base": "debian-12", KEY_LABEL: str(seed)}
        if parts:
            labels[PARTS_LABEL] = parts
        # Labels last: two images of one seed share their layers, which come from the builder's cache.
        lines = [
            "FROM scratch",
            *(f"COPY layer-{number} /var/task/layer-{number}" for number in range(layers)),
            *(f"LABEL {key}={value}" for key, value in labels.items()),
        ]
        noise = random.Random(seed)  # noqa: S311 -- the same bytes every time
        files = {"Dockerfile": "\n".join(lines).encode()}
        files |= {f"layer-{number}": noise.randbytes(LAYER_SIZE) for number in range(layers)}
        reference = f"{name}:debian-12" + ("-arm64" if arm64 else "")
        for event in docker_client.api.build(
            fileobj=_tar(files),
            custom_context=True,
            tag=reference,
            rm=True,
            forcerm=True,
            decode=True,
            platform="linux/arm64" if arm64 else None,
        ):
            assert "error" not in event, event
        made.add(reference)
        image = engine.image(reference)
        assert image is not None
        return image.id

    yield make
    for reference in sorted(made):
        engine.remove_image(reference, force=True)


def _tar(files: dict[str, bytes]) -> io.BytesIO:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    written.seek(0)
    return written


class Cli(Protocol):
    """`cli("push", "pub-one")`, as the session's fixture of that name, without a process: these tests are many."""

    def __call__(
        self, *arguments: str, cwd: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The console script's function, run in this process."""

    def run(
        *arguments: str, cwd: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        with monkeypatch.context() as patched:
            patched.chdir(cwd)
            patched.delenv("GITHUB_OUTPUT", raising=False)
            patched.setattr("sys.argv", ["runtimebuilder", *arguments])
            for name, value in (env or {}).items():
                patched.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main.run()
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return subprocess.CompletedProcess(arguments, int(str(ended.value.code)), said.out, said.err)

    return run


@dataclass
class Push:
    """A push in this process: no process to start, and nothing to wait for between two attempts."""

    engine: Engine
    catalog: Catalog
    said: list[str] = field(default_factory=list)

    def __call__(
        self, host: str, *names: str, attempts: int = 5, tags: Sequence[str] = ("7",), **options: object
    ) -> list[PushResult]:
        """Push to `host` ("127.0.0.1:PORT", or with a prefix); every result."""
        self.said.clear()
        wanted = PushOptions(place=parse_place(host), patterns=tuple(tags), **options)  # type: ignore[arg-type]
        retry = Retry(attempts, self.said.append, sleep=lambda _: None)
        with Session(retry) as session:
            pusher = Pusher(self.engine, self.catalog, session, wanted, self._say)
            return list(pusher.push(self.catalog.select(list(names or ("pub-one",)))))

    def _say(self, line: str) -> None:
        if "exporting and compressing" not in line:  # which is of no interest here
            self.said.append(line)

    def intend(self, host: str, name: str = "pub-one", tags: Sequence[str] = ("7",)) -> tuple[Intended, ...]:
        """What a push would do, tag by tag."""
        with Session(Retry()) as session:
            options = PushOptions(parse_place(host), tuple(tags))
            pusher = Pusher(self.engine, self.catalog, session, options, self.said.append)
            return pusher.intend(self.catalog.runtimes[name])

    def good(self, host: str, *names: str, **options: object) -> Pushed:
        """The one result, which has to be good."""
        (result,) = self(host, *names, **options)  # type: ignore[arg-type]
        if isinstance(result, NotPushed):
            pytest.fail(f"{result.error.message}\n{result.error.detail}\n{result.error.hint}")
        return result

    def bad(self, host: str, *names: str, **options: object) -> NotPushed:
        """The one result, which has to be a failure."""
        (result,) = self(host, *names, **options)  # type: ignore[arg-type]
        assert isinstance(result, NotPushed), f"pushed as {result.reference}"
        return result


@pytest.fixture
def push(engine: Engine, small_catalog: Catalog) -> Push:
    return Push(engine, small_catalog)
