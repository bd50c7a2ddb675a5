"""Judging an image: runs the suite in this process, under pytest, away from anybody's pytest settings."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import runtimebuilder
from runtimebuilder.conformance import plugin
from runtimebuilder.conformance.case import Case, Level, builtin_cases, catalogue_order
from runtimebuilder.conformance.diagnosis import refuse_other_architecture
from runtimebuilder.conformance.known_failing import read_known_failing
from runtimebuilder.conformance.probes.choice import AUTO, choose_probe
from runtimebuilder.conformance.report.result import (
    CaseResult,
    Footer,
    Header,
    Report,
    Reporter,
    State,
    conforms,
)
from runtimebuilder.conformance.selection import Selection, check_selection
from runtimebuilder.conformance.session import CASES, Listener, Setting, SuiteSession, activate
from runtimebuilder.conformance.subject import Subject, image_facts
from runtimebuilder.engine.docker import Engine
from runtimebuilder.sandbox.limits import Limits
from runtimebuilder.sandbox.run import Run

_SETTINGS = Path(__file__).resolve().parent / "verify.ini"
_FOREIGN = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """How to judge. `known_failing`: a file, see `read_known_failing`.

    `env`: variables of the function, on top of the service's own; `memory` in MB.
    """

    cases: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    soak: bool = False
    known_failing: Path | None = None
    strict: bool = False
    probe: str = AUTO
    link: str = AUTO
    memory: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> tuple[str, ...]:
        """The command line's options that judging a single case again needs as well."""
        given: list[str] = []
        given += ["--probe", self.probe] if self.probe != AUTO else []
        given += ["--link", self.link] if self.link != AUTO else []
        given += ["--memory", str(self.memory)] if self.memory is not None else []
        for name, value in self.env.items():
            given += ["--env", f"{name}={value}"]
        return tuple(given)


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
    selection = Selection(options.cases, options.sections, options.levels, soak=options.soak)
    known = builtin_cases()
    check_selection(selection, known)
    excused = read_known_failing(options.known_failing, known) if options.known_failing else {}
    facts = image_facts(engine, subject_ref)
    started = time.monotonic()
    with Run(engine) if run is None else contextlib.nullcontext(run) as within:
        subject = Subject(within, subject_ref, facts)
        refuse_other_architecture(subject)
        setting = Setting(
            subject=subject,
            probe=choose_probe(options.probe, facts, subject.has_file),
            selection=selection,
            limits=Limits() if options.memory is None else replace(Limits(), memory_mb=options.memory),
            env=options.env,
            link=options.link,
        )
        stream = _Stream(reporters, excused)
        header = _header(setting, options, known)
        for reporter in reporters:
            reporter.begin(header)
        session = SuiteSession(setting, stream)
        code = _run_pytest(session)
    # pytest ends with the same code when it is told to stop.
    interrupted = code == pytest.ExitCode.INTERRUPTED and not session.gave_up
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        raise RuntimeError(f"the suite itself could not run: pytest ended with {code}")
    reason = "interrupted before it" if interrupted else "the run stopped before it: too many cases errored"
    results = stream.in_order(known, selection, reason)
    footer = Footer(
        seconds=time.monotonic() - started,
        conforms=not (interrupted or session.left_out) and conforms(results, strict=options.strict),
        interrupted=interrupted,
    )
    report = Report(header, results, footer)
    for reporter in reporters:
        reporter.end(report)
    if interrupted:
        raise KeyboardInterrupt
    return report


def _header(setting: Setting, options: VerifyOptions, known: Sequence[Case]) -> Header:
    limits, run = setting.limits, setting.subject.run
    disk = "read-only" if limits.read_only else "writable"
    return Header(
        subject=setting.subject.reference,
        image_id=setting.subject.facts.id,
        platform=setting.subject.facts.platform,
        probe=setting.probe.name if setting.probe else "none",
        box=f"uid {limits.uid}, {disk}, {limits.memory_mb} MB, {run.link(setting.link).describe()}",
        tool=runtimebuilder.__version__,
        strict=options.strict,
        selected=sum(setting.selection.refusal(one) is None for one in known),
        explicit=setting.selection.is_explicit,
        arguments=options.arguments(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


class _Stream(Listener):
    """Hands every event on to the reporters and keeps the results."""

    def __init__(self, reporters: Iterable[Reporter], excused: Mapping[str, str]) -> None:
        self._reporters = tuple(reporters)
        self._excused = excused
        self._results: dict[str, CaseResult] = {}

    def started(self, case: Case) -> None:
        for reporter in self._reporters:
            reporter.started(case)

    def finished(self, result: CaseResult) -> None:
        result = replace(result, known_failing=self._excused.get(result.case.id))
        self._results[result.case.id] = result
        for reporter in self._reporters:
            reporter.finished(result)

    def in_order(self, known: Sequence[Case], selection: Selection, reason: str) -> tuple[CaseResult, ...]:
        """A result for every case that was selected; what was not reached is skipped, for this reason."""
        for one in known:
            if one.id not in self._results and selection.refusal(one) is None:
                self.finished(CaseResult(one, State.SKIPPED, 0.0, reason=reason))
        return tuple(sorted(self._results.values(), key=lambda result: catalogue_order(result.case)))


class _Quiet:
    """Takes pytest's own reporter away and puts the session in."""

    def __init__(self, session: SuiteSession) -> None:
        self._session = session

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            config.pluginmanager.unregister(terminal)
        config.stash[plugin.ACTIVE] = True
        activate(config, self._session)


def _run_pytest(session: SuiteSession) -> int:
    """Run the cases; nothing of the caller's pytest configuration, folder or environment takes part."""
    arguments = [
        f"--config-file={_SETTINGS}",
        f"--rootdir={_SETTINGS.parent}",
        "--noconftest",
        "--import-mode=importlib",
        "--assert=plain",
        "--capture=no",
        *(f"-pno:{name}" for name in ("cacheprovider", "logging", "faulthandler", "junitxml", "warnings")),
        str(CASES),
    ]
    plugins: list[object] = [_Quiet(session)]
    with _own_environment():
        # The entry point loads the plug-in unless loading is off, as it is here: name it.
        return int(pytest.main([*arguments, "-p", plugin.__name__], plugins=plugins))


@contextlib.contextmanager
def _own_environment() -> Generator[None, None, None]:
    """Without the caller's pytest variables, and without the plug-ins of other packages."""
    kept = {name: os.environ.pop(name) for name in _FOREIGN if name in os.environ}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        os.environ.update(kept)
