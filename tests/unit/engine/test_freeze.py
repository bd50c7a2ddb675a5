"""Freezing a container on a busy machine: the engine may give up, and is asked again."""

from __future__ import annotations

from types import SimpleNamespace

import docker.errors
import pytest

from runtimebuilder.engine.containers import Container
from runtimebuilder.engine.docker import EngineError

GAVE_UP = "Cannot pause container 6457: OCI runtime pause failed: unable to freeze: unknown"


class Api:
    """The one call of the engine's API that counts here: it refuses with these words, one after the other."""

    def __init__(self, *refusals: str) -> None:
        self.refusals = list(refusals)
        self.calls = 0

    def pause(self, _container: str) -> None:
        self.calls += 1
        if self.refusals:
            raise docker.errors.APIError("500 Server Error", explanation=self.refusals.pop(0))


def freeze(api: Api) -> None:
    Container(SimpleNamespace(api=api), "6457", "image").pause()  # type: ignore[arg-type] # all of it that is used


def test_the_engine_is_asked_again_when_it_gave_up() -> None:
    api = Api(GAVE_UP, GAVE_UP)
    freeze(api)
    assert api.calls == 3


@pytest.mark.parametrize(
    ("refusals", "calls"),
    [((GAVE_UP, GAVE_UP, GAVE_UP), 3), (("Container 6457 is not running",), 1)],
)
def test_but_not_for_ever_and_not_for_another_reason(refusals: tuple[str, ...], calls: int) -> None:
    api = Api(*refusals)
    with pytest.raises(EngineError):
        freeze(api)
    assert api.calls == calls
