"""push, index, promote, attach: what is wrong with a command line is said before anything is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest


class Ran(Protocol):
    code: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("push", "php-82"), "--registry HOST[/PREFIX]"),
        (("push", "php-82", "--registry", "https://example.com/x"), "--registry example.com/x"),
        (("push", "php-82", "--registry", "example"), "is not HOST[/PREFIX]"),
        (("push", "--registry", "example.com"), "say which runtimes"),
        (("promote", "x", "--from", "a.example", "--to", "b.example"), "say which x"),
        (("promote", "x:/", "--from", "a.example", "--to", "b.example"), "is not NAME"),
        (("promote", "x:1", "--from", "nowhere", "--to", "b.example"), "--from 'nowhere'"),
        (("promote", "X:1", "--from", "a.example", "--to", "b.example"), "'X' cannot be the name"),
        (("promote", "x:1", "--from", "a.example", "--to", "b.example", "--tag", "a b"), "cannot be a tag"),
        (("attach", "x:1", "file"), "is not HOST/REPOSITORY"),
        (("attach", "a.example/x", "file"), "is not HOST/REPOSITORY"),
        (("attach", "a.example/x:1", "no-such.spdx.json"), "there is no file"),
        (("attach", "a.example/x:1", "file"), "--type MEDIA_TYPE"),
        (("attach", "a.example/x:1", "file", "--type", "sbom"), "is not a media type"),
        (("index", "--registry", "a.example"), "--metadata FILE"),
        (("index", "--registry", "a.example", "--metadata", "file"), "no metadata file of `push`"),
        (("index", "--registry", "a.example", "--metadata", "none"), "cannot be read"),
        (("index", "php-82", "--registry", "a.example", "--metadata", "good"), "has an image of php-82"),
    ],
)
def test_mistakes_are_exit_2_with_a_remedy(
    command: Command, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "good").write_text('{"schema": 1, "images": []}')
    ran = command(*arguments)
    assert (ran.code, ran.out) == (2, ""), ran.err
    assert words in ran.err


def test_the_registry_can_stand_in_the_configuration(command: Command, tmp_path: Path) -> None:
    (tmp_path / "runtimebuilder.yaml").write_text("schema: 1\npublish: {registry: 'https://a.example'}\n")
    assert "without its scheme" in command("push", "php-82").err
    (tmp_path / "runtimebuilder.yaml").write_text("schema: 1\npublish: {registry: a.example}\n")
    ran = command("push", "php-82")
    assert ran.code == 4  # so far, that an engine is wanted
    assert "no Docker engine" in ran.err
