"""How mistakes are shown to people."""

from __future__ import annotations

from runtimebuilder.errors import ExitCode, SpecError
from runtimebuilder.spec.problem import Problem, SpecErrors, count_line, did_you_mean


def test_a_mistake_is_shown_with_its_line_and_carets() -> None:
    problem = Problem(
        "runtimes/shop.yaml", 4, 15, 5, "unknown extension 'redsi'", "extensions: [+redsi, +gd, -soap]"
    )
    assert problem.text() == (
        "runtimes/shop.yaml:4:15: unknown extension 'redsi'\n"
        "  4 | extensions: [+redsi, +gd, -soap]\n"
        "    |               ^^^^^"
    )


def test_the_gutter_is_as_wide_as_the_line_number() -> None:
    assert Problem("a", 120, 1, 2, "m", "xy").text().splitlines()[1:] == ["  120 | xy", "      | ^^"]


def test_carets_end_with_the_line() -> None:
    assert Problem("a", 1, 3, 50, "m", "abcd").text().endswith("|   ^^")


def test_control_characters_do_not_reach_the_terminal() -> None:
    shown = Problem("a", 1, 3, 1, "m", "a\tb\x1b[31mred").text()
    assert "\x1b" not in shown
    assert "\t" not in shown


def test_a_long_line_is_shown_in_part_with_the_carets_still_under_the_mistake() -> None:
    line = "x" * 500 + "BAD" + "y" * 500
    _, excerpt, carets = Problem("a", 1, 501, 3, "m", line).text().splitlines()
    assert len(excerpt) < 140
    assert excerpt[carets.index("^") :].startswith("BAD")
    assert carets.count("^") == 3


def test_all_mistakes_are_ordered_by_place_and_named_once() -> None:
    first, second, third = (
        Problem("a.yaml", 2, 1, 1, "m", "x"),
        Problem("a.yaml", 10, 1, 1, "m", "x"),
        Problem("b.yaml", 1, 1, 1, "m", "x"),
    )
    errors = SpecErrors([third, second, first, second], files=3)
    assert errors.problems == (first, second, third)
    assert errors.message == "3 errors in 2 of 3 files"
    assert isinstance(errors, SpecError)
    assert errors.exit_code is ExitCode.USAGE
    assert errors.detail is not None
    assert [line[:8] for line in errors.detail.splitlines()[::3]] == ["a.yaml:2", "a.yaml:1", "b.yaml:1"]


def test_the_count_line_knows_one_from_many() -> None:
    one = Problem("a.yaml", 2, 1, 1, "m", "x")
    assert count_line((one,), 1) == "1 error in 1 of 1 file"
    assert count_line((), 1) == "0 errors in 1 file"
    assert count_line((), 3) == "0 errors in 3 files"


def test_only_near_words_are_suggested() -> None:
    assert did_you_mean("redsi", ["gd", "redis"]) == "; did you mean 'redis'?"
    assert did_you_mean("qqqq", ["gd", "redis"]) == ""
