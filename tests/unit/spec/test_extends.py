"""`extends`: what comes from the other runtime, what is changed, and what cannot be meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.library import examine, spec_files
from runtimebuilder.spec.model import RuntimeSpec

Write = Callable[..., Path]
SHOP = """\
schema: 1
name: shop
extends: php-82-fpm
extensions: [+redis, -zip]
ini: { memory_limit: 512M }
env: { STAGE: live }
"""


def runtimes(folder: Path) -> dict[str, RuntimeSpec]:
    return dict(Catalog.load([folder]).runtimes)


def mistakes(folder: Path, *only: str) -> list[tuple[str, str]]:
    files = [folder / f"{name}.yaml" for name in only] or spec_files([folder])
    return [(f"{Path(p.file).name}:{p.line}:{p.column}", p.message) for p in examine(files).problems]


def test_what_is_not_said_is_the_others(write: Write, family: str) -> None:
    found = runtimes(
        write(php=family + "ini: { a: '1' }\nlabels: { team: 'php {{ version }}' }\n", shop=SHOP)
    )
    shop, parent = found["shop"], found["php-82-fpm"]
    assert (shop.family, shop.version, shop.variant, shop.kind) == ("php", "8.2", "fpm", "fpm")
    assert (shop.template, shop.base, shop.platforms) == (parent.template, parent.base, parent.platforms)
    assert shop.extensions == ("curl", "redis")
    assert shop.ini == {"a": "1", "memory_limit": "512M"}
    assert shop.env == {"STAGE": "live"}
    assert shop.labels == {"team": "php 8.2"}
    assert shop.summary == parent.summary
    assert shop.source == "runtimes/shop.yaml"
    assert parent.extensions == ("curl", "zip"), "the other one is as it was"


def test_chains_are_followed_in_any_order_of_files(write: Write, family: str) -> None:
    last = "schema: 1\nname: a-last\nextends: shop\nextensions: [+zip]\nsummary: the last\nbase: debian-12\n"
    found = runtimes(write(a=last, php=family, shop=SHOP))
    assert found["a-last"].extensions == ("curl", "redis", "zip")
    assert found["a-last"].summary == "the last"
    assert (found["a-last"].base, found["shop"].base) == ("debian-12", "al2023")


def test_a_whole_list_replaces_the_others(write: Write, family: str) -> None:
    found = runtimes(write(php=family, shop=SHOP.replace("[+redis, -zip]", "[gd]")))
    assert found["shop"].extensions == ("gd",)


def test_packages_are_changed_or_replaced(write: Write, family: str) -> None:
    parent = family + "packages: { al2023: [git, unzip] }\n"
    for said, expected in (("[+jq, -git]", ("unzip", "jq")), ("[jq]", ("jq",))):
        found = runtimes(write(php=parent, shop=SHOP + f"packages: {{ al2023: {said} }}\n"))
        assert found["shop"].packages == {"al2023": expected}


def test_a_built_in_runtime_can_be_extended_and_hidden_behind_ones_own(write: Write) -> None:
    write(own="schema: 1\nname: php-82\nextends: php-82\nini: { memory_limit: 1G }\n")
    catalog = Catalog.load()
    assert catalog.runtimes["php-82"].ini["memory_limit"] == "1G"
    assert catalog.runtimes["php-82"].ini["display_errors"] == "0"
    assert catalog.runtimes["php-83"].ini["memory_limit"] == "10240M"
    assert catalog.resolved["php-82"].extends == ("php-82",)


def test_one_file_is_checked_with_the_others_it_extends(write: Write, family: str) -> None:
    folder = write(php=family, shop=SHOP.replace("+redis", "+redsi"))
    assert mistakes(folder, "shop") == [
        ("shop.yaml:4:15", "unknown extension 'redsi'; did you mean 'redis'?")
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "php-82-fpm",
            "php-82-fmp",
            ("shop.yaml:3:10", "unknown runtime 'php-82-fmp'; did you mean 'php-82-fpm'?"),
        ),
        ("php-82-fpm", "shop", ("shop.yaml:3:10", "unknown runtime 'shop'")),
        (
            "name: shop",
            'name: shop\nversion: "8.3"',
            ("shop.yaml:3:1", "'version' is that of the runtime that is extended; leave it out"),
        ),
        ("-zip", "-zipp", ("shop.yaml:4:22", "'-zipp' takes away what is not there")),
        ("-zip", "zip", None),
        ("name: shop\n", "", ("shop.yaml:1:1", "the key 'name' is missing")),
        ("env:", "envy:", ("shop.yaml:6:1", "unknown key 'envy'; did you mean 'env'?")),
    ],
)
def test_mistakes_have_their_places(
    write: Write, family: str, old: str, new: str, expected: tuple[str, str] | None
) -> None:
    found = mistakes(write(php=family, shop=SHOP.replace(old, new)))
    if expected is None:
        assert "either every item" in found[0][1]
    else:
        assert found == [expected]


def test_a_circle_is_told_once(write: Write) -> None:
    texts = {
        name: f"schema: 1\nname: {name}\nextends: {other}\n"
        for name, other in (("a", "b"), ("b", "c"), ("c", "a"))
    }
    assert mistakes(write(**texts)) == [("a.yaml:3:10", "'extends' goes in a circle: a → b → c → a")]


def test_a_mistake_in_the_other_is_told_there_alone(write: Write, family: str) -> None:
    broken = family.replace("extensions:", "extensoins:")
    folder = write(php=broken, shop=SHOP)
    assert mistakes(folder) == [
        ("php.yaml:10:1", "unknown key 'extensoins'; did you mean 'extensions'?"),
    ]


def test_a_mistake_in_a_file_that_was_not_asked_for_stands_in_the_way_and_is_told(
    write: Write, family: str
) -> None:
    folder = write(php=family.replace("extensions:", "extensoins:"), shop=SHOP)
    assert mistakes(folder, "shop") == [
        ("shop.yaml:3:10", "'php-82-fpm' has mistakes of its own: see runtimes/php.yaml")
    ]
    folder = write(php=family.replace("variants:", "varaints:"), shop=SHOP.replace("php-82-fpm", "acme"))
    ((place, message),) = mistakes(folder, "shop")
    assert (place, message) == (
        "shop.yaml:3:10",
        "there is no runtime 'acme', unless it is in runtimes/php.yaml, which has mistakes",
    )


def test_what_the_new_base_lacks_is_told_at_extends_with_the_place_of_the_word(
    write: Write, family: str
) -> None:
    text = family.replace('["8.1", "8.2"]', '["8.2"]').replace("[curl, zip]", "[curl, sodium, imap]")
    text = text.replace("base: al2023", "base: debian-12")
    folder = write(php=text, shop=SHOP.replace("[+redis, -zip]", "[+redis]") + "base: al2023\n")
    ((place, message),) = mistakes(folder)
    assert place == "shop.yaml:3:10"
    assert message.startswith("extension 'imap' is not there on base 'al2023'")
    assert message.endswith("(said at runtimes/php.yaml:10)")


BASES = """\
bases:
  debian-12:
    extensions: [+apcu]
    ini: { a: debian }
  al2023:
    ini: { a: amazon }
