"""`runtimebuilder.yaml` in the working directory: what a team would otherwise type with every command.

    schema: 1
    mirrors: {public.ecr.aws: cache.example.com/ecr-public}
    base: auto
    publish:
      registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/lambda
      tags: ["{{ php }}-{{ arch }}", "primary:latest-{{ arch }}"]
      repository: {scan-on-push: true, immutable: true, moving-tags: ["latest*"], lifecycle: ecr-lifecycle.json}

The command line and environment variables come before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool

from runtimebuilder.spec.fields import Line, Name, ProjectPath, SpecModel, unique
from runtimebuilder.spec.whole_file import read_model

FILE = "runtimebuilder.yaml"


class RepositorySettings(SpecModel):
    """What a repository gets that `push --create-repository` makes in ECR. `lifecycle` is a file, ECR's own JSON.

    `immutable`: a tag stays where it was put first, but for those that match `moving_tags` (ECR takes five, with `*`);
    None: those of the push that no build gives a name of its own, such as `latest`.
    """

    scan_on_push: StrictBool = Field(default=True, alias="scan-on-push")
    immutable: StrictBool = True
    moving_tags: Annotated[tuple[Line, ...], Field(max_length=5), AfterValidator(unique)] | None = Field(
        default=None, alias="moving-tags"
    )
    lifecycle: ProjectPath | None = None


class PublishSettings(SpecModel):
    """What `push` does when the command line does not say it."""

    registry: Line | None = None
    tags: Annotated[tuple[Line, ...], AfterValidator(unique)] | None = None
    repository: RepositorySettings = RepositorySettings()


class Config(SpecModel):
    """The file's content. `mirrors`: registry -> host, with a path or not."""

    schema_version: Literal[1] = Field(alias="schema")
    mirrors: Mapping[Line, Line] = Field(default_factory=dict)
    base: Name | None = None
    publish: PublishSettings = PublishSettings()


def load_config(directory: Path | None = None) -> Config:
    """The configuration of `directory` (the working directory); an empty one where there is no file.

    Raises `SpecErrors` (exit 2) with every mistake and its place.
    """
    file = (directory or Path()) / FILE
    if not file.exists():
        return Config(schema=1)
    return read_model(file, FILE, Config)
