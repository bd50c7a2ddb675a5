"""Judging images: the suite under pytest, in this process or in several."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runtimebuilder.conformance.case import builtin_cases
from runtimebuilder.conformance.diagnosis import refuse_other_architecture
from runtimebuilder.conformance.judgement import Judgement
from runtimebuilder.conformance.known_failing import read_known_failing
from runtimebuilder.conformance.options import VerifyOptions
from runtimebuilder.conformance.parallel import ParallelRun
from runtimebuilder.conformance.probes.choice import choose_probe
from runtimebuilder.conformance.probes.settings import fitted
from runtimebuilder.conformance.report.result import Report, Reporter
from runtimebuilder.conformance.selection import check_selection
from runtimebuilder.conformance.session import Setting, SuiteSession
from runtimebuilder.conformance.subject import Subject, image_facts
from runtimebuilder.conformance.suite import run_suite
from runtimebuilder.conformance.worker_process import Nursery, cases_in
from runtimebuilder.engine.docker import Engine
from runtimebuilder.sandbox.run import Run

__all__ = ["VerifyOptions", "Wanted", "verify", "verify_several"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image to judge, by its reference, and who hears of it. `own`: paths of cases for this image only.

    `options`: how this one is judged; None: as all.
    """

    reference: str
    reporters: Sequence[Reporter] = ()
    own: tuple[Path, ...] = ()
    options: VerifyOptions | None = None


def verify(
    engine: Engine,
    subject_ref: str,
    options: VerifyOptions,
    reporters: Sequence[Reporter] = (),
    *,
    run: Run | None = None,
) -> Report:
    """Run the selected cases on the image `subject_ref`; `reporters` hear of everything as it happens.

    `run`: the caller's, who closes it, so that several verdicts share what was made for the first.

    Raises `NothingSelectedError` (exit 3) when a pattern names no case, `SpecError` (2) for a wrong option
    or when no probe fits, `EnvironmentProblemError` (4) when the image is not there, and `KeyboardInterrupt`
    after an interrupted run has been cleaned up and reported.
    """
    (report,) = verify_several(engine, [Wanted(subject_ref, reporters)], options, run=run)
    return report


def verify_several(
    engine: Engine, wanted: Sequence[Wanted], options: VerifyOptions, *, run: Run | None = None
) -> list[Report]:
    """Judge several images; `options.jobs` cases, of whichever image, run at the same time.

    With `jobs` the reporters are called by several threads, one call at a time. Raises as `verify` does, and
    begins no image when one of them cannot be judged.
    """
    owns = [tuple(dict.fromkeys((*options.own, *one.own))) for one in wanted]
    # What is not ours runs in a process that is not ours.
    several = options.jobs > 1 or any(owns)
    with Nursery() if several else contextlib.nullcontext() as nursery:
        return _judge_all(engine, wanted, owns, options, run=run, nursery=nursery)


def _judge_all(
    engine: Engine,
    wanted: Sequence[Wanted],
    owns: Sequence[tuple[Path, ...]],
    options: VerifyOptions,
    *,
    run: Run | None,
    nursery: Nursery | None,
) -> list[Report]:
    builtin = builtin_cases()
    found = {own: cases_in(own, nursery) for own in owns}
    known = tuple({one.id: one for one in (*builtin, *itertools.chain(*found.values()))}.values())
    ways = [one.options or options for one in wanted]
    for way in ways:
        check_selection(way.selection, known)
    excused = [read_known_failing(way.known_failing, known) if way.known_failing else {} for way in ways]
    with Run(engine) if run is None else contextlib.nullcontext(run) as within:
        settings = [_setting(within, one.reference, way) for one, way in zip(wanted, ways, strict=True)]
        judgements = [
            Judgement(setting, replace(way, own=own), (*builtin, *found[own]), one.reporters, failing)
            for setting, one, own, way, failing in zip(settings, wanted, owns, ways, excused, strict=True)
        ]
        for judgement in judgements:
            judgement.begin()
        if nursery is not None and (any(owns) or sum(len(one.selected) for one in judgements) > 1):
            return ParallelRun(judgements, options.jobs, nursery).run()
        return [_judge_here(judgement) for judgement in judgements]


def _setting(run: Run, reference: str, options: VerifyOptions) -> Setting:
    facts = image_facts(run.engine, reference)
    subject = Subject(run, reference, facts)
    refuse_other_architecture(subject)
    probe = choose_probe(options.probe, facts, subject.has_file, subject.head_of)
    return Setting(
        subject=subject,
        probe=fitted(probe, {**facts.env, **options.env}),
        selection=options.selection,
        limits=options.limits,
        env=options.env,
        link=options.link,
    )


def _judge_here(judgement: Judgement) -> Report:
    """In this process, one case after the other."""
    session = SuiteSession(judgement.setting, judgement)
    interrupted = run_suite(session)
    judgement.left_out = session.left_out
    report = judgement.end(interrupted=interrupted)
    if interrupted:
        raise KeyboardInterrupt
    return report
