"""The classic builder through the SDK: where there is no buildx. It is deprecated, and it says so."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import docker.errors
import requests.exceptions
import urllib3.exceptions

from runtimebuilder.engine.builder import BuildEvent, BuildRequest, Listener, Outcome, StepLog
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError, UserError

_STEP = re.compile(r"Step (?P<number>\d+)/(?P<total>\d+) : (?P<text>.*)", re.DOTALL)
# What the classic builder says of its own doings, between the output of the steps.
_CHATTER = re.compile(r" ?---> |Removing intermediate container |Successfully (built|tagged) |\[Warning\]")


class ClassicBuilder:
    """`POST /build`: the whole answer is a stream of events, errors among them."""

    name = "classic builder"
    warning: str | None = (
        "this machine has no buildx: the classic builder is used, which is deprecated and knows no build secrets, "
        "no cache export and no builds for other platforms; install the docker-buildx package"
    )

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def build(
        self,
        requests: Mapping[str, BuildRequest],
        listener: Listener,
        *,
        jobs: int | None = None,  # noqa: ARG002 -- one at a time: its cache is what came before
        fail_fast: bool = False,
    ) -> Iterator[Outcome]:
        """See `Builder.build`."""
        for name, request in requests.items():
            try:
                yield Outcome(name, self.image_of(request, partial(listener, name)))
            except UserError as error:
                yield Outcome(name, error=error)
                if fail_fast:
                    return

    def image_of(self, request: BuildRequest, listener: Callable[[BuildEvent], None]) -> str:
        """Build one image and return its id. Raises `BuildFailedError` (exit 1), `EnvironmentProblemError` (4)."""
        if request.secrets:
            raise EnvironmentProblemError(
                "the classic builder knows no secrets, and this runtime's build needs one",
                hint="install the docker-buildx package",
            )
        log = StepLog(listener)
        image = ""
        try:
            # rm and forcerm: without both, a failed or interrupted build leaves its containers behind.
            events: Iterator[dict[str, Any]] = self._engine.api.build(
                fileobj=io.BytesIO(request.context.tar()),
                custom_context=True,
                rm=True,
                forcerm=True,
                decode=True,
                nocache=request.no_cache,
                platform=request.platform,
                labels=dict(request.labels),
            )
            for event in events:
                if "errorDetail" in event or "error" in event:
                    raise log.failure(str(event.get("errorDetail", {}).get("message") or event.get("error")))
                text = str(event.get("stream", ""))
                if step := _STEP.match(text):
                    log.started(int(step["number"]), int(step["total"]), step["text"])
                elif text and not _CHATTER.match(text):
                    log.streamed(text)
                # An id comes after each step; the last one is the image.
                image = str((event.get("aux") or {}).get("ID") or image)
        # urllib3: the SDK does not wrap what breaks in the middle of a stream.
        except (
            docker.errors.APIError,
            requests.exceptions.RequestException,
            urllib3.exceptions.HTTPError,
        ) as error:
            if log.step is None:
                reason = getattr(error, "explanation", None) or error
                raise EnvironmentProblemError(
                    f"the Docker engine refused the build: {reason}",
                    hint="`runtimebuilder doctor` checks the engine",
                ) from error
            raise log.failure(str(error)) from error
        if not image:
            raise log.failure("the engine ended the build without naming an image")
        return image
