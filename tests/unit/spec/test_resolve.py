"""Families to runtimes: names, order of settings, changes to lists, single runtimes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.library import examine, spec_files
from runtimebuilder.spec.model import RuntimeSpec

Write = Callable[..., Path]


def runtimes(folder: Path) -> Mapping[str, RuntimeSpec]:
    return Catalog.load([folder]).runtimes


def test_every_version_in_every_variant_is_a_runtime(write: Write, family: str) -> None:
    assert list(runtimes(write(php=family))) == ["php-81", "php-81-fpm", "php-82", "php-82-fpm"]


def test_a_runtime_knows_what_it_is(write: Write, family: str) -> None:
    runtime = runtimes(write(php=family))["php-82"]
    assert runtime == RuntimeSpec(
        name="php-82",
        family="php",
        version="8.2",
        variant="function",
        summary="PHP 8.2: events",
        template="php",
        base="al2023",
        platforms=("linux/amd64", "linux/arm64"),
        extensions=("curl", "zip"),
        kind="function",
        source="runtimes/php.yaml",
    )
    assert runtime.xy == "82"


def test_one_more_version_is_one_more_word(write: Write, family: str) -> None:
    before = set(runtimes(write(php=family)))
    after = set(runtimes(write(php=family.replace('"8.2"]', '"8.2", "8.3"]'))))
    assert after - before == {"php-83", "php-83-fpm"}
    assert before < after


def test_versions_may_be_a_list_or_a_mapping(write: Write, family: str) -> None:
    as_list = runtimes(write(php=family))
    as_mapping = runtimes(write(php=family.replace('["8.1", "8.2"]', '{ "8.1": , "8.2": {} }')))
    assert dict(as_mapping) == dict(as_list)


def test_variant_wins_over_version_and_version_over_family(write: Write, family: str) -> None:
    text = family.replace(
        'versions: ["8.1", "8.2"]', 'versions: { "8.1": { ini: { b: v, c: v } }, "8.2": { base: debian-12 } }'
    )
    text = text.replace("events }", "events, ini: { c: w }, platforms: [linux/arm64] }")
    found = runtimes(write(php=text + "ini: { a: f, b: f, c: f }\n"))
    assert found["php-81"].ini == {"a": "f", "b": "v", "c": "w"}
    assert found["php-82"].ini == {"a": "f", "b": "f", "c": "w"}
    assert found["php-81-fpm"].ini == {"a": "f", "b": "v", "c": "v"}
    assert [found[name].base for name in ("php-81", "php-82")] == ["al2023", "debian-12"]
    assert found["php-81"].platforms == ("linux/arm64",)
    assert found["php-81-fpm"].platforms == ("linux/amd64", "linux/arm64")


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("[+redis, -zip]", ("curl", "redis")),
        ("[-zip]", ("curl",)),
        ("[gd, apcu]", ("apcu", "gd")),
        ("[]", ()),
        ("[+curl]", ("curl", "zip")),
    ],
)
def test_extensions_are_changed_or_replaced(
    write: Write, family: str, override: str, expected: tuple[str, ...]
) -> None:
    found = runtimes(write(php=family.replace("events }", f"events, extensions: {override} }}")))
    assert found["php-82"].extensions == expected
    assert found["php-82-fpm"].extensions == ("curl", "zip")


def test_what_a_version_took_away_a_variant_may_take_away_again(write: Write, family: str) -> None:
    text = family.replace('["8.1", "8.2"]', '{ "8.1": { extensions: [-zip] }, "8.2": }')
    text = text.replace("events }", "events, extensions: [-zip] }")
    assert runtimes(write(php=text))["php-81"].extensions == ("curl",)


def test_ini_booleans_are_as_php_writes_them_and_numbers_keep_their_text(write: Write, family: str) -> None:
    found = runtimes(write(php=family + 'ini: { d: off, c: on, b: 128, a: 0755, e: "", f: 10M }\n'))
    assert list(found["php-82"].ini.items()) == [
        ("a", "0755"),
        ("b", "128"),
        ("c", "1"),
        ("d", "0"),
        ("e", ""),
        ("f", "10M"),
    ]


def test_mappings_are_sorted(write: Write, family: str) -> None:
    found = runtimes(write(php=family + "env: { B: 2, A: x y }\nlabels: { z.y: q, team: 'v{{ xy }}' }\n"))
    assert list(found["php-82"].env.items()) == [("A", "x y"), ("B", "2")]
    assert list(found["php-82"].labels.items()) == [("team", "v82"), ("z.y", "q")]


def test_values_are_data_and_keep_their_braces(write: Write, family: str) -> None:
    found = runtimes(write(php=family + "env: { A: '{{ version }} ${B} `x`' }\n"))
    assert found["php-82"].env == {"A": "{{ version }} ${B} `x`"}


SINGLE = """\
schema: 1
name: shop-api
family: php
version: "8.2"
variant: fpm
base: debian-12
extensions: [redis, gd]
"""


def test_a_file_with_a_name_is_one_runtime(write: Write) -> None:
    found = runtimes(write(shop=SINGLE))
    assert list(found) == ["shop-api"]
    assert found["shop-api"].template == "php"
    assert found["shop-api"].extensions == ("gd", "redis")
    assert found["shop-api"].summary == "shop-api"


ODD_ONE_OUT = "either every item has + or - (a change to the list above), or none has (a new list)"


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        (
            '"8.2"',
            "8.2",
            (4, 10),
            'version: 8.2 is read as the number 8.2, a text is wanted here; quote it: "8.2"',
        ),
        (
            '"8.2"',
            '"8.4"',
            (4, 10),
            "base 'debian-12' has no PHP 8.4, only 8.2; PHP 8.4 is on al2023, debian-13",
        ),
        ("fpm", "fmp", (5, 10), "unknown variant 'fmp'; did you mean 'fpm'?"),
        ("family: php\n", "", (1, 1), "the key 'family' is missing"),
        ("gd]", "gdx]", (7, 21), "unknown extension 'gdx'; did you mean 'gd'?"),
        (
            "gd]",
            "qqqq]",
            (7, 21),
            "unknown extension 'qqqq' on base 'debian-12'; what has no package is compiled: builds",
        ),
        ("[redis", "[+redis", (7, 22), f"extensions: {ODD_ONE_OUT}"),
        (
            "[redis, gd]",
            "[+redis]",
            (7, 14),
            "'+redis' changes a list, and there is none above it; write 'redis'",
        ),
    ],
)
def test_a_mistake_in_one_runtime_is_found_at_its_place(
    write: Write, old: str, new: str, place: tuple[int, int], message: str
) -> None:
    examined = examine(spec_files([write(shop=SINGLE.replace(old, new))]))
    found = [((problem.line, problem.column), problem.message) for problem in examined.problems]
    assert found == [(place, message)]
