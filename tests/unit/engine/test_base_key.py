"""When a base that we make is made again."""

from __future__ import annotations

from runtimebuilder.engine.debian import base_key
from runtimebuilder.spec.bases import shipped_bases

BASE = shipped_bases()["debian-12"]


def test_what_is_installed_on_top_does_not_make_the_base_again() -> None:
    assert BASE.php is not None
    other = BASE.php.model_copy(update={"builder": None, "extensions": {}})
    assert base_key(BASE.model_copy(update={"php": other})) == base_key(BASE)


def test_what_goes_into_it_does() -> None:
    keys = {
        base_key(BASE.model_copy(update=change))
        for change in ({}, {"env": {"PATH": "/bin"}}, {"workdir": "/x"}, {"entrypoint": ("/x",)})
    }
    assert len(keys) == 4
