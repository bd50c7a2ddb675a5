"""docs/conformance-cases.md is made from the cases and committed: it must not lag behind them."""

from __future__ import annotations

from pathlib import Path

from runtimebuilder.conformance.case import builtin_cases
from runtimebuilder.conformance.catalogue import page

COMMITTED = Path(__file__).resolve().parents[3] / "docs" / "conformance-cases.md"


def test_the_committed_page_is_current() -> None:
    assert COMMITTED.read_text() == page(), "run `make docs` and commit docs/conformance-cases.md"


def test_every_case_has_a_row() -> None:
    rows = [line for line in page().partition("## Not checked")[0].splitlines() if line.startswith("| `")]
    assert len(rows) == len(builtin_cases())
