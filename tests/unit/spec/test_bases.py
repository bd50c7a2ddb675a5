"""Bases as data: what they say is true of the distributions, and mistakes in them are found."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtimebuilder.errors import SpecError
from runtimebuilder.spec.bases import load_bases, shipped_bases
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec
from runtimebuilder.spec.packages import layout_for, packages_for
from runtimebuilder.spec.php_source import shipped_recipe
from runtimebuilder.spec.problem import SpecErrors
from runtimebuilder.spec.recipes import shipped_recipes

DATA = Path(__file__).parents[2] / "data" / "al2023"
AL2023 = shipped_bases()["al2023"]
DEBIAN_12 = shipped_bases()["debian-12"]
SHIPPED = Path(__file__).parents[3] / "templates" / "bases"


def runtime(version: str, variant: str, *extensions: str) -> RuntimeSpec:
    return RuntimeSpec(
        name="x",
        family="php",
        version=version,
        variant=variant,
        summary="",
        template="php",
        base="al2023",
        platforms=("linux/amd64",),
        extensions=extensions,
        kind=variant,
        source="runtimes/x.yaml",
    )


def listed(file: str) -> Iterator[str]:
    for line in (DATA / file).read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split()[0]


def possible_packages(base: BaseSpec) -> Iterator[str]:
    """Every package that any runtime with any extension can ask of a base."""
    assert base.php is not None
    for version in base.php.versions:
        extensions = [name for name, extension in base.php.extensions.items() if extension.has(version)]
        for variant in base.php.packages.variants:
            packages = packages_for(runtime(version, variant, *extensions), base)
            yield from (*packages.common, *packages.variant)


def test_every_package_asked_of_al2023_exists_there() -> None:
    existing = {*listed("package-names.txt"), *listed("later-additions.txt")}
    asked = set(possible_packages(AL2023))
    assert len(asked) > 130
    assert sorted(asked - existing) == []


def test_every_package_to_compile_with_and_for_what_is_compiled_exists_on_al2023() -> None:
    existing = {*listed("package-names.txt"), *listed("later-additions.txt"), *listed("other-names.txt")}
    assert AL2023.php is not None
    assert AL2023.php.builder is not None
    asked = {
        package.replace("{{ version }}", version)
        for version in AL2023.php.versions
        for package in AL2023.php.builder.packages
    }
    source = shipped_recipe()
    parts = (source.common, *source.extensions.values())
    by_bases = [(part.packages, part.libraries) for part in parts]
    by_bases += [(recipe.packages, recipe.libraries) for recipe in shipped_recipes().values()]
    for by_base in itertools.chain(*by_bases):
        asked.update(by_base.get("al2023", ()))
    for found in Catalog.load([Path(__file__).parents[3] / "runtimes"]).runtimes.values():
        asked |= {*found.packages.get("al2023", ())}
    assert len(asked) > 50
    assert sorted(asked - existing) == []


def test_every_al2023_package_that_holds_an_extension_can_be_asked_for() -> None:
    """The other way round: what is left over are no extensions, or none that can run in a function."""
    no_extension = {"", "-common", "-dbg", "-devel", "-embedded", "-modphp"}
    minors = [f"php8.{n}" for n in range(1, 6)]
    expected = {minor + part for minor in minors for part in no_extension} | {"php-pear"}
    existing = {*listed("package-names.txt"), *listed("later-additions.txt")}
    assert sorted(existing - set(possible_packages(AL2023)) - expected) == []


def test_a_php_that_al2023_lacks_for_a_while_is_not_asked_for() -> None:
    with pytest.raises(
        SpecError, match=r"sodium' is not there for PHP 8\.1 on base 'al2023', only from 8\.2 on"
    ):
        packages_for(runtime("8.1", "function", "sodium"), AL2023)
    with pytest.raises(
        SpecError, match=r"pspell' is not there for PHP 8\.4 on base 'al2023', only up to 8\.3"
    ):
        packages_for(runtime("8.4", "function", "pspell"), AL2023)


def test_opcache_needs_no_package_once_php_has_it_built_in() -> None:
    assert "php8.4-opcache" in packages_for(runtime("8.4", "function", "opcache"), AL2023).common
    assert packages_for(runtime("8.5", "function", "opcache"), AL2023).common == ("php8.5-cli",)


def test_the_three_variants_share_their_common_packages() -> None:
    runtimes = Catalog.load().runtimes
    for base in shipped_bases().values():
        assert base.php is not None
        for version in base.php.versions:
            xy = version.replace(".", "")
            sets = [packages_for(runtimes[f"php-{xy}{v}"], base) for v in ("", "-fpm", "-console")]
            assert len({packages.common for packages in sets}) == 1
            assert [bool(packages.variant) for packages in sets] == [False, True, False]


def test_packages_on_debian_are_exact() -> None:
    packages = packages_for(
        runtime("8.2", "fpm", "curl", "ctype", "sodium", "pdo_mysql", "mysqli"), DEBIAN_12
    )
    assert packages.common == ("php8.2-cli", "php8.2-curl", "php8.2-mysql")
    assert packages.variant == ("php8.2-fpm", "systemd-standalone-tmpfiles")


def test_layouts_are_absolute_and_name_every_scanned_folder() -> None:
    al2023 = layout_for(runtime("8.3", "fpm"), AL2023)
    assert (al2023.php, al2023.fpm) == ("/usr/bin/php", "/usr/sbin/php-fpm")
    assert al2023.ini_directories == ("/etc/php.d",)
    debian = layout_for(runtime("8.2", "fpm"), DEBIAN_12)
    assert (debian.php, debian.fpm) == ("/usr/bin/php8.2", "/usr/sbin/php-fpm8.2")
    assert debian.ini_directories == ("/etc/php/8.2/cli/conf.d", "/etc/php/8.2/fpm/conf.d")
    assert layout_for(runtime("8.2", "console"), DEBIAN_12).ini_directories == ("/etc/php/8.2/cli/conf.d",)


def test_a_version_that_a_base_lacks_names_the_bases_that_have_it() -> None:
    with pytest.raises(SpecError, match=r"base 'debian-12' has no PHP 8\.4, only 8\.2") as caught:
        packages_for(runtime("8.4", "fpm"), DEBIAN_12)
    assert caught.value.hint == "PHP 8.4 is on al2023, debian-13"
    with pytest.raises(SpecError) as caught:
        layout_for(runtime("7.4", "fpm"), DEBIAN_12)
    assert caught.value.hint == "no base has PHP 7.4"


def test_unknown_extensions_are_all_named() -> None:
    with pytest.raises(
        SpecError, match=r"unknown extension 'gdd'; did you mean 'gd'\? \(and 1 more\)"
    ) as caught:
        packages_for(runtime("8.2", "fpm", "redsi", "gdd", "curl"), AL2023)
    assert caught.value.detail is not None
    assert "did you mean 'redis'?" in caught.value.detail


def test_an_unknown_variant_is_named() -> None:
    with pytest.raises(SpecError, match=r"unknown variant 'fmp'; did you mean 'fpm'\?"):
        layout_for(runtime("8.2", "fmp"), AL2023)


def test_the_made_bases_have_the_environment_of_awss_image() -> None:
    assert AL2023.path == "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
    for name in ("debian-12", "debian-13"):
        base = shipped_bases()[name]
        assert base.image is None
        assert base.make is not None
        assert dict(base.env) == dict(AL2023.env)
        assert (base.workdir, base.entrypoint) == (AL2023.workdir, AL2023.entrypoint)


def test_every_base_knows_the_default_extensions() -> None:
    defaults = Catalog.load().runtimes["php-82"].extensions
    for base in shipped_bases().values():
        assert base.php is not None
        assert sorted(set(defaults) - set(base.php.extensions)) == []


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("name: debian-12", "name: debian-21", "4:7", "the name is 'debian-21', the folder is 'debian-12'"),
        (
            "package_manager: apt",
            "package_manager: apk",
            "9:18",
            "package_manager: 'apk' is not possible here; ",
        ),
        ("package_manager: apt", "package_manger: apt", "9:1", "unknown key 'package_manger'; did you mean"),
        ("  PATH: /var", "  PTAH: /var", "12:1", "the key 'PATH' is missing"),
        ("workdir: /var/task", "workdir: var/task", "19:10", "workdir: 'var/task' is not an absolute path"),
        (
            "php{{ version }}-cli",
            "php{{ verson }}-cli",
            "40:18",
            "unknown placeholder 'verson'; did you mean",
        ),
        ("      console: []", "      consol: []", "34:3", "the variants differ from those under packages"),
        ("make:", "image: x\nmake:", "3:1", "exactly one of the keys 'image' and 'make' is wanted"),
    ],
)
def test_a_mistake_in_a_base_is_found_at_its_place(
    tmp_path: Path, old: str, new: str, place: str, message: str
) -> None:
    text = (SHIPPED / "debian-12" / "base.yaml").read_text()
    assert old in text
    (tmp_path / "debian-12").mkdir()
    (tmp_path / "debian-12" / "base.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(SpecErrors) as caught:
        load_bases(tmp_path)
    found = [(f"{problem.line}:{problem.column}", problem.message) for problem in caught.value.problems]
    assert any(where == place and what.startswith(message) for where, what in found), found
