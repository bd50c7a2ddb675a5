"""A family to break, and a way to write specs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FAMILY = """\
schema: 1
family: php
summary: PHP {{ version }}
template: php
versions: ["8.1", "8.2"]
variants:
  function: { name: "php-{{ xy }}", summary: events }
  fpm: { name: "php-{{ xy }}-fpm" }
base: al2023
extensions: [curl, zip]
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes specs into runtimes/ of an empty project, where the test then stands; returns that folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runtimes"
    folder.mkdir()

    def write_specs(**files: str) -> Path:
        for name, text in files.items():
            (folder / f"{name}.yaml").write_text(text)
        return folder

    return write_specs


@pytest.fixture
def family() -> str:
    return FAMILY
