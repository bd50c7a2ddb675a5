"""What a build says of itself to programs: `--json`, and `--metadata-file` with buildx's own keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from runtimebuilder.build.execute import BuildResult, BuiltImage
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.spec.whole_file import write_text


def as_json(result: BuildResult) -> dict[str, object]:
    """One runtime's part of `build --json`; sizes in bytes."""
    step = result.step
    common: dict[str, object] = {
        "runtime": step.runtime.name,
        "base": step.base.base.name,
        "base_substituted_for": step.base.substituted_for,
        "tags": list(step.tags),
        "content_key": step.key,
        "seconds": round(result.seconds, 3),
    }
    if isinstance(result, BuiltImage):
        status = "built" if result.built else "unchanged"
        common["tags"] = list(result.names)
        return {
            **common,
            "status": status,
            "id": result.image_id,
            "size": result.size,
            "size_change": result.change,
        }
    return {**common, "status": "failed", "error": result.error.message}


def write_metadata(file: Path, results: Sequence[BuildResult]) -> None:
    """Write `file`: for each image, by its runtime, buildx's keys (`image.name`, `containerimage.digest`) and ours.

    A runtime whose build failed is not in it. Raises `EnvironmentProblemError` (exit 4) when it cannot be written.
    """
    document = {
        result.step.runtime.name: {
            "containerimage.digest": result.image_id,
            "image.name": ",".join(result.names),
            "runtimebuilder": as_json(result),
        }
        for result in results
        if isinstance(result, BuiltImage)
    }
    try:
        write_text(file, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise EnvironmentProblemError(
            f"--metadata-file {file} cannot be written: {error.strerror}",
            hint="the images are built all the same",
        ) from error
