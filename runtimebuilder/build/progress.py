"""What people see while a plan runs: one living line on a terminal, plain lines where there is none."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from runtimebuilder.build.execute import BuildResult, BuiltImage
from runtimebuilder.build.plan import Step
from runtimebuilder.engine.builder import BuildEvent, Output, StepStarted
from runtimebuilder.errors import SpecError

# Characters of a step's text on a plain line: enough to know the step, not a page of package names.
STEP_TEXT = 96
LIVE_LINES = 6  # runtimes that are shown at once on a terminal
MODES = ("auto", "plain", "tty", "json", "quiet")


def megabytes(size: int) -> str:
    """Bytes as decimal megabytes, as docker prints them."""
    return f"{size / 1e6:.0f} MB"


def duration(seconds: float) -> str:
    """Seconds for people: `0.4 s`, `41 s`, `1 min 24 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def megabytes_more(change: int | None) -> str:
    """The change of a size against the build before: ` +1.2`, ` -0.3` MB; nothing when there was none before."""
    if change is None:
        return ""
    tenths = round(change / 1e5)
    return f"{tenths / 10:+.1f}" if tenths else "+0.0"


class BuildProgress:
    """Follows a plan on `console` (standard error): what runs now on a terminal, lines elsewhere.

    `is_live` says which of both; None asks the console. `verbose` prints every line that a step prints.
    """

    def __init__(
        self, console: Console, width: int, *, verbose: bool = False, is_live: bool | None = None
    ) -> None:
        self._console = console
        self._width = width
        self._verbose = verbose
        self._is_live = console.is_terminal if is_live is None else is_live
        self._started = time.monotonic()
        # What runs now, by the runtime's name: its step, and the last line that this printed.
        self._now: dict[str, tuple[StepStarted | None, str]] = {}
        self._live = Live(
            console=console, refresh_per_second=8, transient=True, get_renderable=self._lines_now
        )

    def __enter__(self) -> Self:
        if self._is_live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def _lines_now(self) -> Text:
        lines = []
        elapsed = duration(time.monotonic() - self._started)
        for name, (step, last) in list(self._now.items())[:LIVE_LINES]:
            place = f"{step.number}/{step.total} {step.text}" if step else "waiting"
            text = Text(f"  {name:<{self._width}}  {elapsed:>8}  {place}", no_wrap=True, overflow="ellipsis")
            if last:
                text.append(f"\n      {last}", style="dim")
            lines.append(text)
        if len(self._now) > LIVE_LINES:
            lines.append(Text(f"  and {len(self._now) - LIVE_LINES} more"))
        return Text("\n").join(lines)

    def build_started(self, steps: Sequence[Step]) -> None:
        """These are going to be built."""
        self._started = time.monotonic()
        self._now = {step.runtime.name: (None, "") for step in steps}

    def event(self, step: Step, event: BuildEvent) -> None:
        """The builder said something."""
        name = step.runtime.name
        if isinstance(event, StepStarted):
            self._now[name] = (event, "")
            if not self._is_live or self._verbose:
                number = f"{event.number}/{event.total}" if event.number else "-"
                text = (
                    event.text
                    if self._verbose or len(event.text) <= STEP_TEXT
                    else f"{event.text[:STEP_TEXT]} ..."
                )
                self._say(f"  {name:<{self._width}}  step {number}  {text}")
        elif isinstance(event, Output):
            line = event.line.strip()
            self._now[name] = (self._now.get(name, (None, ""))[0], line)
            if self._verbose:
                self._say(f"  {name:<{self._width}}    {line}")

    def step_finished(self, result: BuildResult) -> None:
        """A runtime is done, one way or the other."""
        name = f"  {result.step.runtime.name:<{self._width}}"
        took = duration(result.seconds)
        self._now.pop(result.step.runtime.name, None)
        if not isinstance(result, BuiltImage):
            self._say(f"{name}  FAILED     {took:>8}")
            return
        what = "built" if result.built else "unchanged"
        size = f"{megabytes(result.size):>7} {megabytes_more(result.change):>6}"
        self._say(f"{name}  {what:<9}  {took:>8}   {size}  {result.step.tags[0]}")

    def _say(self, line: str) -> None:
        # Text, not markup: build output may hold square brackets. One line each, cut at the terminal's width there.
        self._console.print(
            Text(line),
            overflow="ellipsis" if self._is_live else "ignore",
            no_wrap=True,
            crop=self._is_live,
        )


class QuietProgress:
    """Nothing but what failed, which the command itself prints at the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None: ...

    def build_started(self, steps: Sequence[Step]) -> None:
        """Not told."""

    def event(self, step: Step, event: BuildEvent) -> None:
        """Not told."""

    def step_finished(self, result: BuildResult) -> None:
        """Not told."""


class JsonProgress(QuietProgress):
    """One JSON document a line on `stream`: `{"event": "step", "runtime": ..., "seconds": ...}` and the like."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._started = time.monotonic()

    def build_started(self, steps: Sequence[Step]) -> None:
        """`started`, for each runtime that is going to be built."""
        for step in steps:
            self._print("started", step, reason=step.reason.value)

    def event(self, step: Step, event: BuildEvent) -> None:
        """`step` or `output`."""
        if isinstance(event, StepStarted):
            self._print("step", step, number=event.number, total=event.total, text=event.text)
        else:
            self._print("output", step, line=event.line)

    def step_finished(self, result: BuildResult) -> None:
        """`built`, `unchanged` or `failed`."""
        if isinstance(result, BuiltImage):
            what = "built" if result.built else "unchanged"
            self._print(what, result.step, id=result.image_id, size=result.size, size_change=result.change)
        else:
            self._print("failed", result.step, error=result.error.message)

    def _print(self, event: str, step: Step, **more: object) -> None:
        seconds = round(time.monotonic() - self._started, 3)
        row = {"event": event, "runtime": step.runtime.name, "tag": step.tags[0], "seconds": seconds, **more}
        self._stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        self._stream.flush()


def make_progress(
    mode: str, console: Console, stream: TextIO, width: int, *, verbose: bool
) -> BuildProgress | QuietProgress:
    """The progress for `--progress MODE`. Raises `SpecError` (exit 2) for another word than those of `MODES`."""
    if mode == "json":
        return JsonProgress(stream)
    if mode == "quiet":
        return QuietProgress()
    if mode in MODES:
        live = {"plain": False, "tty": True}.get(mode)
        return BuildProgress(console, width, verbose=verbose, is_live=live)
    raise SpecError(f"--progress {mode!r} is not one of {', '.join(MODES)}")
