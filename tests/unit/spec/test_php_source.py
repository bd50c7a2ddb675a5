"""`source`: PHP compiled from a release, and what that changes of a runtime on its base."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.errors import SpecError
from runtimebuilder.render.context import BuildContext
from runtimebuilder.render.image import render_image
from runtimebuilder.spec.bases import shipped_bases
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.library import examine, spec_files
from runtimebuilder.spec.model import RuntimeSpec
from runtimebuilder.spec.packages import layout_for, packages_for
from runtimebuilder.spec.php_source import SourceRecipe, shipped_recipe
from runtimebuilder.spec.problem import SpecErrors
from runtimebuilder.spec.recipes import load

Write = Callable[..., Path]

SUM = "0123456789abcdef" * 4

FAMILY = """\
schema: 1
family: php
summary: PHP
template: php
base: debian-12
versions:
  "8.2":
  "8.4": {source: {version: "8.4.16", sha256: SUM}}
  "8.5": {source: {version: "8.5.1", sha256: SUM, url: "https://example.com/p.tar.gz", configure: ["--with-x=a b"]}}
variants:
  function: {name: "php-{{ xy }}"}
  fpm: {name: "php-{{ xy }}-fpm"}
extensions: [curl, opcache, pdo_sqlite, zip]
""".replace("SUM", SUM)


def runtimes(write: Write) -> dict[str, RuntimeSpec]:
    return dict(Catalog.load([write(php=FAMILY)]).runtimes)


def mistakes(folder: Path) -> list[tuple[str, str]]:
    return [(f"{p.line}:{p.column}", p.message) for p in examine(spec_files([folder])).problems]


def paths(context: BuildContext) -> set[str]:
    return {file.path for file in context.files}


def test_a_version_without_a_package_is_compiled_and_the_others_are_not(write: Write) -> None:
    found = runtimes(write)
    base = shipped_bases()["debian-12"]
    packaged, compiled = (render_image(found[f"php-{xy}"], base) for xy in ("82", "84"))
    assert "AS compiled" not in packaged.dockerfile
    assert not any("conf.d/60-" in path for path in paths(packaged))
    stage, image = compiled.dockerfile.split("\nFROM runtimebuilder/provided:debian-12\n")
    assert "https://www.php.net/distributions/php-8.4.16.tar.xz" in stage
    assert f"      {SUM} \\\n      /var/lang \\\n" in stage
    assert "libcurl4-openssl-dev" in stage
    assert "libcurl4-openssl-dev" not in image
    assert {"rootfs/var/lang/etc/conf.d/99-runtimebuilder.ini", "build/php.sh"} <= paths(compiled)
    (bootstrap,) = [file.data for file in compiled.files if file.path == "rootfs/var/runtime/bootstrap"]
    assert b"exec /var/lang/bin/php /var/runtime/php/main.php function\n" in bootstrap


def test_the_image_gets_the_libraries_and_the_layout_of_what_was_compiled(write: Write) -> None:
    found = runtimes(write)
    base = shipped_bases()["debian-12"]
    layout = layout_for(found["php-84-fpm"], base)
    assert (layout.php, layout.fpm) == ("/var/lang/bin/php", "/var/lang/sbin/php-fpm")
    libraries = ("libcurl4", "libsqlite3-0", "libssl3", "libstdc++6", "libxml2", "libzip4", "zlib1g")
    assert packages_for(found["php-84-fpm"], base).common == libraries
    assert packages_for(found["php-84-fpm"], base).variant == ()


def test_variants_share_what_is_compiled_and_only_one_has_php_fpm(write: Write) -> None:
    found = runtimes(write)
    base = shipped_bases()["debian-12"]
    function, fpm = (render_image(found[name], base).dockerfile for name in ("php-84", "php-84-fpm"))
    both = [text.split("\nFROM ")[1].split("\n", 1)[1] for text in (function, fpm)]
    assert both[0] == both[1]
    assert "--enable-fpm" in both[0]
    assert "COPY --from=compiled /built-fpm/ /" in fpm
    assert "/built-fpm/" not in function


def test_options_are_those_of_the_extensions_and_the_specs_own_after_them(write: Write) -> None:
    text = render_image(runtimes(write)["php-85"], shipped_bases()["debian-12"]).dockerfile
    assert "      --with-pdo-sqlite \\\n" in text
    assert "--without-pdo-sqlite" not in text
    assert "      --without-sqlite3 \\\n      '--with-x=a b'\n" in text
    assert "      https://example.com/p.tar.gz \\\n" in text


@pytest.mark.parametrize(("xy", "is_module"), [("84", True), ("85", False)])
def test_opcache_is_a_module_before_php_85(write: Write, xy: str, is_module: bool) -> None:
    context = render_image(runtimes(write)[f"php-{xy}"], shipped_bases()["debian-12"])
    found = [file for file in context.files if file.path == "rootfs/var/lang/etc/conf.d/60-opcache.ini"]
    assert [file.data.decode().split("\n")[1] for file in found] == (
        ["zend_extension = opcache"] if is_module else []
    )


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ('"8.4.16"', '"8.3.1"', "8:11", "source: version: '8.3.1' is no release of PHP 8.4"),
        ("zip]", "zpi]", "13:41", "unknown extension 'zpi'; did you mean 'zip'?"),
        (
            "zip]",
            "gnupg]",
            "13:41",
            "extension 'gnupg' is not known for a PHP that is compiled; say where its archive lies: builds",
        ),
        (SUM + "}}\n  ", "x}}\n  ", "8:47", "versions: 8.4: source: sha256: 'x' is not a SHA-256 checksum: "),
    ],
)
def test_mistakes(write: Write, old: str, new: str, place: str, message: str) -> None:
    found = mistakes(write(php=FAMILY.replace(old, new, 1)))
    assert place in [where for where, _ in found]
    assert any(text.startswith(message) for _, text in found), found


def test_another_base_that_cannot_compile_is_an_error(write: Write) -> None:
    runtime = runtimes(write)["php-84"]
    base = shipped_bases()["debian-12"].model_copy(update={"name": "elsewhere"})
    with pytest.raises(SpecError, match="php-84: source: base 'elsewhere' has nothing to compile PHP with"):
        packages_for(runtime, base)


def test_every_part_of_the_recipe_says_what_it_takes_on_every_base() -> None:
    recipe = shipped_recipe()
    bases = {base.name for base in shipped_bases().values() if base.php}
    assert set(recipe.common.packages) == set(recipe.common.libraries) == bases
    for name, part in recipe.extensions.items():
        for by_base in (part.packages, part.libraries):
            assert set(by_base) in (set(), bases), name


def test_mistakes_in_the_recipe_are_told_with_their_places(tmp_path: Path) -> None:
    path = tmp_path / "source.yaml"
    path.write_text("schema: 1\ncommon: {options: [-x]}\nextensions: {}\n", encoding="utf-8")
    with pytest.raises(SpecErrors) as caught:
        load(path, SourceRecipe)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2, 20)
