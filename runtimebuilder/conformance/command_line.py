"""The suite in somebody's own pytest run: `pytest --pyargs runtimebuilder.conformance --image X`."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from runtimebuilder.conformance.case import Level, case_of
from runtimebuilder.conformance.diagnosis import refuse_other_architecture
from runtimebuilder.conformance.expectation import NotConforming
from runtimebuilder.conformance.plugin import ACTIVE
from runtimebuilder.conformance.probes.choice import choose_probe
from runtimebuilder.conformance.probes.settings import fitted
from runtimebuilder.conformance.selection import Selection
from runtimebuilder.conformance.session import Setting, SuiteSession, activate
from runtimebuilder.conformance.subject import Subject, image_facts
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import UserError
from runtimebuilder.sandbox.run import Run


class _Leniency:
    """A SHOULD or MAY that is not met is an expected failure in pytest's words: only MUSTs fail the run."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        one = case_of(getattr(item, "function", None))
        problem = call.excinfo.value if call.excinfo else None
        if one is not None and one.level is not Level.MUST and isinstance(problem, NotConforming):
            report.outcome = "skipped"
            report.wasxfail = f"{one.shown_level} {one.id}: {problem}"
        return report


def begin(config: pytest.Config, reference: str) -> None:
    """Start a session for the command line's options; `pytest.UsageError` for what is wrong with them."""
    try:
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
    except UserError as problem:
        hint = f" ({problem.hint})" if problem.hint else ""
        raise pytest.UsageError(f"{problem.message}{hint}") from problem
    config.stash[ACTIVE] = True
    activate(config, SuiteSession(setting))
    if not config.getoption("runtimebuilder_strict_should"):
        config.pluginmanager.register(_Leniency(), "runtimebuilder-leniency")
