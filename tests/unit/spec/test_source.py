"""Reading YAML with places: values, keys, and every mistake with its exact file, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtimebuilder.spec import source
from runtimebuilder.spec.source import Document, Mark, Problem


def parsed(text: str) -> Document:
    document, problems = source.parse(text, "a.yaml")
    assert problems == []
    assert document is not None
    return document


def only_problem(text: str) -> Problem:
    _, problems = source.parse(text, "a.yaml")
    assert len(problems) == 1, problems
    return problems[0]


def place(problem: Problem) -> tuple[str, int, int, int]:
    return problem.file, problem.line, problem.column, problem.length


def test_values_are_text_numbers_booleans_lists_and_mappings() -> None:
    document = parsed("a: x\nb: 12\nc: 1.5\nd: off\ne: ~\nf: [1, two]\ng:\n  h: ''\n")
    expected = {"a": "x", "b": 12, "c": 1.5, "d": False, "e": None, "f": [1, "two"], "g": {"h": ""}}
    assert document.data == expected


@pytest.mark.parametrize(
    "text", ["0755", "0x1F", "1_000", "1:30", "2026-01-01", "1e3", ".inf", "=", "n", "y", "+1"]
)
def test_what_other_yaml_readers_turn_into_something_else_stays_text(text: str) -> None:
    assert parsed(f"a: {text}").data == {"a": text}


def test_a_number_too_long_to_be_one_stays_text() -> None:
    digits = "9" * 5000
    assert parsed(f"a: {digits}").data == {"a": digits}


def test_quoted_scalars_are_text() -> None:
    assert parsed('a: "8.10"\nb: \'no\'\nc: "~"').data == {"a": "8.10", "b": "no", "c": "~"}


def test_keys_and_values_remember_their_places() -> None:
    document = parsed("top:\n  list: [one, 'two']\n")
    assert document.mark(("top",), key=True) == Mark(1, 1, 3, "top", 0)
    assert document.mark(("top", "list"), key=True) == Mark(2, 3, 4, "list", 0)
    assert document.mark(("top", "list", 0)) == Mark(2, 10, 3, "one", 0)
    assert document.mark(("top", "list", 1)) == Mark(2, 15, 5, "two", 1)


def test_the_place_of_something_missing_is_the_nearest_thing_around_it() -> None:
    document = parsed("top:\n  a: 1\n")
    assert place(document.problem(("top", "b"), "x")) == ("a.yaml", 2, 3, 1)


def test_a_list_item_can_be_named_by_its_text() -> None:
    assert parsed('versions: ["8.1", "8.2"]').mark(("versions", "8.2", "ini")).column == 19


def test_part_of_a_quoted_text_is_found_behind_the_quote() -> None:
    assert place(parsed('a: "x {{ y }}"').problem(("a",), "m", part=(2, 7))) == ("a.yaml", 1, 7, 7)


def test_a_duplicate_key_names_both_lines() -> None:
    problem = only_problem("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n")
    assert place(problem) == ("a.yaml", 5, 3, 1)
    assert problem.message == "the key 'c' stands here twice; the first is on line 3"
    assert problem.excerpt == "  c: 3"


def test_a_tab_is_refused_where_it_stands() -> None:
    problem = only_problem("a:\n\tb: 1\n")
    assert place(problem) == ("a.yaml", 2, 1, 1)
    assert "tab" in problem.message


def test_a_tab_behind_a_key_is_refused() -> None:
    assert place(only_problem("a:\t1\n"))[:3] == ("a.yaml", 1, 3)


def test_broken_yaml_is_placed() -> None:
    problem = only_problem("a: [1, 2\nb: 3\n")
    assert place(problem)[:3] == ("a.yaml", 2, 2)
    assert problem.message.startswith("not valid YAML: ")


def test_a_second_document_is_refused() -> None:
    problem = only_problem("a: 1\n---\nb: 2\n")
    assert place(problem)[:3] == ("a.yaml", 2, 1)
    assert "second document" in problem.message


@pytest.mark.parametrize(("key", "what"), [("8.1", "number"), ("82", "number"), ("no", "boolean")])
def test_a_key_that_is_no_text_is_refused_with_the_way_to_write_it(key: str, what: str) -> None:
    problem = only_problem(f"versions:\n  {key}: x\n")
    assert place(problem) == ("a.yaml", 2, 3, len(key))
    assert what in problem.message
    assert f'quote it: "{key}"' in problem.message


@pytest.mark.parametrize(
    ("text", "column"),
    [("a: !!python/object:os.system x", 4), ("a: !own {b: 1}", 4), ("a: !!set {b, c}", 4)],
)
def test_tags_are_refused(text: str, column: int) -> None:
    problem = only_problem(text)
    assert problem.column == column
    assert "tags" in problem.message


def test_merge_keys_are_refused() -> None:
    assert place(only_problem("a: &x {b: 1}\nc:\n  <<: *x\n"))[:3] == ("a.yaml", 3, 3)


def test_a_list_as_key_is_refused() -> None:
    assert place(only_problem("? [a, b]\n: 1\n"))[:3] == ("a.yaml", 1, 3)


def test_aliases_work() -> None:
    assert parsed("a: &x [1]\nb: *x\n").data == {"a": [1], "b": [1]}


def test_aliases_that_stand_for_billions_of_values_are_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "fewer aliases" in only_problem("\n".join(lines)).message


def test_an_alias_that_holds_itself_is_refused() -> None:
    assert only_problem("a: &x [*x]\n").message.startswith(("is nested too deeply", "stands for more"))


def test_deep_nesting_is_refused() -> None:
    assert only_problem("a: " + "[" * 3000 + "]" * 3000).message == "is nested too deeply"


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n"])
def test_an_empty_file_is_named(text: str) -> None:
    problem = only_problem(text)
    assert problem.message == "is empty"


@pytest.mark.parametrize("line_break", ["\r\n", "\r", "\x85"])
def test_lines_are_counted_as_yaml_counts_them(line_break: str) -> None:
    problem = only_problem(line_break.join(["a: 1", "b: 2", "a: 3", ""]))
    assert place(problem) == ("a.yaml", 3, 1, 1)
    assert problem.excerpt == "a: 3"


def test_a_control_character_is_placed() -> None:
    problem = only_problem("a: 1\nb: x\x07\n")
    assert place(problem)[:3] == ("a.yaml", 2, 5)


def test_a_file_that_is_not_utf8_is_placed(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"a: 1\nb: \xff\n")
    document, problems = source.read(file, "a.yaml")
    assert document is None
    assert [place(problem)[:3] for problem in problems] == [("a.yaml", 2, 4)]


def test_a_byte_order_mark_does_not_shift_places(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    document, problems = source.read(file, "a.yaml")
    assert problems == []
    assert document is not None
    assert document.mark(("a",), key=True).column == 1


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"a: " + b"x" * 1_000_001)
    document, problems = source.read(file, "a.yaml")
    assert document is None
    assert [problem.message for problem in problems] == ["is larger than 1 MB"]


def test_a_comment_belongs_to_the_value_beside_it_or_the_key_below_it(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(
        """\
# of the file

ini:
  # one,
  #   and more
  above: 1
  beside: "a # b"   #   why
  # not this one

  alone: 2
  # hidden by the one beside
  both: 3 # this
  nested: {inner: 4} # of the mapping
  list: [5]#no comment
""",
        encoding="utf-8",
    )
    document, _ = source.read(file, "x.yaml")
    assert document is not None
    found = {key: document.comment(("ini", key)) for key in ("above", "beside", "alone", "both", "gone")}
    assert found == {"above": "one, and more", "beside": "why", "alone": "", "both": "this", "gone": ""}
    assert document.comment(("ini", "nested", "inner")) == ""
