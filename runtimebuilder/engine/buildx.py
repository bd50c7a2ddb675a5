"""BuildKit through the docker CLI: the builder to use wherever there is one.

The SDK speaks to the classic builder only (docker-py issue 2230), so this is a process. All images of a plan are one
solve (`buildx bake`), in which steps that they share run once.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtimebuilder.engine import process
from runtimebuilder.engine.bake import BakeTarget, bake_file, target_names
from runtimebuilder.engine.builder import BuildRequest, Listener, Outcome, failure
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.oci_layout import write_layout
from runtimebuilder.engine.solve_log import SolveLog
from runtimebuilder.errors import EnvironmentProblemError, UserError

# Where distributions and Docker's own packages put the plug-in; it also runs by itself, without the docker CLI.
_PLUGIN_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
_VERSION = re.compile(r"\bv?(\d+)\.(\d+)\.(\d+)")
# --provenance and --sbom came with 0.10; without them an image could not be kept free of attestations.
OLDEST = (0, 10, 0)


def find() -> tuple[tuple[str, ...], str] | None:
    """The command that runs buildx and its version; None when there is none that is new enough.

    A docker CLI may stand in PATH without the plug-in, so each candidate is asked.
    """
    config = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    plugins = [config / "cli-plugins", *map(Path, _PLUGIN_FOLDERS)]
    candidates: list[tuple[str, ...]] = [(docker, "buildx")] if (docker := shutil.which("docker")) else []
    # os.path, not pathlib, which raises for a folder that may not be looked into: under sudo HOME may be such.
    candidates += [
        (str(folder / "docker-buildx"),)
        for folder in plugins
        if os.path.isfile(folder / "docker-buildx")  # noqa: PTH113 - see above
    ]
    for command in candidates:
        try:
            answer = process.run([*command, "version"], timeout=20)
        except OSError:
            continue
        match = _VERSION.search(answer.output)
        if answer.code == 0 and match and tuple(map(int, match.groups())) >= OLDEST:
            return command, ".".join(match.groups())
    return None


@dataclass(frozen=True)
class NamedBuilder:
    """One of buildx's builders: a BuildKit elsewhere, or the one in another engine (driver "docker")."""

    name: str
    driver: str

    @property
    def arguments(self) -> tuple[str, ...]:
        """What selects it on buildx's command line."""
        return () if self.driver == _IN_ENGINE else ("--builder", self.name)

    def environment(self, of: Mapping[str, str]) -> dict[str, str]:
        """The variables `of`, changed so that they select it: an engine's own builder goes by its docker context."""
        if self.driver != _IN_ENGINE:
            return dict(of)
        return {**{key: of[key] for key in of if key != "DOCKER_HOST"}, "DOCKER_CONTEXT": self.name}


_IN_ENGINE = "docker"
_DRIVER = re.compile(r"^Driver:[ \t]+(\S+)", re.MULTILINE)


def named(command: Sequence[str], name: str) -> NamedBuilder:
    """The builder called `name`. Raises `EnvironmentProblemError` when buildx knows none, or cannot reach it."""
    answer = process.run([*command, "inspect", name], timeout=60)
    driver = _DRIVER.search(answer.output)
    if answer.code or not driver:
        raise EnvironmentProblemError(
            f"buildx has no builder {name!r} that answers",
            hint="`docker buildx ls` lists the builders, `docker buildx create` makes one",
            detail=f"  {answer.output.strip()[-300:]}",
        )
    return NamedBuilder(name, driver[1])


_SAME_ENGINE = (
    "the docker CLI and buildx must reach the same engine as the SDK: check DOCKER_HOST and `docker context`"
)
_LOG_LINES = 20  # of buildx's output, where no step failed
# Bake asks before it reads contexts outside its own folder (buildx 0.19 and newer); these are ours.
_ENVIRONMENT = {"BUILDX_BAKE_ENTITLEMENTS_FS": "0", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}


@dataclass(frozen=True)
class _Solved:
    """What came of one solve: ids and errors by name, or one error that no step can be found for."""

    ids: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, UserError] = field(default_factory=dict)
    unplaced: UserError | None = None


