"""`--set`: settings over what a spec says, with the grammar and the checks of `extends`."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtimebuilder.errors import SpecError
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.overrides import override
from runtimebuilder.spec.problem import SpecErrors

RUNTIMES = Path(__file__).resolve().parents[3] / "runtimes"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load([RUNTIMES])


def test_settings_come_on_top_of_the_specs_own(catalog: Catalog) -> None:
    chosen = catalog.select(["php-82", "php-82-fpm"])
    settings = [
        "ini.opcache.enable=0",
        "ini.memory_limit=512M",
        "extensions=[+redis, -soap]",
        "limits.size=90MB",
    ]
    changed, (function, fpm) = override(catalog, chosen, settings)
    for runtime, before in ((function, chosen[0]), (fpm, chosen[1])):
        assert runtime.ini == {**before.ini, "opcache.enable": "0", "memory_limit": "512M"}
        assert set(before.extensions) ^ set(runtime.extensions) == {"redis", "soap"}
        assert runtime.limits.size == 90_000_000
        assert (runtime.name, runtime.source, runtime.version) == (before.name, before.source, before.version)
    assert changed.runtimes["php-82"] is function
    assert changed.runtimes["php-83"] is catalog.runtimes["php-83"]


def test_without_settings_nothing_is_made_anew(catalog: Catalog) -> None:
    chosen = catalog.select(["php-82"])
    assert override(catalog, chosen, []) == (catalog, chosen)


def test_a_later_setting_wins(catalog: Catalog) -> None:
    chosen = catalog.select(["php-82"])
    _, (runtime,) = override(catalog, chosen, ["summary=a", "summary=b: c"[:9]])
    assert runtime.summary == "b"


def test_a_mistake_is_shown_with_what_was_set(catalog: Catalog) -> None:
    with pytest.raises(SpecErrors) as raised:
        override(catalog, catalog.select(["php-82"]), ["ini.memory_limt=1G"])
    (problem,) = raised.value.problems
    assert problem.text().splitlines()[0].startswith("--set:1:")
    assert "did you mean 'memory_limit'?" in problem.text()
    assert "memory_limt: 1G" in problem.text()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("ini", "is not KEY=VALUE"),
        ("=x", "is not KEY=VALUE"),
        ("ini.=x", "is not KEY=VALUE"),
        ("extends=php-83", "'extends' cannot be set from outside"),
        ("ini.x=[", "is not a value of YAML"),
    ],
)
def test_what_is_no_setting_is_refused(catalog: Catalog, setting: str, said: str) -> None:
    with pytest.raises(SpecError, match=said.replace("[", r"\[")):
        override(catalog, catalog.select(["php-82"]), [setting])


def test_a_text_of_yaml_cannot_break_out_of_its_key(catalog: Catalog) -> None:
    chosen = catalog.select(["php-82"])
    text = '"a\\nbase: debian-12\\nname: other"'
    try:
        _, (runtime,) = override(catalog, chosen, [f"summary={text}"])
    except SpecErrors:
        return  # refused as more than a line
    assert (runtime.name, runtime.base) == (chosen[0].name, chosen[0].base)
