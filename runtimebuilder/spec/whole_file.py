"""Files read whole as models, and written whole: a reader never meets half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from runtimebuilder.spec import source
from runtimebuilder.spec.problem import SpecErrors
from runtimebuilder.spec.validation import validate

Model = TypeVar("Model", bound=BaseModel)


def read_model(file: Path, shown: str, model: type[Model]) -> Model:
    """What stands in `file`, which is named `shown` to people. Raises `SpecErrors` (exit 2) with all mistakes."""
    document, problems = source.read(file, shown)
    found: Model | None = None
    if document is not None:
        found, mistakes = validate(document, model)
        problems = [*problems, *mistakes]
    if problems or found is None:
        raise SpecErrors(problems, files=1)
    return found


def write_text(file: Path, text: str) -> None:
    """Write `file` in one step, with mode 0644; its folder is made. What was there stays until the new one is whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
