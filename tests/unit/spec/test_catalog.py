"""Which runtimes there are, and choosing among them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.errors import ExitCode, NothingSelectedError, SpecError
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.library import examine, spec_files
from runtimebuilder.spec.problem import SpecErrors

Write = Callable[..., Path]
VARIANTS = ("", "-console", "-dev", "-fpm", "-fpm-dev")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """The built-in runtimes alone: the working directory has no runtimes/."""
    monkeypatch.chdir(tmp_path)
    return Catalog.load()


def test_the_shipped_runtimes_are_php_81_to_85_in_their_variants(shipped: Catalog) -> None:
    assert list(shipped.runtimes) == [f"php-8{n}{variant}" for n in range(1, 6) for variant in VARIANTS]
    assert {runtime.source for runtime in shipped.runtimes.values()} == {"runtimes/php.yaml"}
    assert {runtime.base for runtime in shipped.runtimes.values()} == {"al2023"}


def test_the_shipped_specs_have_no_mistake() -> None:
    assert examine(spec_files()).problems == ()


def test_one_more_php_version_is_one_line_in_the_shipped_family(write: Write) -> None:
    """Only the base has to have it: taking 8.5's line out gives the state before it was added."""
    lines = (Path(__file__).parents[3] / "runtimes" / "php.yaml").read_text().splitlines(keepends=True)
    without = [line for line in lines if line != '  "8.5":\n']
    assert len(without) == len(lines) - 1
    before = Catalog.load([write(php="".join(without))]).runtimes
    after = Catalog.load([write(php="".join(lines))]).runtimes
    assert set(after) - set(before) == {f"php-85{variant}" for variant in VARIANTS}
    assert {name: after[name] for name in before} == dict(before)


def test_sodium_is_left_out_of_php_81_only(shipped: Catalog) -> None:
    without = [name for name, runtime in shipped.runtimes.items() if "sodium" not in runtime.extensions]
    assert without == [f"php-81{variant}" for variant in VARIANTS]


def test_a_projects_runtime_wins_over_the_shipped_one_of_its_name(write: Write, family: str) -> None:
    write(own=family.replace("php-{{ xy }}", "php-{{ xy }}").replace("curl", "gd"))
    catalog = Catalog.load()
    assert catalog.runtimes["php-82"].source == "runtimes/own.yaml"
    assert catalog.runtimes["php-82"].extensions == ("gd", "zip")
    assert catalog.runtimes["php-83"].source == "runtimes/php.yaml"
    assert catalog.runtimes["php-83"].summary == "PHP 8.3 for AWS Lambda: event handlers"


def test_of_given_directories_an_earlier_one_wins(tmp_path: Path, family: str) -> None:
    for name, extension in (("one", "gd"), ("two", "intl")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "php.yml").write_text(family.replace("curl", extension))
    first = Catalog.load([tmp_path / "one", tmp_path / "two"]).runtimes["php-82"]
    second = Catalog.load([tmp_path / "two", tmp_path / "one"]).runtimes["php-82"]
    assert (first.extensions, first.source) == (("gd", "zip"), "one/php.yml")
    assert (second.extensions, second.source) == (("intl", "zip"), "two/php.yml")


def test_loading_names_all_mistakes_of_all_directories(tmp_path: Path, family: str) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "php.yaml").write_text(family.replace("curl", "crul"))
    with pytest.raises(SpecErrors) as caught:
        Catalog.load([tmp_path / "one", tmp_path / "two"])
    assert caught.value.message == "2 errors in 2 of 2 files"
    assert caught.value.exit_code is ExitCode.USAGE


def test_other_files_in_the_folder_are_left_alone(write: Write, family: str) -> None:
    folder = write(php=family)
    (folder / "notes.txt").write_text("x: [")
    (folder / ".hidden.yaml").write_text("x: [")
    assert list(Catalog.load([folder]).runtimes) == ["php-81", "php-81-fpm", "php-82", "php-82-fpm"]


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="nowhere is not a folder"):
        Catalog.load([tmp_path / "nowhere"])
    with pytest.raises(SpecError, match="nowhere does not exist"):
        spec_files([tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["php-82"], ["php-82"]),
        (["php-82*"], [f"php-82{variant}" for variant in VARIANTS]),
        (["php-84", "php-8[13]-fpm", "php-81-fpm"], ["php-81-fpm", "php-83-fpm", "php-84"]),
        (["php-8?"], ["php-81", "php-82", "php-83", "php-84", "php-85"]),
    ],
)
def test_selection_by_name_and_glob_is_sorted_and_unique(
    shipped: Catalog, patterns: list[str], names: list[str]
) -> None:
    assert [runtime.name for runtime in shipped.select(patterns)] == names


def test_no_pattern_selects_everything(shipped: Catalog) -> None:
    assert shipped.select([]) == tuple(shipped.runtimes.values())


def test_an_unknown_name_is_a_mistake_of_usage_with_the_nearest_name(shipped: Catalog) -> None:
    with pytest.raises(
        SpecError, match=r"unknown runtime 'php-82-fmp'; did you mean 'php-82-fpm'\?"
    ) as caught:
        shipped.select(["php-81", "php-82-fmp"])
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_glob_that_matches_nothing_selects_nothing(shipped: Catalog) -> None:
    with pytest.raises(NothingSelectedError, match=r"no runtime matches 'ruby\*'") as caught:
        shipped.select(["php-82", "ruby*"])
    assert caught.value.exit_code is ExitCode.NOTHING


def test_a_base_is_found_by_name(shipped: Catalog) -> None:
    assert shipped.base("debian-12").name == "debian-12"
    with pytest.raises(SpecError, match=r"unknown base 'debain-12'; did you mean 'debian-12'\?"):
        shipped.base("debain-12")


def test_somebody_who_asks_for_al2_learns_why_it_is_not_there(shipped: Catalog) -> None:
    with pytest.raises(SpecError, match="Amazon Linux 2 is past its end of life; use al2023"):
        shipped.base("al2")


@pytest.mark.parametrize(
    ("version", "names"),
    [("8.2", ["al2023", "debian-12"]), ("8.4", ["al2023", "debian-13"]), ("8.5", ["al2023"]), ("7.4", [])],
)
def test_bases_are_found_by_php_version(shipped: Catalog, version: str, names: list[str]) -> None:
    assert [base.name for base in shipped.bases_with_php(version)] == names
