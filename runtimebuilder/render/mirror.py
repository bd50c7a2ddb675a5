"""Registry mirrors: companies pull public images through a cache of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from runtimebuilder.errors import SpecError


def configured(given: Sequence[str], config: Mapping[str, str]) -> tuple[Mirror, ...]:
    """The mirrors of the command line, then those of the configuration for registries that it does not name."""
    mirrors = [Mirror(text) for text in given]
    named = {mirror.registry for mirror in mirrors}
    mirrors += [Mirror(f"{registry}={host}") for registry, host in config.items() if registry not in named]
    return tuple(mirrors)


class Mirror:
    """`--mirror public.ecr.aws=HOST[/PATH]`: images of one registry come through another."""

    _FORM = re.compile(
        r"(?P<registry>[a-z0-9.-]+(?::\d+)?)=(?P<target>[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?(?:/[a-z0-9._/-]+)?)\Z"
    )

    def __init__(self, text: str) -> None:
        """Raises `SpecError` (exit 2) when `text` is not REGISTRY=HOST[/PATH]."""
        match = self._FORM.match(text)
        if not match:
            raise SpecError(
                f"mirror {text!r} is not of the form REGISTRY=HOST[/PATH]",
                hint="for example --mirror public.ecr.aws=cache.example.com/ecr-public",
            )
        self.registry = match["registry"]
        self.target = match["target"].rstrip("/")

    def rewrite(self, image: str) -> str | None:
        """`image` as it is called behind this mirror; None when it is of another registry."""
        registry, _, rest = image.partition("/")
        return f"{self.target}/{rest}" if registry == self.registry else None

    def __str__(self) -> str:
        return f"{self.registry}={self.target}"
