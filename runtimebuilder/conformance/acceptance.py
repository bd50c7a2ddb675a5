"""Judging an image that has no name yet: `build --verify` gives it one only when it conforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from runtimebuilder.conformance.options import VerifyOptions
from runtimebuilder.conformance.report.result import Report, Reporter, State
from runtimebuilder.conformance.run import Wanted, verify_several
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import SubjectFailedError

_SHOWN = 10  # failed cases in the message; all are in the reports of `verify`


def accept(
    engine: Engine,
    image: str,
    name: str,
    options: VerifyOptions,
    *,
    own: tuple[Path, ...] = (),
    reporters: Sequence[Reporter] = (),
    say: Callable[[str], None],
) -> None:
    """Judge `image`, the runtime `name`'s, and say the outcome in a line.

    Raises `SubjectFailedError` (exit 1) when it does not conform, and what `verify` raises.
    """
    (report,) = verify_several(engine, [Wanted(image, reporters, own=own)], options)
    if report.conforms:
        say(f"  {name}  conforms   {_passed(report)} passed in {report.seconds:.0f} s")
        return
    failed = [
        result
        for result in report.results
        if result.state is State.ERRORED
        or result.passes_now
        or (result.state is State.FAILED and not result.failed_as_known)
    ]
    lines = [f"  {result.case.shown_level:<7} {result.case.id}" for result in failed[:_SHOWN]]
    if len(failed) > _SHOWN:
        lines.append(f"  and {len(failed) - _SHOWN} more")
    raise SubjectFailedError(
        f"{name} does not conform: {len(failed)} of {len(failed) + _passed(report)} cases did not pass",
        hint=f"its names are as they were; `runtimebuilder verify {image}` shows what was seen",
        detail="\n".join(lines),
    )


def _passed(report: Report) -> int:
    return sum(result.state is State.PASSED for result in report.results)
