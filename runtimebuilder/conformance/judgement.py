"""One image that is being judged: what runs on it, what was found so far, and the report in the end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import runtimebuilder
from runtimebuilder.conformance.case import Case, catalogue_order
from runtimebuilder.conformance.options import VerifyOptions
from runtimebuilder.conformance.report.result import (
    CaseResult,
    Footer,
    Header,
    Report,
    Reporter,
    State,
    conforms,
)
from runtimebuilder.conformance.selection import NOT_SELECTED
from runtimebuilder.conformance.session import Listener, Setting

_GAVE_UP = "the run stopped before it: too many cases errored"
_INTERRUPTED = "interrupted before it"


class Judgement(Listener):
    """Hands every event on to the reporters and keeps the results. Not thread-safe.

    `excused`: why a case is known to fail, by its id; `known`: the suite's cases and the person's own.
    """

    def __init__(
        self,
        setting: Setting,
        options: VerifyOptions,
        known: Sequence[Case],
        reporters: Sequence[Reporter],
        excused: Mapping[str, str],
    ) -> None:
        self.setting = setting
        self.own = tuple(str(path.resolve()) for path in options.own)
        self._known = known
        self._options = options
        self._reporters = tuple(reporters)
        self._excused = excused
        self._results: dict[str, CaseResult] = {}
        self._begun = time.monotonic()
        self._header = _header(setting, options, self.selected)
        self.left_out = False
        """Whether cases were left out because the runtime does not work at all."""

    @property
    def selected(self) -> tuple[Case, ...]:
        """The cases that run, in the catalogue's order."""
        return tuple(one for one in self._known if self.setting.selection.refusal(one) is None)

    def begin(self) -> None:
        """Tell the reporters what is judged, and which cases are left out though nobody excluded them."""
        self._begun = time.monotonic()
        for reporter in self._reporters:
            reporter.begin(self._header)
        for one in self._known:
            refusal = self.setting.selection.refusal(one)
            if refusal not in (None, NOT_SELECTED):
                self.finished(CaseResult(one, State.SKIPPED, 0.0, reason=refusal))

    def started(self, case: Case) -> None:
        """A case starts."""
        for reporter in self._reporters:
            reporter.started(case)

    def finished(self, result: CaseResult) -> None:
        """A case ended, or will not be run."""
        result = replace(result, known_failing=self._excused.get(result.case.id))
        self._results[result.case.id] = result
        for reporter in self._reporters:
            reporter.finished(result)

    def end(self, *, interrupted: bool) -> Report:
        """The report, told to the reporters too; a case that was not reached is skipped."""
        for one in self.selected:
            if one.id not in self._results:
                reason = _INTERRUPTED if interrupted else _GAVE_UP
                self.finished(CaseResult(one, State.SKIPPED, 0.0, reason=reason))
        results = tuple(sorted(self._results.values(), key=lambda result: catalogue_order(result.case)))
        footer = Footer(
            seconds=time.monotonic() - self._begun,
            conforms=not (interrupted or self.left_out) and conforms(results, strict=self._options.strict),
            interrupted=interrupted,
        )
        report = Report(self._header, results, footer)
        for reporter in self._reporters:
            reporter.end(report)
        return report


def _header(setting: Setting, options: VerifyOptions, selected: Sequence[Case]) -> Header:
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
        selected=len(selected),
        explicit=setting.selection.is_explicit,
        arguments=options.arguments(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