class BuildxBuilder:
    """`docker buildx bake`, plain progress read line by line.

    `remote`: one of buildx's builders, whose images are carried over into `engine`; None: the engine's own BuildKit.
    """

    warning: str | None = None

    def __init__(
        self, command: Sequence[str], version: str, engine: Engine, remote: NamedBuilder | None = None
    ) -> None:
        self._command = tuple(command)
        self._engine = engine
        self._remote = remote
        self.name = f"buildx {version}" + (f", builder {remote.name}" if remote else "")

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is another BuildKit than the engine's own."""
        return self._remote is not None

    def build(
        self,
        requests: Mapping[str, BuildRequest],
        listener: Listener,
        *,
        jobs: int | None = None,
        fail_fast: bool = False,
    ) -> Iterator[Outcome]:
        """See `Builder.build`. A failed image stops BuildKit's whole solve, so the others are solved once more."""
        names = list(requests)
        size = jobs or len(names) or 1
        batches = [names[at : at + size] for at in range(0, len(names), size)]
        while batches:
            batch = batches.pop(0)
            solved = self._solve({name: requests[name] for name in batch}, listener)
            yield from (Outcome(name, solved.ids[name]) for name in batch if name in solved.ids)
            errors = dict(solved.errors)
            left = [name for name in batch if name not in solved.ids and name not in errors]
            if solved.unplaced is not None:
                if len(left) > 1 and not isinstance(solved.unplaced, EnvironmentProblemError):
                    # One of them is to blame: each by itself tells which.
                    batches = [[name] for name in left] + batches
                    continue
                errors.update(dict.fromkeys(left, solved.unplaced))
                left = []
            yield from (Outcome(name, error=errors[name]) for name in batch if name in errors)
            if errors and fail_fast:
                return
            if left:
                batches.insert(0, left)

    def _solve(self, requests: Mapping[str, BuildRequest], listener: Listener) -> _Solved:
        targets = target_names(list(requests))
        names = {target: name for name, target in targets.items()}
        log = SolveLog(list(names), lambda target, event: listener(names[target], event))
        with tempfile.TemporaryDirectory(prefix="runtimebuilder-") as created:
            folder = Path(created)
            bases = self._carried(requests, folder)
            baked = {}
            for name, request in requests.items():
                request.context.write(folder / "contexts" / targets[name])
                output = f"type=docker,dest={folder / targets[name]}.tar" if self._remote else "type=docker"
                baked[targets[name]] = BakeTarget(
                    request,
                    context=str(folder / "contexts" / targets[name]),
                    output=(output,),
                    contexts=bases,
                )
            (folder / "bake.json").write_text(bake_file(baked))
            command = [*self._command, "bake", "--progress=plain", "--file", str(folder / "bake.json")]
            command += ["--metadata-file", str(folder / "metadata.json")]
            env = {**os.environ, **_ENVIRONMENT}
            if self._remote:
                command += self._remote.arguments
                env = self._remote.environment(env)
            finished = process.run(command, env=env, on_line=log.read, tied=True)
            if finished.code == 0:
                return _Solved(ids=self._ids(folder, targets))
        errors = {names[target]: error for target, error in log.errors.items()}
        if errors:
            return _Solved(errors=errors)
        reason = log.unplaced or f"buildx ended with code {finished.code}"
        if not log.begun and log.unplaced is None:
            return _Solved(
                unplaced=EnvironmentProblemError(
                    f"buildx could not start the build: {finished.output.strip()[-300:]}", hint=_SAME_ENGINE
                )
            )
        return _Solved(unplaced=failure(reason, None, finished.output.splitlines()[-_LOG_LINES:]))

    def _carried(self, requests: Mapping[str, BuildRequest], folder: Path) -> Mapping[str, str]:
        """Bases that no registry has, written where a builder elsewhere is given them."""
        if self._remote is None:
            return {}
        local = sorted({request.local_base for request in requests.values() if request.local_base})
        found = {}
        for number, reference in enumerate(local):
            layout = folder / f"base-{number}"
            digest = write_layout(self._engine, reference, layout)
            found[reference] = f"oci-layout://{layout}@{digest}"
        return found

    def _ids(self, folder: Path, targets: Mapping[str, str]) -> Mapping[str, str]:
        if self._remote:
            return {name: self._engine.load(folder / f"{target}.tar") for name, target in targets.items()}
        told = json.loads((folder / "metadata.json").read_text())
        return {name: str(told[target]["containerimage.digest"]) for name, target in targets.items()}
