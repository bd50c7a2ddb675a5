"""`builds:`, and the recipes of the tool: what is compiled on which base, and what is wrong with a spec's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.render.context import BuildContext
from runtimebuilder.render.image import render_image
from runtimebuilder.spec.bases import shipped_bases
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.library import examine, spec_files
from runtimebuilder.spec.model import RuntimeSpec
from runtimebuilder.spec.packages import BuildSet, builds_for, extension_problem, packages_for
from runtimebuilder.spec.problem import SpecErrors
from runtimebuilder.spec.recipes import load_recipes, shipped_recipes

Write = Callable[..., Path]

SUM = "0123456789abcdef" * 4
OTHER_SUM = "fedcba9876543210" * 4

SINGLE = """\
schema: 1
name: shop
family: php
version: "8.2"
variant: fpm
base: {base}
extensions: [{extensions}]
builds:
{builds}
"""


def single(write: Write, extensions: str, builds: str = "  {}", base: str = "debian-12") -> RuntimeSpec:
    folder = write(shop=SINGLE.format(extensions=extensions, builds=builds, base=base))
    return Catalog.load([folder]).runtimes["shop"]


def mistakes(write: Write, extensions: str, builds: str, base: str = "debian-12") -> list[str]:
    folder = write(shop=SINGLE.format(extensions=extensions, builds=builds, base=base))
    return [problem.message for problem in examine(spec_files([folder])).problems]


def file(context: BuildContext, name: str) -> str:
    (found,) = [one for one in context.files if one.path == name]
    return found.data.decode()


def test_a_base_that_has_a_package_compiles_nothing(write: Write) -> None:
    runtime = single(write, "curl, imagick")
    base = shipped_bases()["debian-12"]
    assert builds_for(runtime, base) == BuildSet()
    assert "php8.2-imagick" in packages_for(runtime, base).common
    context = render_image(runtime, base)
    assert "AS compiled" not in context.dockerfile
    assert not [one.path for one in context.files if one.path.startswith("build/")]


def test_a_base_that_has_none_compiles_by_the_recipe_of_the_tool(write: Write) -> None:
    runtime = single(write, "curl, imagick, excimer", base="al2023")
    base = shipped_bases()["al2023"]
    found = builds_for(runtime, base)
    assert [one.name for one in found.extensions] == ["excimer", "imagick"]
    recipe = shipped_recipes()["imagick"]
    assert found.extensions[1].url == f"https://pecl.php.net/get/imagick-{recipe.version}.tgz"
    assert found.extensions[1].sha256 == recipe.sha256
    assert found.packages == (
        "ImageMagick-devel",
        "binutils",
        "findutils",
        "gawk",
        "gcc",
        "gzip",
        "make",
        "php8.2-devel",
        "pkgconf-pkg-config",
        "tar",
    )
    # Libraries are of the image, what compiles is not.
    assert packages_for(runtime, base).common == ("ImageMagick-libs", "php8.2-cli")


def test_the_specs_own_build_comes_before_a_package(write: Write) -> None:
    own = f"""\
  imagick:
    version: "3.9.0RC1"
    sha256: {SUM}
    url: https://example.com/a/imagick.tar.gz
    configure: [--with-imagick=/usr, "--with-x=a b'c"]
    packages: {{debian-12: [libmagickwand-dev]}}
    libraries: {{debian-12: [libmagickwand-6.q16-6]}}
  excimer: {{version: "1.2.5", sha256: {OTHER_SUM}, zend: true}}"""
    runtime = single(write, "imagick, excimer", own)
    base = shipped_bases()["debian-12"]
    excimer, imagick = builds_for(runtime, base).extensions
    assert (imagick.url, imagick.version) == ("https://example.com/a/imagick.tar.gz", "3.9.0RC1")
    assert excimer.url == "https://pecl.php.net/get/excimer-1.2.5.tgz"
    assert packages_for(runtime, base).common == ("libmagickwand-6.q16-6", "php8.2-cli")
    context = render_image(runtime, base)
    stage, image = context.dockerfile.split("\nFROM runtimebuilder/provided:debian-12\n")
    assert "libmagickwand-dev" in stage
    assert "libmagickwand-dev" not in image
    assert f"      {SUM} \\\n      /usr/bin/phpize8.2 \\\n      /usr/bin/php-config8.2 \\\n" in stage
    assert """ --with-imagick=/usr \\\n      '--with-x=a b'"'"'c'\n""" in stage
    assert "COPY --from=compiled /built/ /\n" in image
    for folder in ("cli", "fpm"):
        where = f"rootfs/etc/php/8.2/{folder}/conf.d"
        assert file(context, f"{where}/60-imagick.ini").endswith("\nextension = imagick\n")
        assert file(context, f"{where}/60-excimer.ini").endswith("\nzend_extension = excimer\n")


def test_a_version_replaces_what_its_family_says_for_one_extension(write: Write) -> None:
    folder = write(
        php=f"""\
