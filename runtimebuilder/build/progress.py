"""What people see while a plan runs: one living line on a terminal, plain lines where there is none."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from runtimebuilder.build.execute import BuildResult, BuiltImage
from runtimebuilder.build.plan import Reason, Step
from runtimebuilder.engine.builder import BuildEvent, Output, StepStarted

# Characters of a step's text on a plain line: enough to know the step, not a page of package names.
STEP_TEXT = 96


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


class BuildProgress:
    """Follows a plan on `console` (standard error). `verbose` prints every line that a step prints."""

    def __init__(self, console: Console, width: int, *, verbose: bool = False) -> None:
        self._console = console
        self._width = width
        self._verbose = verbose
        self._name = ""
        self._started = 0.0
        self._now: StepStarted | None = None
        self._last = ""
        self._live = Live(console=console, refresh_per_second=8, transient=True, get_renderable=self._line)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def _line(self) -> Text:
        if not self._name:
            return Text("")
        step = f"{self._now.number}/{self._now.total} {self._now.text}" if self._now else "starting"
        elapsed = duration(time.monotonic() - self._started)
        head = f"  {self._name:<{self._width}}  {elapsed:>8}  {step}"
        text = Text(head, no_wrap=True, overflow="ellipsis")
        if self._last:
            text.append(f"\n      {self._last}", style="dim")
        return text

    def step_started(self, step: Step) -> None:
        """A runtime's turn."""
        self._name, self._started, self._now, self._last = step.runtime.name, time.monotonic(), None, ""

    def event(self, step: Step, event: BuildEvent) -> None:
        """The builder said something."""
        if isinstance(event, StepStarted):
            self._now, self._last = event, ""
            if not self._console.is_terminal or self._verbose:
                number = f"{event.number}/{event.total}" if event.number else "-"
                text = (
                    event.text
                    if self._verbose or len(event.text) <= STEP_TEXT
                    else f"{event.text[:STEP_TEXT]} ..."
                )
                self._say(f"  {step.runtime.name:<{self._width}}  step {number}  {text}")
        elif isinstance(event, Output):
            self._last = event.line.strip()
            if self._verbose:
                self._say(f"  {step.runtime.name:<{self._width}}    {self._last}")

    def step_finished(self, result: BuildResult) -> None:
        """A runtime is done, one way or the other."""
        name = f"  {result.step.runtime.name:<{self._width}}"
        took = duration(result.seconds)
        self._name = ""
        if not isinstance(result, BuiltImage):
            self._say(f"{name}  FAILED     {took:>8}")
        elif result.built:
            self._say(f"{name}  built      {took:>8}   {megabytes(result.size):>7}   {result.step.tags[0]}")
        elif result.step.reason is Reason.UNCHANGED:
            self._say(f"{name}  unchanged  {took:>8}   {megabytes(result.size):>7}   {result.step.tags[0]}")

    def _say(self, line: str) -> None:
        # Text, not markup: build output may hold square brackets. One line each, cut at the terminal's width there.
        self._console.print(
            Text(line),
            overflow="ellipsis" if self._console.is_terminal else "ignore",
            no_wrap=True,
            crop=self._console.is_terminal,
        )
