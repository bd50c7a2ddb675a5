"""`kind`: a variant that behaves as another one; and `packages`, which a runtime installs for itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.errors import SpecError
from runtimebuilder.render.image import render_image
from runtimebuilder.spec.bases import shipped_bases
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.library import examine, spec_files
from runtimebuilder.spec.packages import layout_for, packages_for

Write = Callable[..., Path]
ROOT = Path(__file__).parents[3]

FAMILY = """\
schema: 1
family: php
summary: PHP
template: php
versions: ["8.2"]
base: debian-12
packages: {debian-12: [git]}
variants:
  fpm: {name: "php-{{ xy }}-fpm"}
  shop:
    name: php-{{ xy }}-shop
    kind: fpm
    packages: {debian-12: [unzip, "curl=1:2~3"], al2023: [unzip]}
"""


def mistakes(folder: Path) -> list[tuple[str, str]]:
    return [(f"{p.line}:{p.column}", p.message) for p in examine(spec_files([folder])).problems]


def test_a_variant_behaves_as_its_kind(write: Write) -> None:
    runtimes = Catalog.load([write(php=FAMILY)]).runtimes
    fpm, shop = runtimes["php-82-fpm"], runtimes["php-82-shop"]
    assert (fpm.variant, fpm.kind) == ("fpm", "fpm")
    assert (shop.variant, shop.kind) == ("shop", "fpm")
    base = shipped_bases()["debian-12"]
    assert layout_for(shop, base) == layout_for(fpm, base)
    context = render_image(shop, base)
    assert '"dev.runtimebuilder.probe"="php-fpm"' in context.dockerfile
    assert '"dev.runtimebuilder.variant"="shop"' in context.dockerfile
    (bootstrap,) = [file.data for file in context.files if file.path == "rootfs/var/runtime/bootstrap"]
    assert b"/var/runtime/php/main.php fpm /usr/sbin/php-fpm8.2" in bootstrap


def test_packages_are_the_runtimes_own_by_base(write: Write) -> None:
    runtimes = Catalog.load([write(php=FAMILY)]).runtimes
    base = shipped_bases()["debian-12"]
    fpm, shop = (packages_for(runtimes[f"php-82-{name}"], base) for name in ("fpm", "shop"))
    assert fpm.common == shop.common
    assert set(fpm.variant) - set(shop.variant) == {"git"}
    assert set(shop.variant) - set(fpm.variant) == {"unzip", "curl=1:2~3"}
    with pytest.raises(
        SpecError, match="packages says nothing for base 'debian-13', only for debian-12"
    ) as caught:
        packages_for(
            runtimes["php-82-fpm"].model_copy(update={"version": "8.4"}), shipped_bases()["debian-13"]
        )
    assert caught.value.hint == "correct 'packages' in runtimes/php.yaml"


def test_mistakes_are_told_with_their_places(write: Write) -> None:
    assert mistakes(write(php=FAMILY.replace("kind: fpm", "kind: fmp"))) == [
        ("12:11", "unknown variant 'fmp'; did you mean 'fpm'?")
    ]
    assert mistakes(write(php=FAMILY.replace("{debian-12: [git]}", "{al2023: [git]}"))) == [
        ("7:1", "packages says nothing for base 'debian-12', only for al2023")
    ]
    assert mistakes(write(php=FAMILY.replace("[git]", "[git, --force]"))) == [
        ("7:29", "packages: debian-12: '--force' is not the name of a package")
    ]


def test_the_shipped_images_for_development_show_errors_and_the_others_do_not() -> None:
    runtimes = Catalog.load([ROOT / "runtimes"]).runtimes
    for name, runtime in runtimes.items():
        is_for_development = name.endswith("-dev")
        assert ("xdebug" in runtime.extensions) == is_for_development
        assert any("composer" in packages for packages in runtime.packages.values()) == is_for_development
        assert (runtime.ini["display_errors"] == "0") == (not is_for_development)
    for version in ("81", "85"):
        of_fpm, of_dev = runtimes[f"php-{version}-fpm"], runtimes[f"php-{version}-fpm-dev"]
        changed = {key for key in of_dev.ini if of_dev.ini[key] != of_fpm.ini.get(key)}
        assert set(of_fpm.ini) <= set(of_dev.ini)
        assert changed == {
            "display_errors",
            "display_startup_errors",
            "error_reporting",
            "opcache.revalidate_freq",
            "xdebug.client_host",
            "xdebug.log_level",
            "xdebug.mode",
            "xdebug.start_with_request",
            "zend.exception_ignore_args",
        }
