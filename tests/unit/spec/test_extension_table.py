"""docs/php-extensions.md is made from the bases and committed: it must not lag behind them."""

from __future__ import annotations

from pathlib import Path

from runtimebuilder.spec.bases import shipped_bases
from runtimebuilder.spec.extension_table import page
from runtimebuilder.spec.packages import extension_problem

COMMITTED = Path(__file__).resolve().parents[3] / "docs" / "php-extensions.md"


def test_the_committed_page_is_the_one_that_the_bases_give() -> None:
    assert COMMITTED.read_text() == page(), "run `make docs` and commit docs/php-extensions.md"


def test_the_page_tells_package_presence_and_absence() -> None:
    text = page()
    assert "| `gd` | `php8.5-gd` | `php8.2-gd` | `php8.4-gd` |" in text
    assert "| `json` | always | always | always |" in text
    assert "| `imagick` | compiled, 3.8.0 | `php8.2-imagick` | `php8.4-imagick` |" in text
    assert "| `xdebug` | compiled, 3.5.3 | `php8.2-xdebug` | `php8.4-xdebug` |" in text
    assert "| `oauth` | compiled, 2.0.9 (PHP 8.1 to 8.4) | `php8.2-oauth` | `php8.4-oauth` |" in text
    assert "| `gnupg` | not there | `php8.2-gnupg` | `php8.4-gnupg` |" in text


def test_the_bases_that_have_an_extension_are_named() -> None:
    bases = shipped_bases()
    assert extension_problem("gnupg", "8.2", bases["al2023"], bases) == (
        "extension 'gnupg' is not there on base 'al2023'; it is on debian-12 (PHP 8.2) and on debian-13 (PHP 8.4)"
    )
    assert extension_problem("gd", "8.2", bases["al2023"], bases) is None
    assert extension_problem("imagik", "8.2", bases["debian-12"], bases) == (
        "unknown extension 'imagik'; did you mean 'imagick'?"
    )
