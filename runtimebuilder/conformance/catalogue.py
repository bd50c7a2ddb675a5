"""The page docs/conformance-cases.md, made from the cases: `python -m runtimebuilder.conformance.catalogue`."""

from __future__ import annotations

import sys
from itertools import groupby

from runtimebuilder.conformance.case import Case, builtin_cases, id_order
from runtimebuilder.conformance.unchecked import ABOUT_EMULATORS, UNCHECKED

_HEAD = """\
# The cases

Made from the code by `make docs`; do not edit. {count} cases. A dagger (†) marks a level that no page of AWS's
documentation states: it is this project's judgement. Ids are for ever. `runtimebuilder verify IMAGE --case ID` runs
one, and a case that needs what a probe does not have is reported as *unsupported*, with the reason. What no case
checks is [at the end](#not-checked), with the reason.
"""

_UNCHECKED = """\
## Not checked

Requirements without a case, because nothing of them can be seen in a runtime from outside. {about}

| Row | Why no case checks it |
|---|---|"""


def page() -> str:
    """The whole page as Markdown, sections in the order in which the catalogue first names them."""
    cases = builtin_cases()
    sections = list(dict.fromkeys(one.section for one in cases))
    ordered = sorted(
        cases, key=lambda one: sections.index(one.section)
    )  # stable: the catalogue's order within
    parts = [_HEAD.format(count=len(cases))]
    for section, members in groupby(ordered, key=lambda one: one.section):
        parts.append(
            f"## {section}\n\n| Case | Level | Requirement | Page | Needs of the probe |\n|---|---|---|---|---|"
        )
        parts[-1] += "".join(f"\n{_row(one)}" for one in members) + "\n"
    parts.append(_UNCHECKED.format(about=ABOUT_EMULATORS))
    parts[-1] += (
        "".join(f"\n| `{row}` | {UNCHECKED[row]} |" for row in sorted(UNCHECKED, key=id_order)) + "\n"
    )
    return "\n".join(parts)


def _row(one: Case) -> str:
    requirement = one.requirement.replace("|", "\\|")
    slow = f" Slow: {one.slow}; runs with `--soak`." if one.slow else ""
    needs = ", ".join(str(need) for need in one.needs) or "-"
    return f"| `{one.id}` | {one.shown_level} | {requirement}{slow} | [{one.page}]({one.link}) | {needs} |"


if __name__ == "__main__":
    sys.stdout.write(page())
