"""Judging many mutants of the miniature at a time, each in a process: a verdict waits more than it works."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.util import Finalize

from runtimebuilder.conformance.report.result import CaseResult
from runtimebuilder.conformance.run import VerifyOptions, verify
from runtimebuilder.engine.docker import Engine
from runtimebuilder.sandbox.limits import Limits
from runtimebuilder.sandbox.run import Run

PROCESSES = 3

_run: Run | None = None  # of a worker: all its verdicts share the image with the probe and a stock of holders


class Bench:
    """Verdicts on mutations, begun all at once; `close` waits for what runs and forgets the rest."""

    def __init__(self, image: str, mutants: Iterable[tuple[str, str]]) -> None:
        self._image = image
        self._pool = ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"), initializer=begin)
        self._begun: Mapping[tuple[str, str], Future[CaseResult]] = {
            mutant: self._pool.submit(_judge, image, *mutant) for mutant in mutants
        }

    def verdict(self, case: str, mutation: str) -> CaseResult:
        """What the case says of the miniature with this mutation."""
        return self._begun[case, mutation].result()

    def close(self) -> None:
        """End the processes; each removes what it made."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def begin() -> None:
    """A worker process begins: its run lasts as long as it does."""
    global _run  # noqa: PLW0603 - the state of a worker process is its module's
    _run = Run(Engine.connect())
    _run.make_ahead(Limits().tmp_mb, "auto", 2, reuse=True)
    # A worker of multiprocessing leaves through this, not through atexit.
    Finalize(None, _run.close, exitpriority=10)


def current_run() -> Run:
    """The run of this worker process."""
    assert _run is not None, "not a worker"
    return _run


def _judge(image: str, case: str, mutation: str) -> CaseResult:
    run = current_run()
    options = VerifyOptions(cases=(case,), env={"MUTATION": mutation})
    (result,) = verify(run.engine, image, options, run=run).results
    return result
