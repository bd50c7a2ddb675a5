"""Which results make a run fail."""

from __future__ import annotations

import pytest

from runtimebuilder.conformance.case import Level
from runtimebuilder.conformance.report.result import CaseResult, conforms
from tests.unit.conformance import reports


@pytest.mark.parametrize(
    ("result", "plain", "strict"),
    [
        (reports.passed(), True, True),
        (reports.failed(), False, False),
        (reports.failed(judgement=True), False, False),
        (reports.failed(level=Level.SHOULD), True, False),
        (reports.failed(level=Level.MAY), True, True),
        (reports.errored(), False, False),
        (reports.unsupported(), True, True),
        (reports.skipped(), True, True),
        (reports.known("RT-001-a"), True, True),
        (reports.passes_now("RT-001-a"), False, False),
    ],
)
def test_one_result_decides(result: CaseResult, plain: bool, strict: bool) -> None:
    assert conforms([reports.passed(), result], strict=False) is plain
    assert conforms([reports.passed(), result], strict=True) is strict
