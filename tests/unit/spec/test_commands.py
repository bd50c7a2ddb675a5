"""`list` and `validate`: stdout is data, in the way that people and programs want it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from runtimebuilder.cli.list_command import list_command
from runtimebuilder.cli.validate_command import validate

Write = Callable[..., Path]


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command("list")(list_command)
    app.command("validate")(validate)
    return CliRunner().invoke(app, arguments)


def test_list_is_plain_text_that_fits_80_columns() -> None:
    result = run("list", "php-82*")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "NAME            VERSION  VARIANT   BASE    PLATFORMS",
        "php-82          php 8.2  function  al2023  amd64, arm64",
        "php-82-console  php 8.2  console   al2023  amd64, arm64",
        "php-82-dev      php 8.2  dev       al2023  amd64, arm64",
        "php-82-fpm      php 8.2  fpm       al2023  amd64, arm64",
        "php-82-fpm-dev  php 8.2  fpm-dev   al2023  amd64, arm64",
    ]


def test_list_as_json_is_one_document_with_everything() -> None:
    (runtime,) = json.loads(run("list", "php-82-fpm", "--json").stdout)["runtimes"]
    assert runtime["name"] == "php-82-fpm"
    assert runtime["ini"]["disable_functions"] == "fastcgi_finish_request"
    assert runtime["extensions"] == sorted(runtime["extensions"])


def test_list_does_not_cut_long_names_where_there_is_no_terminal(write: Write, family: str) -> None:
    name = "a-name-of-" + "-".join(["many"] * 30) + "-words"
    write(own=family.replace('"php-{{ xy }}"', f'"{name}-{{{{ xy }}}}"'))
    assert f"{name}-82 " in run("list", "a-name*").stdout


def test_validate_counts_the_files_without_a_mistake(write: Write, family: str) -> None:
    write(own=family.replace("php-", "own-"))
    result = run("validate", "runtimes")
    assert (result.exit_code, result.stdout) == (0, "0 errors in 1 file\n")


def test_validate_reads_the_project_and_the_shipped_specs_by_default(write: Write, family: str) -> None:
    write(own=family)
    assert run("validate").stdout == "0 errors in 2 files\n"


def test_validate_shows_every_mistake_and_ends_with_2(write: Write, family: str) -> None:
    write(own=family.replace("curl", "crul"), two="a: [\n", three=family.replace("php-", "x-"))
    result = run("validate", "runtimes/own.yaml", "runtimes/two.yaml", "runtimes/three.yaml")
    assert result.exit_code == 2
    assert result.stdout.splitlines()[:3] == [
        "runtimes/own.yaml:10:14: unknown extension 'crul'; did you mean 'curl'?",
        "  10 | extensions: [crul, zip]",
        "     |              ^^^^",
    ]
    assert "runtimes/two.yaml:2:1: not valid YAML" in result.stdout
    assert result.stdout.splitlines()[-1] == "2 errors in 2 of 3 files"


@pytest.mark.parametrize("arguments", [("list", "nothing"), ("validate", "nowhere.yaml")])
def test_what_is_not_there_is_an_error_for_people(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exception is not None
    assert type(result.exception).__name__ == "SpecError"
