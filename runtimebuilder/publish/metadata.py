"""What was pushed, for the steps after it: the file of `--metadata-file`, and GitHub's step outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from runtimebuilder.errors import SpecError
from runtimebuilder.publish.push import Pushed
from runtimebuilder.spec.whole_file import write_text

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class PushedImage(BaseModel):
    """One image of a metadata file; unknown keys are left to later versions."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    runtime: str
    base: str
    repository: str  # HOST/PATH
    tags: tuple[str, ...]
    digest: Digest
    platform: str
    size: int  # bytes that a pull transfers
    media_type: str


class Metadata(BaseModel):
    """A metadata file."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = Field(default=1, alias="schema")
    images: tuple[PushedImage, ...]


def of(pushed: Pushed) -> PushedImage:
    """A pushed image, for the file."""
    candidate = pushed.candidate
    return PushedImage(
        runtime=candidate.runtime.name,
        base=candidate.base.name,
        repository=str(candidate.repository),
        tags=candidate.tags,
        digest=pushed.digest,
        platform=candidate.image.platform,
        size=pushed.size,
        media_type=pushed.media_type,
    )


def write(file: Path, images: Sequence[PushedImage]) -> None:
    """Write a metadata file whole. With no image at all it says so: nothing of an earlier push remains in it."""
    document = {"schema": 1, "images": [one.model_dump(mode="json") for one in images]}
    write_text(file, json.dumps(document, indent=2) + "\n")


def read(files: Sequence[Path]) -> tuple[PushedImage, ...]:
    """The images of all files, in their order. Raises `SpecError` (exit 2) for a file that is no metadata file."""
    found: list[PushedImage] = []
    for file in files:
        try:
            found += Metadata.model_validate_json(file.read_bytes()).images
        except OSError as error:
            raise SpecError(f"{file} cannot be read: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise SpecError(
                f"{file} is no metadata file of `push`: {place + ': ' if place else ''}{first['msg']}"
            ) from error
    return tuple(found)


def tell_github(
    done: Sequence[tuple[str, str]],
    rows: Sequence[Mapping[str, object]],
    environment: Mapping[str, str],
    name: str = "images",
) -> None:
    """Append GitHub's step outputs to the file that GITHUB_OUTPUT names, if it is set.

    `done`: references and their digests. `image` and `digest` are those of a single one; `name` holds all, as JSON.
    """
    output = environment.get("GITHUB_OUTPUT")
    if not output:
        return
    values: dict[str, str] = {}
    if len(done) == 1:
        values = {"digest": done[0][1], "image": done[0][0]}
    values[name] = json.dumps(list(rows))
    with Path(output).open("a", encoding="utf-8") as file:
        file.write("".join(f"{key}={value}\n" for key, value in values.items()))
