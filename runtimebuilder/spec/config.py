"""`runtimebuilder.yaml` in the working directory: what a team would otherwise type with every command.

    schema: 1
    mirrors: {public.ecr.aws: cache.example.com/ecr-public}
    base: auto

The command line and environment variables come before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from runtimebuilder.spec.fields import Line, Name, SpecModel
from runtimebuilder.spec.whole_file import read_model

FILE = "runtimebuilder.yaml"


class Config(SpecModel):
    """The file's content. `mirrors`: registry -> host, with a path or not."""

    schema_version: Literal[1] = Field(alias="schema")
    mirrors: Mapping[Line, Line] = Field(default_factory=dict)
    base: Name | None = None


def load_config(directory: Path | None = None) -> Config:
    """The configuration of `directory` (the working directory); an empty one where there is no file.

    Raises `SpecErrors` (exit 2) with every mistake and its place.
    """
    file = (directory or Path()) / FILE
    if not file.exists():
        return Config(schema=1)
    return read_model(file, FILE, Config)
