"""The suite as one pytest session: selection, fixtures' ground, and results as a stream."""

from __future__ import annotations

import time
import traceback
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from runtimebuilder.conformance.case import Case, Level, case_of, catalogue_order
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import NotConforming
from runtimebuilder.conformance.patience import NOT_REACHED
from runtimebuilder.conformance.probes.probe import Probe
from runtimebuilder.conformance.report.result import CaseResult, Evidence, State
from runtimebuilder.conformance.selection import Selection
from runtimebuilder.conformance.subject import Subject
from runtimebuilder.errors import SubjectFailedError, UserError
from runtimebuilder.sandbox.limits import Limits

CASES = Path(__file__).resolve().parent / "cases"
"""The folder of the suite's own cases."""

SESSION = pytest.StashKey["SuiteSession"]()
"""Where the pytest configuration keeps the session."""

_PLAIN = pytest.StashKey[Case]()

_HARMLESS = (State.PASSED, State.UNSUPPORTED, State.SKIPPED)
"""States of a case that did nothing to the warm environment that the next case would notice."""

_ENGINE_TROUBLES = 3
"""After so many cases in a row that errored because of the environment, the rest is not tried."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run judges and how: the same for `verify` and for pytest."""

    subject: Subject
    probe: Probe | None
    selection: Selection
    limits: Limits = field(default_factory=Limits)
    env: Mapping[str, str] = field(default_factory=dict)
    link: str = "auto"


class Listener:
    """Hears about every case; `verify` hands it on to reporters. Does nothing by itself."""

    def started(self, case: Case) -> None:
        """A case starts."""

    def finished(self, result: CaseResult) -> None:
        """A case ended, or will not be run."""


class SuiteSession:
    """A pytest plug-in object: registered only when the suite is meant to run."""

    def __init__(
        self,
        setting: Setting,
        listener: Listener | None = None,
        *,
        image: str | None = None,
        plain_tests: bool = False,
    ) -> None:
        """`image`: the subject with the probe in it, when somebody has made that; others work beside us then.

        `plain_tests`: test functions that are no cases are told as if they were.
        """
        self._plain_tests = plain_tests
        self.setting = setting
        self.environments = Environments(
            setting.subject,
            setting.probe,
            limits=setting.limits,
            env=setting.env,
            link=setting.link,
            image=image,
        )
        self._listener = listener or Listener()
        self._started = 0.0
        self._ending: CaseResult | None = None
        self._troubles = 0
        self.gave_up = False
        self._first_failed: str | None = None
        self._not_reached: str | None = None
        self.left_out = False
        """Whether cases were not reached because the runtime does not work at all: the image then fails."""

    # -- collection ------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """A case answers to its id in `-k` too: `-k RT_060`, `-k RT-060`."""
        if self._plain_tests and _case(item) is None:
            item.stash[_PLAIN] = case_of_test(item)
        one = _case(item)
        if one is not None:
            item.extra_keyword_matches.update((one.id, one.id.replace("-", "_")))

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what was not selected; cases in the catalogue's order, other tests after them."""
        chosen: list[pytest.Item] = []
        left: list[pytest.Item] = []
        for item in items:
            one = _case(item)
            refusal = self.setting.selection.refusal(one) if one else None
            if one is not None and refusal is not None:
                left.append(item)
            else:
                chosen.append(item)
        if left:
            config.hook.pytest_deselected(items=left)
        items[:] = sorted(chosen, key=_order)
        self.environments.expect(
            sum("fresh" in getattr(item, "fixturenames", ()) and not self._obstacle(item) for item in items)
        )

    # -- one case --------------------------------------------------------------------------------------------

    def pytest_runtest_logstart(self, nodeid: str, location: object) -> None:  # noqa: ARG002 - as pytest calls it
        """The clock of a case begins before its fixtures."""
        self._started = time.monotonic()
        self._ending = None
        self._not_reached = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Tell that the case starts; leave it when the probe cannot serve it."""
        one = _case(item)
        if one is None:
            return
        self._listener.started(one)
        obstacle = self._obstacle(item)
        if obstacle is not None:
            pytest.skip(obstacle)
        hopeless = self.environments.hopeless
        if hopeless is not None and "environments" in getattr(item, "fixturenames", ()):
            self.left_out = True
            self._not_reached = f"{NOT_REACHED}: {hopeless} (see {self._first_failed})"
            pytest.skip(self._not_reached)

    def _obstacle(self, item: pytest.Item) -> str | None:
        """Why the probe cannot serve this case."""
        one = _case(item)
        if one is None:
            return None
        if self.setting.probe is None:
            return "there is no probe for this image (--probe none)" if one.needs else None
        return self.setting.probe.lacks(one.needs)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Judge each phase while the case's environments are still open."""
        report = yield
        one = _case(item)
        if one is None:
            if call.when == "teardown":
                self.environments.end_case(passed=False)
            return report
        if self._ending is None and (call.when == "call" or call.excinfo is not None):
            self._ending = self._judge(one, call)
            evidence = self._ending.evidence
            report.sections += [
                (title, text)
                for title, text in (("wire", evidence.transcript), ("container log", evidence.log))
                if text
            ]
        if call.when == "teardown":
            self._finish(item, one)
        return report

    def _judge(self, one: Case, call: pytest.CallInfo[None]) -> CaseResult:
        plain = CaseResult(one, State.PASSED, 0.0)
        problem = call.excinfo.value if call.excinfo else None
        if problem is None:
            return replace(plain, evidence=Evidence(transcript=self._wire()))
        if isinstance(problem, pytest.skip.Exception):
            state = State.SKIPPED if self._not_reached else State.UNSUPPORTED
            return replace(plain, state=state, reason=str(problem))
        return _told(plain, problem, self._evidence())

    def _wire(self) -> str:
        try:
            return self.environments.wire()
        except UserError as problem:
            return f"(no transcript: {problem.message})"

    def _evidence(self) -> Evidence:
        try:
            return self.environments.evidence()
        except UserError as problem:
            return Evidence(log=f"(no evidence: {problem.message})")

    def _finish(self, item: pytest.Item, one: Case) -> None:
        ending = self._ending or CaseResult(one, State.ERRORED, 0.0, reason="the case was not run")
        try:
            self.environments.end_case(passed=ending.state in _HARMLESS)
        except UserError as problem:
            ending = replace(ending, state=State.ERRORED, reason=problem.message)
        self._listener.finished(replace(ending, seconds=time.monotonic() - self._started))
        if ending.state is State.FAILED and self._first_failed is None:
            self._first_failed = one.number
        self._troubles = self._troubles + 1 if ending.state is State.ERRORED else 0
        if self._troubles >= _ENGINE_TROUBLES:
            self.gave_up = True
            item.session.shouldstop = f"{self._troubles} cases in a row errored"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Leave nothing behind; a run that left cases out has not shown that the image conforms."""
        if self.left_out and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        self.environments.close()


def _told(plain: CaseResult, problem: BaseException, evidence: Evidence) -> CaseResult:
    """What an exception says: a verdict about the subject, or trouble of the suite's own."""
    if isinstance(problem, NotConforming):
        return replace(
            plain,
            state=State.FAILED,
            expected=problem.expected,
            seen=problem.seen,
            evidence=evidence,
        )
    if isinstance(problem, AssertionError):  # a plain assert in a case of somebody else
        return replace(plain, state=State.FAILED, seen=str(problem) or "assertion failed", evidence=evidence)
    if isinstance(problem, SubjectFailedError):
        wanted = "an image that can be started"
        return replace(plain, state=State.FAILED, expected=wanted, seen=problem.message, evidence=evidence)
    if isinstance(problem, UserError):
        parts = (problem.message, problem.detail, problem.hint)
        reason = "\n".join(part.strip() for part in parts if part)
        return replace(plain, state=State.ERRORED, reason=reason, evidence=evidence)
    where = traceback.extract_tb(problem.__traceback__)[-1]
    reason = f"{type(problem).__name__}: {problem} ({Path(where.filename).name}:{where.lineno})"
    return replace(plain, state=State.ERRORED, reason=reason, evidence=evidence)


