"""The Jinja environment: strict, with file and line in every complaint."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtimebuilder.errors import ExitCode, SpecError
from runtimebuilder.render.environment import TemplateSet


def write(folder: Path, name: str, text: str) -> None:
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def test_an_undefined_variable_is_refused_with_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, "x/Dockerfile.j2", "FROM a\n\nRUN {{ nothing_here }}\n")
    with pytest.raises(SpecError) as caught:
        TemplateSet([tmp_path]).render("x/Dockerfile.j2", {})
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.message == f"{tmp_path}/x/Dockerfile.j2:3: 'nothing_here' is undefined"


def test_the_line_of_an_error_inside_an_imported_macro_is_the_macros(tmp_path: Path) -> None:
    write(tmp_path, "_shared/m.j2", "{% macro m(x) %}\n{{ x.nope }}\n{% endmacro %}")
    write(tmp_path, "a.j2", "{% import '_shared/m.j2' as m %}\n{{ m.m('text') }}")
    with pytest.raises(SpecError, match=r"_shared/m\.j2:2: 'str object' has no attribute 'nope'"):
        TemplateSet([tmp_path]).render("a.j2", {})


def test_a_syntax_error_is_refused_with_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, "a.j2", "ok\n{% if %}\n")
    with pytest.raises(SpecError, match=r"a\.j2:2: "):
        TemplateSet([tmp_path]).render("a.j2", {})


def test_a_value_that_cannot_be_quoted_is_refused_with_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, "a.j2", "FROM a\nENV X={{ x | dockerfile }}\n")
    with pytest.raises(SpecError, match=r"a\.j2:2: a line break or control character"):
        TemplateSet([tmp_path]).render("a.j2", {"x": "1\nRUN id"})


def test_a_missing_template_names_the_folders_searched(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"there is no template 'gone\.j2'") as caught:
        TemplateSet([tmp_path]).render("gone.j2", {})
    assert str(tmp_path) in (caught.value.hint or "")


def test_the_first_folder_wins_file_by_file(tmp_path: Path) -> None:
    write(tmp_path / "mine", "php/rootfs/a", "mine")
    write(tmp_path / "shipped", "php/rootfs/a", "shipped")
    write(tmp_path / "shipped", "php/rootfs/b", "shipped")
    files = TemplateSet([tmp_path / "mine", tmp_path / "shipped"]).files("php/rootfs")
    assert {name: file.read_text() for name, file in files.items()} == {"a": "mine", "b": "shipped"}


def test_whatever_else_a_template_raises_is_told_with_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, "a.j2", "ok\n{{ 1 / 0 }}\n")
    with pytest.raises(SpecError, match=r"a\.j2:2: ZeroDivisionError: division by zero"):
        TemplateSet([tmp_path]).render("a.j2", {})
