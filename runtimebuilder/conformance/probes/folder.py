"""A probe of one's own: a folder with the handler's files and `probe.yaml`, see docs/probe-contract.md."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtimebuilder.conformance.case import Need
from runtimebuilder.conformance.probes.probe import Form, Probe
from runtimebuilder.errors import SpecError

DESCRIPTION = "probe.yaml"

_Text = Annotated[str, Field(min_length=1)]


class _Description(BaseModel):
    """The grammar of `probe.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Text
    language: _Text
    form: Form = Form.DIRECT
    handler: _Text
    missing_handler: _Text
    faulty: dict[Need, _Text] = Field(default_factory=dict)
    lacking: dict[Need, _Text] = Field(default_factory=dict)
    features: tuple[Literal[Need.SNAPSTART, Need.CONCURRENCY], ...] = ()


def read_probe(folder: Path) -> Probe:
    """Read the probe in `folder`: every file but probe.yaml goes to /var/task under the same relative path.

    Raises `SpecError` when probe.yaml is missing or wrong, naming every field that is.
    """
    description = folder / DESCRIPTION
    if not description.is_file():
        raise SpecError(
            f"{folder}: there is no {DESCRIPTION}", hint="docs/probe-contract.md says what belongs into it"
        )
    try:
        told = _Description.model_validate(yaml.safe_load(description.read_text(encoding="utf-8")))
    except yaml.YAMLError as problem:
        raise SpecError(f"{description}: this is not YAML", detail=str(problem)) from problem
    except ValidationError as problem:
        lines = [f"  {'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}" for each in problem.errors()]
        raise SpecError(f"{description}: not a probe's description", detail="\n".join(lines)) from problem
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != description)
    names = {path: path.relative_to(folder).as_posix() for path in paths}
    return Probe(
        name=told.name,
        language=told.language,
        form=told.form,
        files={names[path]: path.read_bytes() for path in paths},
        handler=told.handler,
        missing_handler=told.missing_handler,
        faulty=dict(sorted(told.faulty.items())),
        lacking=dict(sorted(told.lacking.items())),
        features=told.features,
        programs=frozenset(names[path] for path in paths if path.stat().st_mode & stat.S_IXUSR),
    )
