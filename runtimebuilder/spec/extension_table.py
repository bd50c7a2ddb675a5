"""docs/php-extensions.md: which extension is how to be had on which base.

`python -m runtimebuilder.spec.extension_table` prints the page.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from runtimebuilder.spec.bases import shipped_bases
from runtimebuilder.spec.model import BaseSpec, ExtensionOnBase
from runtimebuilder.spec.placeholders import expand, version_values
from runtimebuilder.spec.recipes import shipped_recipes

_HEAD = """\
# PHP extensions

<!-- Made by `make docs` from templates/bases/*/base.yaml and templates/php/extensions.yaml; change those. -->

An extension is one word in a spec's `extensions`. What it takes on a base: a package of the distribution, which is
installed when the spec names the extension; nothing (in every image); or that it is *compiled* from PECL's archive of
the release named here, whose checksum the tool knows, in a stage of which only the module itself goes into the image.
An extension that a base does not have is an error that names the bases which have it. Package names are those for the
base's newest PHP. Any other extension, or another release, is compiled when the spec says where its archive lies and
what its checksum is: [builds](php.md#extensions-that-no-package-has).
"""


def page() -> str:
    """The page, in Markdown."""
    bases = {name: base for name, base in sorted(shipped_bases().items()) if base.php}
    packaged = {name for base in bases.values() if base.php for name in base.php.extensions}
    names = sorted(packaged | set(shipped_recipes()))
    lines = [_HEAD, "| extension | " + " | ".join(bases) + " |", "|---" * (len(bases) + 1) + "|"]
    lines += [
        f"| `{name}` | " + " | ".join(_cell(name, base) for base in bases.values()) + " |" for name in names
    ]
    versions = "; ".join(
        f"{name}: PHP {', '.join(base.php.versions)}" for name, base in bases.items() if base.php
    )
    return "\n".join([*lines, "", f"{versions}.", ""])


def _cell(name: str, base: BaseSpec) -> str:
    extensions: Mapping[str, ExtensionOnBase] = base.php.extensions if base.php else {}
    found = extensions.get(name)
    if base.php is None:
        return "not there"
    if found is None:
        return _compiled(name, base.php.versions, base.name)
    having = [version for version in base.php.versions if found.has(version)]
    newest = max(having, key=lambda version: tuple(map(int, version.split("."))), default=None)
    if newest is None:
        return "not there"
    limits = "" if having == list(base.php.versions) else f" (PHP {having[0]} to {having[-1]})"
    package = found.package_for(newest)
    if package is None and found.package is not None:
        return f"`{expand(found.package, version_values(having[0]))}` up to PHP {_before(found, having)}, then always"
    return (f"`{expand(package, version_values(newest))}`" if package else "always") + limits


def _compiled(name: str, versions: Sequence[str], base: str) -> str:
    recipe = shipped_recipes().get(name)
    having = [version for version in versions if recipe and recipe.is_for(base) and recipe.has(version)]
    if recipe is None or not having:
        return "not there"
    limits = "" if having == list(versions) else f" (PHP {having[0]} to {having[-1]})"
    return f"compiled, {recipe.version}{limits}"


def _before(found: ExtensionOnBase, having: list[str]) -> str:
    """The last version that needs the package."""
    return [version for version in having if found.package_for(version)][-1]


if __name__ == "__main__":
    sys.stdout.write(page())
