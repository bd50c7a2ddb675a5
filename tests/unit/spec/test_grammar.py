"""Mistakes in specs: each is found, at its exact place, in words that say what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.spec.library import examine, spec_files
from runtimebuilder.spec.problem import Problem

Write = Callable[..., Path]


def problems(folder: Path) -> tuple[Problem, ...]:
    return examine(spec_files([folder])).problems


def found(folder: Path) -> list[tuple[str, str]]:
    """Place and message of each mistake: ("5:12", "versions: ...")."""
    return [(f"{problem.line}:{problem.column}", problem.message) for problem in problems(folder)]


def test_a_good_family_has_no_mistake(write: Write, family: str) -> None:
    assert found(write(php=family)) == []


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("template: php", "templat: php", "4:1", "unknown key 'templat'; did you mean 'template'?"),
        (
            "summary: events", "sumary: events", "7:37",
            "variants: function: unknown key 'sumary'; did you mean 'summary'?",
        ),
        (
            '"8.2"]', "8.10]", "5:19",
            'versions: 8.10 is read as the number 8.1, a text is wanted here; quote it: "8.10"',
        ),
        ('"8.2"]', "no]", "5:19", 'versions: no is read as false, a text is wanted here; quote it: "no"'),
        ('"8.2"]', '"8"]', "5:19", "versions: 8: '8' is not a version; write major.minor, such as \"8.2\""),
        ('"8.2"]', '"8.1"]', "5:19", "versions: '8.1' stands here twice"),
        ('["8.1", "8.2"]', "[]", "5:11", "versions: at least one is wanted here"),
        ('["8.1", "8.2"]', "x", "5:11", "versions: a mapping is wanted here, not a text"),
        ("schema: 1", "schema: 2", "1:9", "schema: '2' is not possible here; possible is 1"),
        ("family: php", "family: [php]", "2:9", "family: a text is wanted here, not a list"),
        (
            "family: php", "family: PHP", "2:9",
            "family: 'PHP' is not a name; use a-z and 0-9, with single . _ or - between",
        ),
        ("base: al2023", "base: al2032", "9:7", "unknown base 'al2032'; did you mean 'al2023'?"),
        (
            "base: al2023", "base: al2", "9:7",
            "there is no base 'al2': the PHP of Amazon Linux 2 is past its end of life; use al2023",
        ),
        ("base: al2023", "platforms: [linux/amd64]", "1:1", "the key 'base' is missing"),
        (
            "base: al2023", "base: debian-12", "5:12",
            "base 'debian-12' has no PHP 8.1, only 8.2; PHP 8.1 is on al2023",
        ),
        ("[curl, zip]", "curl", "10:13", "extensions: a list is wanted here, not a text"),
        ("[curl, zip]", "[curl, redsi]", "10:20", "unknown extension 'redsi'; did you mean 'redis'?"),
        ("[curl, zip]", "[curl, curl]", "10:20", "extensions: 'curl' stands here twice"),
        (
            "[curl, zip]", "[+curl]", "10:14",
            "'+curl' changes a list, and there is none above it; write 'curl'",
        ),
        (
            "[curl, zip]", "[curl, sodium]", "10:20",
            "extension 'sodium' is not there for PHP 8.1 on base 'al2023', only from 8.2 on",
        ),
        (
            "[curl, zip]", "[curl, 'a b']", "10:20",
            "extensions: 'a b' is not an extension's name; use a-z, 0-9, _ and -, and begin with a letter",
        ),
        ("fpm: {", "fpn: {", "8:3", "unknown variant 'fpn'; did you mean 'fpm'?"),
        ("php-{{ xy }}-fpm", "php-{{ yx }}-fpm", "8:21", "unknown placeholder 'yx'; known are version, xy"),
        (
            "PHP {{ version }}", "PHP {{ version }", "3:14",
            "'{{' is not a placeholder; write {{ name }} with one of version, xy",
        ),
        (
            "php-{{ xy }}-fpm", "php {{ xy }}", "8:16",
            "'php 81' is not a name; use a-z and 0-9, with single . _ or - between",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_found_at_its_place(
    write: Write, family: str, old: str, new: str, *, place: str, message: str
) -> None:
    assert old in family
    assert (place, message) in found(write(php=family.replace(old, new)))


@pytest.mark.parametrize(
    ("line", "place", "message"),
    [
        ("ini: { memory_limit: [1] }", "11:22", "ini: memory_limit: a text is wanted here, not a list"),
        (
            "ini: { a limit: 1 }", "11:8",
            "ini: a limit: 'a limit' is not the name of an ini setting; use letters, digits, _ and .",
        ),
        (
            "ini: { precision: 1.5 }", "11:19",
            'ini: precision: 1.5 is read as the number 1.5, a text is wanted here; quote it: "1.5"',
        ),
        (
            "ini: { precision: }", "11:18",
            'ini: precision: a text is wanted here, not nothing; write "" for an empty one',
        ),
        ('ini: { a: "x\\ny" }', "11:11", "ini: a: a line break cannot stand here"),
        ('ini: { a: "x\\0y" }', "11:11", "ini: a: the control character '\\x00' cannot stand here"),
        (
            "env: { DEBUG: no }", "11:15",
            'env: DEBUG: no is read as false, a text is wanted here; quote it: "no"',
        ),
        (
            "env: { A-B: x }", "11:8",
            "env: A-B: 'A-B' is not the name of an environment variable; use letters, digits and _",
        ),
        (
            "env: { 1A: x }", "11:8",
            "env: 1A: '1A' is not the name of an environment variable; use letters, digits and _",
        ),
        (
            "labels: { dev.runtimebuilder.base: x }", "11:11",
            "labels: dev.runtimebuilder.base: labels under dev.runtimebuilder. are set by the tool itself",
        ),
        ("labels: { team: '{{ squad }}' }", "11:18", "unknown placeholder 'squad'; known are version, xy"),
        (
            "platforms: [linux/amd46]", "11:13",
            "platforms: 'linux/amd46' is not possible here; did you mean 'linux/amd64'?",
        ),
        ("platforms: [linux/amd64, linux/amd64]", "11:26", "platforms: 'linux/amd64' stands here twice"),
    ],
)  # fmt: skip
def test_a_mistake_in_settings_is_found_at_its_place(
    write: Write, family: str, line: str, place: str, message: str
) -> None:
    assert found(write(php=family + line + "\n")) == [(place, message)]


def test_a_file_that_is_neither_family_nor_runtime_says_so(write: Write) -> None:
    assert found(write(x="schema: 1\nsummary: x\n")) == [
        ("1:1", "neither 'family' (many runtimes) nor 'name' (one runtime) stands here")
    ]


def test_a_list_is_no_spec(write: Write) -> None:
    assert found(write(x="- a\n")) == [("1:1", "a spec is a mapping: keys and values")]


def test_missing_keys_are_all_named(write: Write) -> None:
    assert [message for _, message in found(write(x="family: php\n"))] == [
        f"the key {key!r} is missing" for key in ("schema", "summary", "template", "variants", "versions")
    ]


def test_one_run_names_all_mistakes_of_all_files_in_order(write: Write, family: str) -> None:
    folder = write(
        a=family.replace("curl", "crul").replace("al2023", "al2023\nini: {a: [], b: []}"),
        b="a: [\n",
        c=family.replace("php-", "c-"),
        d=family.replace("php-", "d-").replace("events }", "events, extensions: [-gd] }"),
    )
    examined = examine(spec_files([folder]))
    assert examined.files == 4
    assert [(p.file, p.line, p.column) for p in examined.problems] == [
        ("runtimes/a.yaml", 10, 10),
        ("runtimes/a.yaml", 10, 17),
        ("runtimes/a.yaml", 11, 14),
        ("runtimes/b.yaml", 2, 1),
        ("runtimes/d.yaml", 7, 65),
    ]


def test_an_unknown_extension_is_named_once_for_all_versions_and_variants(write: Write, family: str) -> None:
    assert len(problems(write(php=family.replace("curl", "crul")))) == 1


def test_a_change_is_marked_behind_its_sign(write: Write, family: str) -> None:
    text = family.replace("events }", "events, extensions: [+redsi] }")
    (problem,) = problems(write(php=text))
    assert problem.text() == (
        "runtimes/php.yaml:7:68: unknown extension 'redsi'; did you mean 'redis'?\n"
        '  7 |   function: { name: "php-{{ xy }}", summary: events, extensions: [+redsi] }\n'
        "    |                                                                    ^^^^^"
    )


def test_two_runtimes_of_one_name_in_one_folder_name_both_places(write: Write, family: str) -> None:
    folder = write(a=family, b=family.replace('versions: ["8.1", "8.2"]', 'versions: ["8.2"]'))
    again = "stands here again; the first is at runtimes/a.yaml"
    assert [problem.text().splitlines()[0] for problem in problems(folder)] == [
        f"runtimes/b.yaml:7:21: the runtime 'php-82' {again}:7:21",
        f"runtimes/b.yaml:8:16: the runtime 'php-82-fpm' {again}:8:16",
    ]


def test_two_variants_of_one_name_are_a_mistake(write: Write, family: str) -> None:
    assert "stands here again" in found(write(php=family.replace("}}-fpm", "}}")))[0][1]
