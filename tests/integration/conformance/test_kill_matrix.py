"""A mutant fails its own case, and no MUST that has nothing to do with its mistake: a dozen of them, judged here.

All of them: `python -m tests.integration.conformance.kill_matrix`, which makes docs/kill-matrix.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import pytest

from runtimebuilder.conformance.case import Level, builtin_cases
from tests.integration.conformance import bench
from tests.integration.conformance.kill_matrix import (
    PAGE,
    Kill,
    Mutant,
    all_mutants,
    cases_for,
    is_quick,
    page,
    read,
)
from tests.integration.conformance.kill_matrix import judge as judge_mutant
from tests.integration.conformance.mutants.related import FATAL, RELATED

SECTIONS = ("Events and their headers", "Payloads", "Event sources")
SPREAD = (
    "RT-001",
    "RT-019",
    "RT-031",
    "RT-060",
    "RT-075",
    "RT-080",
    "RT-110",
    "RT-114",
    "ST-02",
    "SS-01",
    "EV-01",
    "IM-05",
)
KNOWN = builtin_cases()
MUSTS = tuple(one.number for one in KNOWN if one.level is Level.MUST)


@pytest.fixture(scope="module")
def kills(miniature: str) -> Iterator[dict[str, Future[Kill]]]:
    """The verdicts on the spread, begun all at once."""
    mutants = {one.case: one for one in all_mutants()}
    others = [
        one.number for one in KNOWN if one.level is Level.MUST and one.section in SECTIONS and is_quick(one)
    ]
    assert len(others) > 15
    with ProcessPoolExecutor(
        bench.PROCESSES, mp_context=get_context("spawn"), initializer=bench.begin
    ) as pool:
        yield {
            case: pool.submit(judge_mutant, miniature, mutants[case], tuple(dict.fromkeys([case, *others])))
            for case in SPREAD
        }


@pytest.mark.parametrize("case", SPREAD)
def test_a_mutant_fails_its_own_case_and_nothing_unrelated(kills: dict[str, Future[Kill]], case: str) -> None:
    kill = kills[case].result()
    assert kill.is_found
    assert kill.unrelated(MUSTS) == ()
    assert kill.errored == ()
    assert len(kill.ran) > 15


def test_what_is_related_is_declared_for_mutants_and_cases_that_are_there() -> None:
    mutants = {one.case for one in all_mutants()}
    numbers = {one.number for one in KNOWN}
    assert set(RELATED) | set(FATAL) <= mutants
    assert {case for related in RELATED.values() for case in related} <= numbers
    assert all(reason for related in RELATED.values() for reason in related.values())


def test_a_mutant_is_judged_with_its_own_section_and_some_of_the_others() -> None:
    sections = {one.number: one.section for one in KNOWN}
    first, *others = cases_for("RT-060", KNOWN)
    assert first == "RT-060"
    own = {one.number for one in KNOWN if one.section == "Response" and one.level is Level.MUST}
    assert own - {"RT-060"} <= set(others)
    assert len({sections[number] for number in others}) > 6


def killed(case: str, *failed: str, mistake: str = "a-mistake") -> Kill:
    return Kill(case, mistake, (*failed, "RT-003"), failed, (), (), 1.0)


def test_a_must_that_nobody_expected_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RELATED, "RT-060", {"RT-061": "it has to"})
    kill = killed("RT-060", "RT-060", "RT-061", "RT-017")
    assert kill.unrelated(MUSTS) == ("RT-017",)
    text = page([kill, killed("RT-061", "RT-003")], KNOWN)
    assert "RT-061: it has to; **unexpected: RT-017**" in text
    assert "- found by their own case: 1; not: RT-061" in text
    assert f"judged: 2 of {len(all_mutants())} mutants" in text


def test_results_are_read_back(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    older, newer = killed("RT-060"), killed("RT-060", "RT-060")
    file.write_text("".join(json.dumps(asdict(one)) + "\n" for one in (older, newer)))
    assert read(file) == {"RT-060": newer}
    assert read(tmp_path / "none") == {}


def test_the_page_is_there_and_nothing_in_it_was_unexpected() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "- failing a MUST that nobody expected: 0\n" in text
    assert text.count("| yes |") >= 40


def test_mutants_come_section_by_section() -> None:
    first = all_mutants()[:8]
    sections = {one.number: one.section for one in KNOWN}
    assert len({sections[one.case] for one in first}) == 8
    assert all(isinstance(one, Mutant) for one in first)
