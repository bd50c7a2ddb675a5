"""The suite in somebody's own pytest run: `pytest --pyargs runtimebuilder.conformance --image X`."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

import pytest

from runtimebuilder.conformance.case import Level, builtin_cases, case_of
from runtimebuilder.conformance.diagnosis import refuse_other_architecture
from runtimebuilder.conformance.expectation import NotConforming
from runtimebuilder.conformance.known_failing import read_known_failing
from runtimebuilder.conformance.plugin import ACTIVE
from runtimebuilder.conformance.probes.choice import choose_probe
from runtimebuilder.conformance.probes.settings import fitted
from runtimebuilder.conformance.selection import Selection
from runtimebuilder.conformance.session import Setting, SuiteSession, activate
from runtimebuilder.conformance.subject import Subject, image_facts
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import UserError
from runtimebuilder.sandbox.run import Run


class _Outcomes:
    """What a case comes to in pytest's words.

    A SHOULD or MAY that is not met is an expected failure, unless `strict`: only MUSTs fail the run. So is a case
    that the file `known_failing` names; one that is named there and passes fails the run.
    """

    def __init__(self, known_failing: Path | None, *, strict: bool) -> None:
        self._file = known_failing
        self._strict = strict
        self._excused: Mapping[str, str] = {}

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Read the file when all cases are known, a team's own among them; `pytest.UsageError` when it is wrong."""
        if self._file is None:
            return
        own = (case_of(getattr(item, "function", None)) for item in items)
        known = {one.id: one for one in (*builtin_cases(), *own) if one is not None}
        with _as_usage_errors():
            self._excused = read_known_failing(self._file, tuple(known.values()))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        one = case_of(getattr(item, "function", None))
        if one is None:
            return report
        problem = call.excinfo.value if call.excinfo else None
        if one.id in self._excused:
            reason = self._excused[one.id] or "no reason given"
            if isinstance(problem, NotConforming):
                report.outcome = "skipped"
                report.wasxfail = f"known to fail ({reason}): {problem}"
            elif report.when == "call" and report.passed:
                report.outcome = "failed"
                report.longrepr = (
                    f"{one.id} is said to fail ({reason}), and passes now: take it out of {self._file}"
                )
        elif one.level is not Level.MUST and isinstance(problem, NotConforming) and not self._strict:
            report.outcome = "skipped"
            report.wasxfail = f"{one.shown_level} {one.id}: {problem}"
        return report


@contextlib.contextmanager
def _as_usage_errors() -> Generator[None]:
    try:
        yield
    except UserError as problem:
        detail = f"\n{problem.detail}" if problem.detail else ""
        hint = f" ({problem.hint})" if problem.hint else ""
        raise pytest.UsageError(f"{problem.message}{detail}{hint}") from problem


def begin(config: pytest.Config, reference: str) -> None:
    """Start a session for the command line's options; `pytest.UsageError` for what is wrong with them."""
    with _as_usage_errors():
        engine = Engine.connect()
        config.add_cleanup(engine.close)
        run = Run(engine)
        config.add_cleanup(run.close)
        subject = Subject(run, reference, image_facts(engine, reference))
        refuse_other_architecture(subject)
        probe = choose_probe(
            config.getoption("runtimebuilder_probe"), subject.facts, subject.has_file, subject.head_of
        )
        setting = Setting(
            subject=subject,
            probe=fitted(probe, subject.facts.env),
            selection=Selection(
                tuple(config.getoption("runtimebuilder_case")),
                tuple(config.getoption("runtimebuilder_section")),
                levels=tuple(Level(level) for level in config.getoption("runtimebuilder_level")),
                soak=config.getoption("runtimebuilder_soak"),
            ),
            link=config.getoption("runtimebuilder_link"),
        )
    config.stash[ACTIVE] = True
    activate(config, SuiteSession(setting))
    known_failing = config.getoption("runtimebuilder_known_failing")
    outcomes = _Outcomes(
        Path(known_failing) if known_failing else None,
        strict=config.getoption("runtimebuilder_strict_should"),
    )
    config.pluginmanager.register(outcomes, "runtimebuilder-outcomes")
