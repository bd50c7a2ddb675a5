"""Running suites on an image: a box for each test, results in the same stream as the cases of our own."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from runtimebuilder.conformance.case import Case, Level, SuiteCase
from runtimebuilder.conformance.diagnosis import refuse_other_architecture
from runtimebuilder.conformance.expectation import shown
from runtimebuilder.conformance.judgement import Judgement
from runtimebuilder.conformance.known_failing import read_known_failing
from runtimebuilder.conformance.options import VerifyOptions
from runtimebuilder.conformance.report.result import CaseResult, Evidence, Report, Reporter, State
from runtimebuilder.conformance.selection import check_selection
from runtimebuilder.conformance.session import Setting
from runtimebuilder.conformance.subject import Subject, image_facts
from runtimebuilder.conformance.suites.answer import Answer, first_difference, unsupported
from runtimebuilder.conformance.suites.document import SuiteTest, read_suite
from runtimebuilder.emulator.transcript import write_transcript
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import SubjectFailedError, UserError
from runtimebuilder.local.invoke import code_layer
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.layer import put_layer
from runtimebuilder.sandbox.run import Run

TIME_LIMIT = 30.0
"""Seconds for a test, the start of the function among them: AWS's runner waits as long for an answer."""

_AHEAD = 2  # boxes whose making starts before a test asks
_LOG_LAG = 0.2  # seconds for the last lines of a log
_LOG_TAIL = 2000  # characters of it in a report
_TROUBLES = 3  # tests in a row that errored, then the rest is not tried


def verify_suites(
    engine: Engine,
    reference: str,
    options: VerifyOptions,
    reporters: Sequence[Reporter] = (),
) -> Report:
    """Run the tests of the files in `options.suites` on an image, with the files in `options.tasks` in /var/task.

    Raises `SpecError` (exit 2) for a mistake in a suite, `NothingSelectedError` (3) when `options.cases` names no test,
    `EnvironmentProblemError` (4) when there is no such image, a file cannot be read, or a transform needs jq and it is
    not there; `KeyboardInterrupt` after an interrupted run has been cleaned up and reported.
    """
    tests = cases_of(options.suites, options.tasks)
    known = tuple(tests)
    check_selection(options.selection, known)
    excused = read_known_failing(options.known_failing, known) if options.known_failing else {}
    code = code_layer(options.tasks, option="--tasks") if options.tasks is not None else ()
    with Run(engine) as run:
        subject = Subject(run, reference, image_facts(engine, reference))
        refuse_other_architecture(subject)
        setting = Setting(
            subject, None, options.selection, limits=options.limits, env=options.env, link=options.link
        )
        judgement = Judgement(setting, options, known, reporters, excused)
        judgement.begin()
        try:
            _run_all(run, put_layer(run, subject.facts.id, code), setting, judgement, tests)
        except KeyboardInterrupt:
            judgement.end(interrupted=True)
            raise
        return judgement.end(interrupted=False)


def cases_of(suites: Sequence[Path], tasks: Path | None) -> dict[Case, SuiteTest]:
    """The tests of all files by the cases that stand for them, in order."""
    found: dict[Case, SuiteTest] = {}
    for path in suites:
        for test in read_suite(path, tasks):
            name = re.sub(r"\s+", " ", test.name.strip())
            case = SuiteCase(
                id=f"SUITE-{len(found) + 1:03d}-{name}",
                level=Level.MUST,
                judgement=False,
                requirement=_requirement(test),
                page=path.name,
                section=path.stem,
                needs=(),
                slow=None,
                module="",
                function="",
            )
            found[case] = test
    return found


def _requirement(test: SuiteTest) -> str:
    wanted = [f"{one.subject} {shown(one.value, 60)}" for one in test.assertions]
    return f"{test.handler or 'It'} gives {', '.join(wanted)}." if wanted else "A test for a web server."


def _run_all(
    run: Run, image: str, setting: Setting, judgement: Judgement, tests: dict[Case, SuiteTest]
) -> None:
    selected = judgement.selected
    if len(selected) > 1:
        run.make_ahead(setting.limits.tmp_mb, setting.link, _AHEAD)
    troubles = 0
    for case in selected:
        judgement.started(case)
        begun = time.monotonic()
        result = _run_one(run, image, setting, case, tests[case])
        judgement.finished(replace(result, seconds=time.monotonic() - begun))
        troubles = troubles + 1 if result.state is State.ERRORED else 0
        if troubles >= _TROUBLES:
            return


def _run_one(run: Run, image: str, setting: Setting, case: Case, test: SuiteTest) -> CaseResult:
    plain = CaseResult(case, State.PASSED, 0.0)
    reason = test.unsupported or unsupported(test.assertions)
    if reason is not None:
        return replace(plain, state=State.UNSUPPORTED, reason=reason)
    limits = setting.limits if test.memory_mb is None else replace(setting.limits, memory_mb=test.memory_mb)
    box = Box(
        run, image, limits=limits, handler=test.handler, env={**setting.env, **test.env}, link=setting.link
    )
    try:
        with box:
            return _judged(plain, box, test)
    except SubjectFailedError as problem:
        wanted = "an image that can be started"
        return replace(plain, state=State.FAILED, expected=wanted, seen=problem.message)
    except UserError as problem:
        told = [part for part in (problem.message, problem.detail, problem.hint) if part]
        return replace(plain, state=State.ERRORED, reason="\n".join(told))


def _judged(plain: CaseResult, box: Box, test: SuiteTest) -> CaseResult:
    result = box.invoke(
        test.event,
        timeout=TIME_LIMIT,
        content_type=test.content_type,
        trace_id=test.trace_id,
        client_context=test.client_context,
        cognito_identity=test.cognito_identity,
    )
    time.sleep(_LOG_LAG if any("logs" in one.subject for one in test.assertions) else 0)
    recording = box.emulator.recording
    wire = write_transcript(recording.exchanges(), recording.notes(), body_limit=200)
    difference = first_difference(test.assertions, Answer.of(result, box.logs()))
    if difference is None:
        return replace(plain, evidence=Evidence(transcript=wire))
    evidence = Evidence(wire, box.logs().strip()[-_LOG_TAIL:])
    return replace(
        plain, state=State.FAILED, expected=difference.expected, seen=difference.seen, evidence=evidence
    )