schema: 1
family: php
summary: PHP
template: php
base: al2023
extensions: [curl, pcov, ds]
builds:
  ds: {{version: "1", sha256: {SUM}}}
  pcov: {{version: "1", sha256: {SUM}}}
versions:
  "8.2": {{builds: {{pcov: {{version: "2", sha256: {OTHER_SUM}}}}}}}
  "8.3": {{extensions: [-pcov]}}
variants:
  function: {{name: "php-{{{{ xy }}}}"}}
"""
    )
    runtimes = Catalog.load([folder]).runtimes
    assert {name: build.version for name, build in runtimes["php-82"].builds.items()} == {
        "ds": "1",
        "pcov": "2",
    }
    assert list(runtimes["php-83"].builds) == ["ds"]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            f"{{version: '1; id', sha256: {SUM}}}",
            "version: '1; id' is not a release; write it as its archive does",
        ),
        ("{version: '1', sha256: ABC}", "sha256: 'ABC' is not a SHA-256 checksum"),
        (
            f"{{version: '1', sha256: {SUM}, url: 'file:///etc/passwd'}}",
            "url: 'file:///etc/passwd' is not the address",
        ),
        (
            f"{{version: '1', sha256: {SUM}, url: 'https://u:p@h/x'}}",
            "url: 'https://u:p@h/x' is not the address",
        ),
        (
            f"{{version: '1', sha256: {SUM}, configure: [-x]}}",
            "configure: '-x' is not an option of configure",
        ),
        (
            f"{{version: '1', sha256: {SUM}, packages: {{debian-12: ['-o=x']}}}}",
            "packages: debian-12: '-o=x' is not the name of a package",
        ),
        (
            f"{{version: '1', sha256: {SUM}, packages: {{al2023: [x]}}}}",
            "packages says nothing for base 'debian-12', only for al2023",
        ),
        (
            f"{{version: '1', sha256: {SUM}, libraries: {{al2023: [x]}}}}",
            "libraries says nothing for base 'debian-12', only for al2023",
        ),
        (f"{{version: '1', sha256: {SUM}, zend: 1}}", "zend: yes or no is wanted here, not a number"),
        ("{version: '1'}", "the key 'sha256' is missing"),
    ],
)
def test_mistakes_in_a_build(write: Write, build: str, message: str) -> None:
    (found,) = mistakes(write, "pcov", f"  pcov: {build}")
    assert found.startswith(f"builds: pcov: {message}")


def test_a_build_of_an_extension_that_nobody_names(write: Write) -> None:
    assert mistakes(write, "curl", f"  pcov: {{version: '1', sha256: {SUM}}}") == [
        "builds: pcov: 'extensions' does not name it anywhere"
    ]


def test_an_extension_that_can_be_compiled_nowhere_here(write: Write) -> None:
    assert mistakes(write, "xdebug, gnupg, nothing", "  {}", base="al2023") == [
        "extension 'gnupg' is not there on base 'al2023'; it is on debian-12 (PHP 8.2) and on debian-13 (PHP 8.4)",
        "unknown extension 'nothing' on base 'al2023'; what has no package is compiled: builds",
    ]


def test_a_recipe_is_bound_to_versions_of_php() -> None:
    oauth = shipped_recipes()["oauth"]
    assert oauth.has("8.4")
    assert not oauth.has("8.5")
    assert extension_problem("oauth", "8.5", shipped_bases()["al2023"], shipped_bases()) == (
        "extension 'oauth' is not there for PHP 8.5 on base 'al2023'; it is on al2023 (PHP 8.1, 8.2, 8.3, 8.4)"
        " and on debian-12 (PHP 8.2) and on debian-13 (PHP 8.4)"
    )


def test_every_recipe_is_of_use_and_complete() -> None:
    bases = shipped_bases()
    for name, recipe in shipped_recipes().items():
        assert {*recipe.packages, *recipe.libraries} <= {*bases}, name
        users = [
            base.name
            for base in bases.values()
            if base.php and name not in base.php.extensions and recipe.is_for(base.name)
        ]
        assert users, f"every base has a package of {name}"


def test_mistakes_in_recipes_are_told_with_their_places(tmp_path: Path) -> None:
    path = tmp_path / "extensions.yaml"
    path.write_text("schema: 1\nextensions:\n  x: {version: '1', sha256: no}\n", encoding="utf-8")
    with pytest.raises(SpecErrors) as caught:
        load_recipes(path)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (3, 29)
