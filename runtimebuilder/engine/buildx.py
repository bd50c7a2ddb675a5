"""BuildKit through the docker CLI: the builder to use wherever there is one.

The SDK speaks to the classic builder only (docker-py issue 2230), so this is a process. Attestations are off: they
turn a one-platform image into an index, which Lambda refuses (buildx issue 1533).
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from runtimebuilder.engine import process
from runtimebuilder.engine.builder import BuildRequest, Listener, StepLog, failure
from runtimebuilder.errors import EnvironmentProblemError

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


# "#7 [2/5] RUN ..." or "#7 [stage-1 2/5] RUN ..." begins a step; "#7 0.512 text" is output; "#7 ERROR: ..." its end.
_STEP = re.compile(r"#(?P<id>\d+) \[(?:[\w.-]+ )?(?P<number>\d+)/(?P<total>\d+)\] (?P<text>.+)")
_OUTPUT = re.compile(r"#\d+ \d+\.\d+ (?P<text>.*)")
_ERROR = re.compile(r"(?:#\d+ )?ERROR: (?P<text>.+)")
_SAME_ENGINE = (
    "the docker CLI and buildx must reach the same engine as the SDK: check DOCKER_HOST and `docker context`"
)


def _arguments(request: BuildRequest) -> list[str]:
    arguments = ["build", "--progress=plain", "--provenance=false", "--sbom=false", "--load"]
    if request.platform:
        arguments += ["--platform", request.platform]
    if request.no_cache:
        arguments.append("--no-cache")
    for secret in request.secrets:  # where their values are; never the values
        arguments += ["--secret", str(secret)]
    for name, value in sorted(request.labels.items()):
        arguments += ["--label", f"{name}={value}"]
    return arguments


class BuildxBuilder:
    """`docker buildx build`, plain progress read line by line, context through standard input."""

    warning: str | None = None

    def __init__(self, command: Sequence[str], version: str) -> None:
        self._command = tuple(command)
        self.name = f"buildx {version}"

    def build(self, request: BuildRequest, listener: Listener) -> str:
        """See `Builder.build`."""
        log = StepLog(listener)
        errors: list[str] = []
        seen: set[str] = set()

        def read(line: str) -> None:
            if step := _STEP.match(line):
                if step["id"] not in seen:
                    seen.add(step["id"])
                    log.started(int(step["number"]), int(step["total"]), step["text"])
            elif output := _OUTPUT.match(line):
                log.printed(output["text"])
            elif error := _ERROR.match(line):
                errors.append(error["text"])

        with tempfile.TemporaryDirectory(prefix="runtimebuilder-") as folder:
            iidfile = Path(folder) / "iid"
            command = [*self._command, *_arguments(request), "--iidfile", str(iidfile), "-"]
            # buildx makes a build argument of it.
            env = (
                {**os.environ, "SOURCE_DATE_EPOCH": str(request.epoch)} if request.epoch is not None else None
            )
            finished = process.run(command, stdin=request.context.tar(), env=env, on_line=read)
            if finished.code == 0 and iidfile.is_file():
                return iidfile.read_text().strip()
        reason = errors[-1] if errors else f"buildx ended with code {finished.code}"
        if log.step is None and not errors:
            raise EnvironmentProblemError(
                f"buildx could not start the build: {finished.output.strip()[-300:]}", hint=_SAME_ENGINE
            )
        if log.step is None:
            raise failure(reason, None, finished.output.splitlines()[-20:])
        raise log.failure(reason)
