"""Nothing of the catalogue is dropped silently: every row is a case, or stands with a reason in `unchecked.py`."""

from __future__ import annotations

from pathlib import Path

from runtimebuilder.conformance.case import builtin_cases
from runtimebuilder.conformance.catalogue import page
from runtimebuilder.conformance.unchecked import UNCHECKED

ROWS = (
    (Path(__file__).resolve().parents[2] / "data" / "catalogue-ids.txt").read_text(encoding="utf-8").split()
)

# Rows that are neither yet. This set only ever shrinks.
PENDING = {
    # Runtime API
    "RT-169-unreported-crash",
    # lifecycle
    "LC-01-init-ends-at-next",
    "LC-02-init-under-10s",
    "LC-03-suppressed-init",
    "LC-04-slow-init-short-timeout",
    "LC-05-long-init-types",
    "LC-08-crash-in-init-no-report",
    "LC-09-exit-between-invokes",
    "LC-10-freeze-thaw-clock",
    "LC-11-freeze-while-background",
    "LC-12-sigterm-without-extension",
    "LC-13-sigterm-internal-ext",
    "LC-14-sigterm-external-ext",
    "LC-16-sigterm-during-invoke",
    "LC-17-process-group",
    "LC-21-recycle",
    "LC-22-zombie-free",
    # environment, files, image
    "EV-04-no-leak",
    "EV-06-tz",
    "EV-08-children-inherit",
    "FS-03-file-modes",
    "FS-04-bootstrap-lookup",
    "FS-08-layers",
    "FS-11-procs-1024",
    "FS-13-no-dev-shm-no-ptrace",
    "FS-14-port-9001",
    "IM-10-no-bake-state",
    "IM-11-rie-contract",
    # extensions
    "EX-01-register",
    "EX-02-who-may",
    "EX-03-register-window",
    "EX-04-init-order",
    "EX-05-next-INVOKE",
    "EX-06-next-SHUTDOWN",
    "EX-07-init-error-exit-error",
    "EX-08-limits",
    "EX-09-extension-crash",
    "EX-10-invoke-end",
    "EX-11-runtime-unaffected",
    "EX-12-lmi-extensions",
    "EX-13-telemetry-subscribe",
    "EX-14-telemetry-events",
    "EX-15-logs-api",
    "EX-16-in-RIE",
    "EX-17-go-internal",
}


def test_every_row_is_a_case_or_has_a_reason() -> None:
    cases = {one.id for one in builtin_cases()}
    missing = [row for row in ROWS if row not in cases | UNCHECKED.keys() | PENDING]
    assert not missing, f"write a case for {missing}, or say in conformance/unchecked.py why there is none"


def test_no_row_is_two_things() -> None:
    cases = {one.id for one in builtin_cases()}
    both = sorted(cases & UNCHECKED.keys())
    assert not both, f"{both} are cases: take them out of conformance/unchecked.py"
    done = sorted(PENDING & (cases | UNCHECKED.keys()))
    assert not done, f"{done} are done: take them out of PENDING in this module"


def test_ids_are_those_of_the_catalogue() -> None:
    known = set(ROWS)
    assert len(known) == len(ROWS)
    own = sorted(({one.id for one in builtin_cases()} | UNCHECKED.keys() | PENDING) - known)
    assert not own, (
        f"{own} are no rows of the catalogue: use the id and the words of tests/data/catalogue-ids.txt"
    )


def test_every_reason_is_one_sentence_of_the_page() -> None:
    shown = page().partition("## Not checked")[2]
    for row, reason in UNCHECKED.items():
        assert reason.endswith("."), f"{row}: a sentence ends with a full stop"
        assert ". " not in reason, f"{row}: one sentence"
        assert f"| `{row}` | {reason} |" in shown
