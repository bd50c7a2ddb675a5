"""Cases and tests of other people, as the run finds them in their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtimebuilder.build.subject import own_tests_of
from runtimebuilder.conformance.case import Level, builtin_cases, catalogue_order
from runtimebuilder.conformance.worker_process import cases_in
from runtimebuilder.errors import SpecError
from runtimebuilder.spec.catalog import Catalog

CASE = """
import pytest
from runtimebuilder.conformance.case import Level, case


@case({identity!r}, Level.SHOULD, requirement="Ours.", section="Ours")
def test_ours(warm):
    pass
"""
PLAIN = """

@pytest.mark.parametrize("number", [1, 2])
def test_plain_words(api, number):
    '''A sentence.

    More.
    '''


class TestMore:
    def test_it(self):
        print("nothing of this is in the way")
"""


def file_of(folder: Path, text: str, name: str = "test_shop.py") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_cases_and_plain_tests_are_found(tmp_path: Path) -> None:
    file_of(tmp_path, CASE.format(identity="ACME2-0001-ours") + PLAIN)
    file_of(tmp_path, "raise RuntimeError('not a test')", "other.py")
    found = cases_in([tmp_path])
    assert [(one.id, one.number, one.slug) for one in found] == [
        ("ACME2-0001-ours", "ACME2-0001", "ours"),
        ("test_shop::test_plain_words[1]", "test_shop::test_plain_words[1]", ""),
        ("test_shop::test_plain_words[2]", "test_shop::test_plain_words[2]", ""),
        ("test_shop::TestMore::test_it", "test_shop::TestMore::test_it", ""),
    ]
    assert [
        (one.level, one.requirement, one.section, one.link) for one in (found[0], found[1], found[3])
    ] == [
        (Level.SHOULD, "Ours.", "Ours", "test_shop.py"),
        (Level.MUST, "A sentence.", "shop", "test_shop.py"),
        (Level.MUST, "it.", "shop", "test_shop.py"),
    ]
    last = builtin_cases()[-1]
    assert sorted([*found, last], key=catalogue_order)[:2] == [last, found[0]]


def test_a_conftest_in_the_folder_is_read_and_none_above_it(tmp_path: Path) -> None:
    file_of(tmp_path, "raise RuntimeError", "conftest.py")
    file_of(tmp_path / "checks", "", "conftest.py")
    file_of(tmp_path / "checks", CASE.format(identity="ACME-001-ours"))
    assert [one.number for one in cases_in([tmp_path / "checks"])] == ["ACME-001"]
    file_of(tmp_path / "checks", "import nothing_of_this_name", "conftest.py")
    with pytest.raises(SpecError) as caught:
        cases_in([tmp_path / "checks"])
    assert "cannot be read" in caught.value.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CASE.format(identity="RT-060-ours"), "RT-060 is taken by runtimebuilder.conformance.cases.response"),
        (CASE.format(identity="RT-999-ours"), "the prefix RT is the catalogue's: choose another"),
        (CASE.format(identity="acme-1-ours"), "'acme-1-ours' is not a case id"),
        ("def test_x(:\n", "SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SpecError) as caught:
        cases_in([file_of(tmp_path, text)])
    assert "test_shop.py cannot be read" in caught.value.message
    assert told in (caught.value.detail or "")


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"--cases .*/none: there is no such file or folder"):
        cases_in([tmp_path / "none"])


def test_two_tests_of_one_name_are_told(tmp_path: Path) -> None:
    paths = [file_of(tmp_path / name, "def test_x():\n    pass\n") for name in ("a", "b")]
    with pytest.raises(SpecError, match="two tests are named test_shop::test_x"):
        cases_in(paths)


def test_tests_beside_a_spec_are_those_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec = "schema: 1\nname: shop-api\nfamily: php\nversion: '8.2'\nvariant: function\nbase: debian-12\n"
    file_of(tmp_path / "runtimes", spec, "shop-api.yaml")
    file_of(tmp_path / "runtimes", "", "test_shop.py")
    assert own_tests_of(Catalog.load(), "shop-api") == ()
    file_of(tmp_path / "runtimes", "", "test_shop_api.py")
    assert own_tests_of(Catalog.load(), "shop-api") == (Path("runtimes/test_shop_api.py"),)
    assert own_tests_of(Catalog.load(), "php-82") == ()
    assert own_tests_of(Catalog.load(), "shop-api:debian-12") == ()
