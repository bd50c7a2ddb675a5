"""Cases, their registry and their selection."""

from __future__ import annotations

import dataclasses
import re

import pytest

from runtimebuilder.conformance.case import Case, Level, builtin_cases, case, case_of, catalogue_order
from runtimebuilder.conformance.cases import response
from runtimebuilder.conformance.selection import NOT_SELECTED, Selection, check_selection
from runtimebuilder.errors import ExitCode, NothingSelectedError


def named(identity: str) -> Case:
    (found,) = [one for one in builtin_cases() if one.number == identity]
    return found


def test_a_number_can_be_taken_once_only() -> None:
    with pytest.raises(ValueError, match=r"RT-060 is taken by runtimebuilder\.conformance\.cases\.response"):
        case("RT-060-another-name", Level.MUST, requirement="x", page="x", section="x")(lambda: None)


@pytest.mark.parametrize(
    "identity", ["RT-60", "rt-060-basic", "RT-060", "RT-060-", "060-basic", "RT-060-a/b"]
)
def test_a_malformed_id_is_refused(identity: str) -> None:
    with pytest.raises(ValueError, match="is not a case id"):
        case(identity, Level.MUST, requirement="x", page="x", section="x")


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("runtimes-api", "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html"),
        ("https://wiki.example.com/images#labels", "https://wiki.example.com/images#labels"),
        ("test_shop.py", "test_shop.py"),
        (
            "javascript:alert(1)//.py",
            "https://docs.aws.amazon.com/lambda/latest/dg/javascript:alert(1)//.py.html",
        ),
        ("https://x/<b>", "https://docs.aws.amazon.com/lambda/latest/dg/https://x/<b>.html"),
    ],
)
def test_a_page_is_of_the_documentation_an_address_or_a_file(page: str, link: str) -> None:
    assert dataclasses.replace(named("RT-060"), page=page).link == link


def test_a_function_carries_its_case() -> None:
    assert case_of(response.test_response_basic) == named("RT-060")
    assert case_of(len) is None


def test_the_facts_of_every_case_are_complete() -> None:
    for one in builtin_cases():
        assert one.requirement.endswith("."), one.id
        assert re.fullmatch(r"[a-z0-9-]+", one.page), one.id
        assert one.link.startswith("https://docs.aws.amazon.com/lambda/latest/dg/")
        assert one.function.startswith("test_"), one.id


def test_cases_are_in_the_catalogues_order() -> None:
    numbers = [one.number for one in builtin_cases()]
    assert numbers[0] == "RT-001"
    assert numbers[-1] == "PL-13"
    chapters = ("RT", "ST", "LC", "SS", "MI", "EV", "FS", "IM", "EX", "PL")
    assert numbers == sorted(numbers, key=lambda number: (chapters.index(number[:2]), number))


def test_a_prefix_of_others_comes_last() -> None:
    mine = case("ZZ-001-mine", Level.MAY, requirement="x.", page="x", section="x")(lambda: None)
    made = case_of(mine)
    assert made is not None
    assert catalogue_order(made) > catalogue_order(named("PL-13"))
    assert made not in builtin_cases()


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ("RT-060", ["RT-060"]),
        ("rt-060-response-basic", ["RT-060"]),
        ("RT-06[01]", ["RT-060", "RT-061"]),
        ("PL-1*", ["PL-10", "PL-11", "PL-12", "PL-13"]),
        ("*-413-then-small", ["RT-068"]),
        ("RT-06", []),
    ],
)
def test_a_pattern_names_cases(pattern: str, numbers: list[str]) -> None:
    assert [one.number for one in builtin_cases() if one.matches(pattern)] == numbers


def test_a_slow_case_is_left_out_and_says_why() -> None:
    assert Selection().refusal(named("RT-005")) == "slow (holds next for 65 s): run it with --soak"
    assert Selection().refusal(named("RT-060")) is None


@pytest.mark.parametrize("selection", [Selection(soak=True), Selection(cases=("RT-005",))])
def test_a_slow_case_runs_when_it_is_asked_for(selection: Selection) -> None:
    assert selection.refusal(named("RT-005")) is None


def test_a_glob_does_not_ask_for_a_slow_case() -> None:
    assert "slow" in (Selection(cases=("RT-00*",)).refusal(named("RT-005")) or "")


def test_a_section_is_named_by_part_of_its_title() -> None:
    selection = Selection(sections=("start",))
    assert selection.refusal(named("RT-150")) is None
    assert selection.refusal(named("RT-060")) == NOT_SELECTED


def test_levels_narrow_what_else_was_selected() -> None:
    must, should = named("RT-060"), named("RT-062")
    assert (must.level, should.level) == (Level.MUST, Level.SHOULD)
    for cases in ((), ("RT-06*",)):
        selection = Selection(cases=cases, levels=(Level.SHOULD, Level.MAY))
        assert selection.is_explicit
        assert selection.refusal(must) == NOT_SELECTED
        assert selection.refusal(should) is None


@pytest.mark.parametrize(
    ("selection", "message", "hint"),
    [
        (Selection(cases=("RT-060", "RT-06X")), "no case matches 'RT-06X'", "did you mean RT-0"),
        (Selection(cases=("XX-*",)), "no case matches 'XX-*'", "--list"),
        (Selection(sections=("nothing",)), "no section matches 'nothing'", "Start failures"),
        (Selection(cases=("RT-060",), levels=(Level.MAY,)), "the selection leaves no case to run", "--list"),
        (Selection(cases=("RT-00[5]*",)), "the selection leaves no case to run", "--soak"),
    ],
)
def test_a_selection_of_nothing_is_an_error(selection: Selection, message: str, hint: str) -> None:
    with pytest.raises(NothingSelectedError) as caught:
        check_selection(selection, builtin_cases())
    assert caught.value.message == message
    assert hint in (caught.value.hint or "")
    assert caught.value.exit_code is ExitCode.NOTHING
