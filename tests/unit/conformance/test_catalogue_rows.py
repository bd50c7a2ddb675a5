"""Nothing of the catalogue is dropped silently: every row is a case, or stands with a reason in `unchecked.py`."""

from __future__ import annotations

from pathlib import Path

from runtimebuilder.conformance.case import builtin_cases
from runtimebuilder.conformance.catalogue import page
from runtimebuilder.conformance.unchecked import UNCHECKED

ROWS = (
    (Path(__file__).resolve().parents[2] / "data" / "catalogue-ids.txt").read_text(encoding="utf-8").split()
)


def test_every_row_is_a_case_or_has_a_reason() -> None:
    cases = {one.id for one in builtin_cases()}
    missing = [row for row in ROWS if row not in cases | UNCHECKED.keys()]
    assert not missing, f"write a case for {missing}, or say in conformance/unchecked.py why there is none"


def test_no_row_is_two_things() -> None:
    cases = {one.id for one in builtin_cases()}
    both = sorted(cases & UNCHECKED.keys())
    assert not both, f"{both} are cases: take them out of conformance/unchecked.py"


def test_ids_are_those_of_the_catalogue() -> None:
    known = set(ROWS)
    assert len(known) == len(ROWS)
    own = sorted(({one.id for one in builtin_cases()} | UNCHECKED.keys()) - known)
    assert not own, (
        f"{own} are no rows of the catalogue: use the id and the words of tests/data/catalogue-ids.txt"
    )


def test_every_reason_is_one_sentence_of_the_page() -> None:
    shown = page().partition("## Not checked")[2]
    for row, reason in UNCHECKED.items():
        assert reason.endswith("."), f"{row}: a sentence ends with a full stop"
        assert ". " not in reason, f"{row}: one sentence"
        assert f"| `{row}` | {reason} |" in shown
