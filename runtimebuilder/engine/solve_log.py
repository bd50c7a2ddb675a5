"""BuildKit's plain progress, read line by line: which target's step runs, what it prints, which one failed.

One solve builds many targets at once, so its lines are interleaved, each with the number of the step that it belongs
to. A step that several targets share is run once and shown under one of their names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from runtimebuilder.engine.builder import Listener, StepLog, failure
from runtimebuilder.errors import UserError

# "#7 [php-82 stage-1 2/5] RUN ..." begins a step, "#7 0.512 text" is output, "#7 ERROR: ..." its end. With a single
# target there is no target's name, and a step of the builder's own says "internal" where others have their number.
_VERTEX = re.compile(r"#(?P<id>\d+) \[(?P<where>[^\]]+)\] (?P<text>.+)")
_OUTPUT = re.compile(r"#(?P<id>\d+) \d+\.\d+ (?P<text>.*)")
_ERROR = re.compile(r"#(?P<id>\d+) ERROR: (?P<text>.+)")
_LAST = re.compile(r"ERROR: (?:target (?P<target>[\w-]+): )?(?P<text>.+)")
_NUMBER = re.compile(r"(\d+)/(\d+)\Z")
# How a step ends that was stopped because another one had failed.
_STOPPED = re.compile(r"context cancel+ed|CANCEL+ED", re.IGNORECASE)


class SolveLog:
    """Follows one solve of `targets`; `listener` gets what happens under the target's name."""

    def __init__(self, targets: Sequence[str], listener: Listener) -> None:
        self._targets = tuple(targets)
        self._listener = listener
        self._logs: dict[str, StepLog] = {}
        self._owner: dict[str, str] = {}  # number of a step → target
        self.errors: dict[str, UserError] = {}  # by target
        self.unplaced: str | None = None  # an error of no step: what buildx said last
        self.begun = False

    def read(self, line: str) -> None:
        """One line of the builder's output."""
        if vertex := _VERTEX.match(line):
            self._started(vertex["id"], vertex["where"], vertex["text"])
        elif error := _ERROR.match(line):
            self._failed(error["id"], error["text"])
        elif (output := _OUTPUT.match(line)) and output["id"] in self._logs:
            self._logs[output["id"]].printed(output["text"])
        elif last := _LAST.match(line):
            self.unplaced = last["text"]
            target = last["target"]
            if target in self._targets and target not in self.errors and not _STOPPED.search(last["text"]):
                self.errors[target] = failure(last["text"], None, ())

    def _started(self, number: str, where: str, text: str) -> None:
        words = where.split()
        target = self._targets[0] if len(self._targets) == 1 else None
        if target is None and words[0] in self._targets:
            target = words.pop(0)
        if target is None:
            return
        self._owner[number] = target
        place = _NUMBER.match(words[-1]) if words else None
        if place is None or number in self._logs:
            return
        self.begun = True
        log = self._logs[number] = StepLog(partial(self._listener, target))
        log.started(int(place[1]), int(place[2]), text)

    def _failed(self, number: str, reason: str) -> None:
        target = self._owner.get(number)
        if target is None or target in self.errors or _STOPPED.search(reason):
            return
        log = self._logs.get(number)
        self.errors[target] = log.failure(reason) if log else failure(reason, None, ())
