"""Settings of PHP that are nearly right are told; those of extensions that nobody here knows pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.spec.ini_names import known_settings, nearly
from runtimebuilder.spec.library import examine, spec_files

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("memory_limt", "memory_limit"),
        ("opcache.memory_consumtion", "opcache.memory_consumption"),
        ("upload_max_filesise", "upload_max_filesize"),
        ("memory_limit", None),
        ("xdebug.mode", None),
        ("acme.memory_limit", None),
        ("newrelic.appname", None),
        ("own.setting1", None),
        ("a", None),
    ],
)
def test_a_name_that_is_nearly_right_is_told(name: str, meant: str | None) -> None:
    assert nearly(name) == meant


def test_no_known_setting_is_taken_for_another() -> None:
    assert len(known_settings()) > 500
    assert {"date.timezone", "error_reporting", "session.save_path", "apc.shm_size"} <= known_settings()


def test_it_is_told_at_its_place(write: Write, family: str) -> None:
    folder = write(
        php=family, shop="schema: 1\nname: shop\nextends: php-82\nini: { memory_limt: 1G, own.x: 1 }\n"
    )
    (problem,) = examine(spec_files([folder])).problems
    assert (problem.line, problem.column, problem.message) == (
        4,
        8,
        "ini: 'memory_limt' is not a setting of PHP; did you mean 'memory_limit'?",
    )
