"""What a run has learned of the runtime so far: how long to wait for it, and when nothing more can be learned."""

from __future__ import annotations

NOT_REACHED = "not reached"
"""How the reason begins of a case that is left out because the runtime does not work at all."""


class Patience:
    """A runtime that never asks for an event or never answers one shall not cost every case its time limits.

    Only the probe's good handler teaches: what ends or hangs with a broken one says nothing.
    """

    FULL = 10.0  # seconds: the service's limit for the Init phase
    SHORT = 3.0  # seconds, for a runtime that has let this pass before
    FAILURES = 2  # starts in a row without GET next, then the wait is short
    ENOUGH = 3  # starts, or events, without a single success: the rest is not tried

    def __init__(self) -> None:
        self._in_a_row = 0
        self._refused = 0
        self._unready = 0
        self._was_ready = False
        self._unanswered = 0
        self._has_answered = False

    @property
    def seconds(self) -> float:
        """The limit for the next start."""
        return self.FULL if self._in_a_row < self.FAILURES else self.SHORT

    @property
    def hopeless(self) -> str | None:
        """Why no case that needs a working runtime can pass, or None while one may."""
        if self._was_ready:
            never = not self._has_answered and self._unanswered >= self.ENOUGH
            return "the runtime never answered an event" if never else None
        if self._refused >= self.ENOUGH:
            return "the image could not be started"
        return "the runtime never asked for an event" if self._unready >= self.ENOUGH else None

    def learn_refused(self) -> None:
        """The image has nothing that the engine can start."""
        self._refused += 1

    def learn_start(self, *, ready: bool) -> None:
        """Take note of whether a start of the probe's good handler came to GET next."""
        self._in_a_row = 0 if ready else self._in_a_row + 1
        self._unready += not ready
        self._was_ready = self._was_ready or ready

    def learn_answer(self, *, came: bool) -> None:
        """Take note of whether the runtime posted anything for an event: a response or an error."""
        self._unanswered += not came
        self._has_answered = self._has_answered or came
