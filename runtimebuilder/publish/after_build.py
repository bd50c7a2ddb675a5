"""`build --push`: what has just been built, to a registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from runtimebuilder.build.execute import BuildResult, BuiltImage
from runtimebuilder.engine.docker import Engine
from runtimebuilder.publish.push import Pusher, PushOptions, PushResult
from runtimebuilder.publish.session import Session
from runtimebuilder.spec.catalog import Catalog


def push_results(
    engine: Engine,
    catalog: Catalog,
    session: Session,
    results: Sequence[BuildResult],
    *,
    options: PushOptions,
    say: Callable[[str], None],
) -> tuple[PushResult, ...]:
    """Push each image that is good, built or unchanged, from the base that it is on; one failure hides no other.

    `options.base` is not looked at. What failed to build is not pushed, and has no result here.
    """
    found: list[PushResult] = []
    for result in results:
        if not isinstance(result, BuiltImage):
            continue
        step = result.step
        wanted = replace(
            options, base=step.base.base.name, platforms=(step.platform,) if step.platform else ()
        )
        found += Pusher(engine, catalog, session, wanted, say).push([catalog.runtimes[step.runtime.name]])
    return tuple(found)