def _case(item: pytest.Item) -> Case | None:
    return case_of(getattr(item, "function", None)) or item.stash.get(_PLAIN, None)


def case_of_item(item: pytest.Item) -> Case | None:
    """The case that a test function carries; what stands for a plain test where those are told too."""
    return _case(item)


def case_of_test(item: pytest.Item) -> Case:
    """What stands for a test function of somebody's own that is no case: a MUST, named for file and function."""
    function = getattr(item, "function", None)
    told = (getattr(function, "__doc__", None) or "").strip().splitlines()
    name = item.nodeid.partition("::")[2] or item.name
    return Case(
        id=f"{item.path.stem}::{name}",
        level=Level.MUST,
        judgement=False,
        requirement=told[0] if told else f"{item.name.removeprefix('test_').replace('_', ' ')}.",
        page=item.path.name,
        section=item.path.stem.removeprefix("test_").replace("_", " "),
        needs=(),
        slow=None,
        module=getattr(function, "__module__", ""),
        function=item.name,
    )


def _order(item: pytest.Item) -> tuple[bool, tuple[int, int, str]]:
    one = _case(item)
    return (one is None, catalogue_order(one) if one else (0, 0, ""))


def setting_of(config: pytest.Config) -> Setting:
    """The setting of the running session."""
    return config.stash[SESSION].setting


def activate(config: pytest.Config, session: SuiteSession) -> None:
    """Make this pytest run a run of the suite: its fixtures and hooks join."""
    from runtimebuilder.conformance import fixtures  # noqa: PLC0415 - only now are fixtures wanted

    config.stash[SESSION] = session
    config.pluginmanager.register(session, "runtimebuilder-session")
    config.pluginmanager.register(fixtures, "runtimebuilder-fixtures")
