"""A managed environment as cases about concurrency see it: workers, each with a GET next of its own."""

from __future__ import annotations

import time
from collections.abc import Iterable

from runtimebuilder.conformance.case import Need
from runtimebuilder.conformance.environment import ANSWER_LIMIT, Environment
from runtimebuilder.conformance.expectation import require
from runtimebuilder.conformance.features import Features
from runtimebuilder.emulator.exchange import Exchange, Route

WORKERS = 8
"""Events that a managed environment is opened for."""

_SECOND_NEXT = 1.0  # seconds after the first GET next in which a second one shows, or longer
_SETTLED = 1.0  # seconds in which the rest of them shows


class Workers:
    """`environment` with at least two GET next waiting. Opened by the fixture of this name, or by `found`."""

    def __init__(self, environment: Environment, count: int) -> None:
        self.environment = environment
        self.count = count
        """How many GET next waited when the case began."""

    @classmethod
    def found(cls, environment: Environment, features: Features, *, limit: int = WORKERS) -> Workers:
        """Wait for the workers; the case is unsupported where the runtime takes one event at a time."""
        begun = time.monotonic()
        environment.ready()
        # Workers may start one after the other: a runtime that is slow with one is slow with the next.
        patience = max(_SECOND_NEXT, time.monotonic() - begun)
        if features.declares(Need.CONCURRENCY):
            patience = max(patience, ANSWER_LIMIT)
        if not environment.wait_for(lambda found: len(waiting(found)) > 1, patience):
            features.is_missing(
                Need.CONCURRENCY,
                expected=f"up to {limit} GET next at once, as AWS_LAMBDA_MAX_CONCURRENCY says",
                seen="one GET next at a time in a managed environment",
            )
        environment.wait_for(lambda found: len(waiting(found)) >= limit, _SETTLED)
        return cls(environment, len(waiting(environment.exchanges(Route.NEXT))))

    def require_waiting(self, count: int, *, when: str, within: float = ANSWER_LIMIT) -> None:
        """Require that so many GET next wait, or more."""
        came = self.environment.wait_for(lambda found: len(waiting(found)) >= count, within)
        seen = "" if self.environment.box.is_running() else "; the process ended"
        require(
            came,
            expected=f"{count} GET next waiting within {within:g} s of {when}",
            seen=f"{len(waiting(self.environment.exchanges(Route.NEXT)))}{seen}",
        )


def waiting(found: Iterable[Exchange]) -> list[Exchange]:
    """The GET next that wait for an event."""
    return [
        one
        for one in found
        if one.route is Route.NEXT
        and one.received is not None
        and one.answered is None
        and one.peer_closed is None
        and one.closed is None
    ]
