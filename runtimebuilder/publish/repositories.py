"""Making a repository where one has to be made before it can be pushed to: in ECR."""

from __future__ import annotations

import json
from pathlib import Path

from runtimebuilder.errors import SpecError
from runtimebuilder.publish import ecr
from runtimebuilder.publish.names import Repository
from runtimebuilder.spec.config import RepositorySettings

_MOST_FILTERS = 5


def ensure(repository: Repository, settings: RepositorySettings, moving: tuple[str, ...]) -> bool:
    """Make the repository, if it is not there; `moving`: the tags that may be moved, unless the settings say which.

    False: nothing had to be done. Other registries make a repository with its first image. Raises `SpecError` (exit 2)
    for settings that cannot be, and what `ecr.create` raises.
    """
    if not ecr.is_ecr(repository.host):
        return False
    lifecycle = None
    if settings.lifecycle is not None:
        file = Path(settings.lifecycle)
        try:
            lifecycle = file.read_text(encoding="utf-8")
            json.loads(lifecycle)
        except (OSError, ValueError) as error:
            raise SpecError(f"the lifecycle policy {file} cannot be read: {error}") from error
    filters = moving if settings.moving_tags is None else settings.moving_tags
    if len(filters) > _MOST_FILTERS:
        raise SpecError(
            f"ECR takes {_MOST_FILTERS} patterns of tags that may be moved, and {repository} would have {len(filters)}",
            hint="say them in runtimebuilder.yaml: publish: repository: moving-tags, with `*`",
        )
    return ecr.create(
        repository, ecr.NewRepository(settings.scan_on_push, settings.immutable, filters, lifecycle)
    )
