"""Files on top of an image, as an ephemeral image: how code gets into a box.

That is how container images reach Lambda, and it works with an engine on another machine, which a bind mount
does not. The subject's configuration stays as it is.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

from runtimebuilder.engine.containers import create_carrier
from runtimebuilder.engine.docker import Engine, ImageFacts
from runtimebuilder.errors import EnvironmentProblemError, SubjectFailedError
from runtimebuilder.sandbox.run import Run


@dataclass(frozen=True)
class LayerFile:
    """A file owned by root at an absolute path. `mode`: 0o644, or 0o755 for programs."""

    path: str
    data: bytes
    mode: int = 0o644


def put_layer(run: Run, image: str, files: Sequence[LayerFile]) -> str:
    """An image like `image` with `files` in it, by id; made once per run for the same image and files.

    A file replaces what is at its path; folders that are missing get mode 0755.

    Raises `SubjectFailedError` (exit 1) for an image without entrypoint and command, ValueError for a path
    that is not absolute, `EnvironmentProblemError` (exit 4) when the engine does not have the image.
    """
    facts = run.engine.image(image)
    if facts is None:
        raise EnvironmentProblemError(f"the engine has no image {image}", hint="build or pull it first")
    if not files:
        return facts.id
    refuse_without_program(image, facts)
    archive = _archive(files)
    key = hashlib.sha256(facts.id.encode() + archive).hexdigest()
    return run.derived(key, lambda: _make(run.engine, facts, archive, run.labels))


def refuse_without_program(image: str, facts: ImageFacts) -> None:
    """`SubjectFailedError` when nothing says what to start: neither the engine nor Lambda can run it."""
    if facts.entrypoint is None and facts.cmd is None:
        raise SubjectFailedError(
            f"{image} has neither an ENTRYPOINT nor a CMD: there is nothing to start",
            hint='a Lambda image has an ENTRYPOINT in exec form, for example ["/lambda-entrypoint.sh"]',
        )


def _make(engine: Engine, image: ImageFacts, archive: bytes, labels: dict[str, str]) -> str:
    carrier = create_carrier(engine, image.id, labels=labels)
    try:
        carrier.put_archive("/", archive)
        # The image gets the container's label.
        return carrier.commit()
    finally:
        carrier.remove()


def _archive(files: Sequence[LayerFile]) -> bytes:
    # No entries for folders: one would replace a symbolic link of that name, /lib for example.
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for file in sorted(files, key=lambda file: file.path):
            if not file.path.startswith("/"):
                raise ValueError(f"not an absolute path: {file.path}")
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.size, entry.mode = len(file.data), file.mode
            archive.addfile(entry, io.BytesIO(file.data))
    return data.getvalue()