"""


def test_a_base_has_its_own_settings(write: Write, family: str) -> None:
    found = runtimes(
        write(
            php=family + "ini: { a: all, b: all }\n" + BASES,
            shop=SHOP + "bases: {debian-13: {env: {STAGE: dev}}}\n",
        )
    )
    own, shop = found["php-82"], found["shop"]
    assert (own.ini, own.extensions) == ({"a": "amazon", "b": "all"}, ("curl", "zip"))
    assert own.on("al2023") is own
    there = own.on("debian-12")
    assert (there.ini, there.extensions) == ({"a": "debian", "b": "all"}, ("apcu", "curl", "zip"))
    assert there.base == "al2023", "the base that the spec asks for"
    assert own.on("debian-13").ini == {"a": "all", "b": "all"}
    assert shop.on("debian-12").extensions == ("apcu", "curl", "redis")
    assert shop.on("debian-13").env == {"STAGE": "dev"}
    assert shop.env == {"STAGE": "live"}


def test_what_is_said_for_a_base_is_checked_against_it(write: Write, family: str) -> None:
    text = family.replace('["8.1", "8.2"]', '["8.2"]') + BASES.replace("+apcu", "+apcuu")
    assert mistakes(write(php=text)) == [
        ("php.yaml:13:19", "unknown extension 'apcuu'; did you mean 'apcu'?")
    ]
    text = family + "bases: { debian-21: {} }\n"
    assert [place for place, _ in mistakes(write(php=text))] == ["php.yaml:11:10"]
