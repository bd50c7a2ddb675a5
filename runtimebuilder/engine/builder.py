"""What every builder can do: turn a build context into an image, telling what happens as it happens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runtimebuilder.errors import EnvironmentProblemError, SubjectFailedError, UserError
from runtimebuilder.render.context import BuildContext


@dataclass(frozen=True)
class SecretSource:
    """Where the value of secret `name` comes from: a file or a variable of this process; never the value itself."""

    name: str
    file: Path | None = None
    variable: str | None = None

    def __str__(self) -> str:
        """As buildx takes it."""
        return f"id={self.name},src={self.file}" if self.file else f"id={self.name},env={self.variable}"


@dataclass(frozen=True)
class BuildRequest:
    """One image to build. The result has no name: whoever asked for it gives it one once it is good."""

    context: BuildContext
    labels: Mapping[str, str] = field(default_factory=dict)
    platform: str | None = None  # "linux/arm64"; None: the engine's own
    no_cache: bool = False
    secrets: tuple[SecretSource, ...] = ()
    epoch: int | None = None  # SOURCE_DATE_EPOCH, seconds: the time that the image says it was made
    local_base: str | None = None  # behind FROM, when the engine alone has it and no registry
    cache_from: tuple[str, ...] = ()  # as buildx takes them: `type=registry,ref=...`
    cache_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of one request: the image's id, or why there is none."""

    name: str
    image_id: str | None = None
    error: UserError | None = None


@dataclass(frozen=True)
class StepStarted:
    """A Dockerfile step began: `number` of `total` (0 when the builder does not say), and its text on one line."""

    number: int
    total: int
    text: str


@dataclass(frozen=True)
class Output:
    """A line that a step printed."""

    line: str


BuildEvent = StepStarted | Output
# Told the request's name and what happened. Steps that several requests share are told once, for one of them.
Listener = Callable[[str, BuildEvent], None]


class Builder(Protocol):
    """Buildx or the classic builder."""

    name: str
    warning: str | None  # what is lost with this one, for people; None when nothing is

    def build(
        self,
        requests: Mapping[str, BuildRequest],
        listener: Listener,
        *,
        jobs: int | None = None,
        fail_fast: bool = False,
    ) -> Iterator[Outcome]:
        """Build every request, by name; an outcome for each as it comes.

        Errors are among them: `BuildFailedError` (exit 1), `EnvironmentProblemError` (4). At most `jobs` images at a
        time where the builder can do several. With `fail_fast` nothing is begun after the first error: what has no
        outcome was not built.
        """


class BuildFailedError(SubjectFailedError):
    """A step failed: which one, and the last lines that it printed."""


class StepLog:
    """Remembers the running step and its output, for the message when it fails."""

    KEEP = 40

    def __init__(self, listener: Callable[[BuildEvent], None]) -> None:
        self._listener = listener
        self.step: StepStarted | None = None
        self._lines: list[str] = []
        self._begun = ""  # a line whose end has not come

    def started(self, number: int, total: int, text: str) -> None:
        """A step began."""
        self._end_line()
        self.step = StepStarted(number, total, " ".join(text.split()))
        self._lines.clear()
        self._listener(self.step)

    def printed(self, text: str) -> None:
        """The step printed `text` (one or more lines)."""
        for line in _ESCAPE.sub("", text).splitlines():
            if line.strip():
                self._lines.append(line.rstrip())
                del self._lines[: -self.KEEP]
                self._listener(Output(line.rstrip()))

    def streamed(self, text: str) -> None:
        """The step printed `text`: any piece of its output, which may begin and end within a line."""
        whole, newline, rest = (self._begun + text).rpartition("\n")
        self._begun = rest
        if newline:
            self.printed(whole)

    def _end_line(self) -> None:
        begun, self._begun = self._begun, ""
        self.printed(begun)

    def failure(self, reason: str) -> UserError:
        """The error to raise: names the step, shows its last lines, and tells a full disk from a broken build."""
        self._end_line()
        return failure(reason, self.step, self._lines)


# Colours and cursor movements of the programs in a step, and whatever else a terminal would obey.
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])|[\x00-\x08\x0b-\x1f\x7f]")
_EXIT_CODE = re.compile(r"(?:returned a non-zero code|exit code): (\d+)\s*\Z")
_STEP_TEXT = 96  # characters of a step's text in an error: enough to know the step
# The engine was ended, or broke down, while it built: what the SDK, the docker CLI and buildx say then.
_GONE = re.compile(
    r"code = (?:Unavailable|Canceled) desc = .*(?:EOF|closing|refused|reset)|Cannot connect to the Docker daemon"
    r"|Connection aborted|Connection broken|Remote end closed connection",
)
_NO_SPACE = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)


def failure(reason: str, step: StepStarted | None, lines: Sequence[str]) -> UserError:
    """See `StepLog.failure`."""
    everything = "\n".join([*lines, reason])
    detail = "\n".join(f"  {line}" for line in lines[-20:])
    if _NO_SPACE.search(everything):
        return EnvironmentProblemError(
            "the Docker engine's disk is full",
            hint="free some room (`docker system df` shows what uses it, `docker builder prune` empties the cache)",
            detail=detail,
        )
    if _GONE.search(reason):
        return EnvironmentProblemError(
            "the Docker engine went away in the middle of the build",
            hint="see that it runs (`docker info`), and build again: what was done is in its cache",
            detail=f"  {' '.join(reason.split())[-300:]}",
        )
    where = "the build failed"
    if step is not None:
        text = step.text if len(step.text) <= _STEP_TEXT else f"{step.text[:_STEP_TEXT]} ..."
        where = f"step {step.number}/{step.total} failed: {text}" if step.number else f"{where} at: {text}"
    # Both builders repeat the whole command here, folded as it stands in the Dockerfile.
    code = _EXIT_CODE.search(reason)
    told = f"exit code {code[1]}" if code else " ".join(reason.split())
    return BuildFailedError(f"{where} ({told})", detail=detail or None)
