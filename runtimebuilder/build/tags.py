"""More tags for an image, as a spec's `tags` says them: filled in when the image is there."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runtimebuilder.build.plan import Step
from runtimebuilder.engine import process
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.packages import run_in
from runtimebuilder.errors import SpecError, SubjectFailedError
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec
from runtimebuilder.spec.packages import layout_for
from runtimebuilder.spec.placeholders import PlaceholderError, expand, placeholders_in
from runtimebuilder.spec.tags import TAG, tag_values

_PHP = re.compile(r"PHP ([0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.~+-]*) ")


@functools.cache
def git_sha() -> str:
    """The commit of the working directory, 12 digits; with `-dirty` behind it when files are not as committed.

    Raises `SpecError` (exit 2) where there is no commit.
    """
    try:
        commit = process.run(["git", "rev-parse", "--short=12", "HEAD"], timeout=60)
        status = process.run(["git", "status", "--porcelain"], timeout=60)
    except FileNotFoundError as error:
        raise SpecError("a tag asks for {{ git_sha }}, and git is not here", hint="install git") from error
    if commit.code != 0:
        raise SpecError("a tag asks for {{ git_sha }}, and there is no commit here")
    return commit.output.strip() + ("-dirty" if status.output.strip() else "")


def today() -> str:
    """The day, UTC. SOURCE_DATE_EPOCH is for what is in images; a tag says when it was made."""
    return dt.datetime.now(dt.UTC).strftime("%Y%m%d")


def known_values(runtime: RuntimeSpec, base: str, wanted: Sequence[str], day: str) -> dict[str, str]:
    """The placeholders that need no image. Raises `SpecError` (exit 2) where there is no commit."""
    values = {**tag_values(runtime, base), "date": day}
    if "git_sha" in wanted:
        values["git_sha"] = git_sha()
    return values


@dataclass(frozen=True)
class Tagger:
    """Fills in the tags of images that this engine has built."""

    engine: Engine
    today: str = field(default_factory=today)

    def names(self, step: Step, image_id: str) -> tuple[str, ...]:
        """`NAME:TAG` for each of the runtime's tags. Raises `SpecError` (2), `SubjectFailedError` (1)."""
        base = step.base.base
        tags = self.tags(step.runtime.on(base.name).tags, step.runtime, base, image_id)
        # A name holds the image of one platform.
        suffix = f"-{step.architecture}" if step.architecture else ""
        return tuple(f"{step.runtime.name}:{tag}{suffix}" for tag in tags)

    def tags(
        self, patterns: Sequence[str], runtime: RuntimeSpec, base: BaseSpec, image_id: str
    ) -> tuple[str, ...]:
        """The patterns filled in for an image of the runtime on that base, each tag once. Raises as `names`."""
        tags = []
        for pattern in patterns:
            try:
                tag = expand(pattern, self._values(runtime, base, image_id, placeholders_in(pattern)))
            except PlaceholderError as error:
                raise SpecError(f"{runtime.name}: tag {pattern!r}: {error.message}") from error
            if not TAG.match(tag):
                raise SpecError(f"{runtime.name}: {tag!r}, of {pattern!r}, cannot be a tag")
            tags.append(tag)
        return tuple(dict.fromkeys(tags))

    def _values(
        self, runtime: RuntimeSpec, base: BaseSpec, image_id: str, wanted: Sequence[str]
    ) -> Mapping[str, str]:
        values = known_values(runtime, base.name, wanted, self.today)
        if "arch" in wanted and (facts := self.engine.image(image_id)):
            values["arch"] = facts.architecture
        if "php" in wanted and runtime.has_php:
            values["php"] = self._php(runtime, base, image_id)
        return values

    def _php(self, runtime: RuntimeSpec, base: BaseSpec, image_id: str) -> str:
        """The version of the PHP that is in the image, asked of it."""
        layout = layout_for(runtime, base)
        what = f"the PHP of {runtime.name} does not tell its version"
        said = run_in(self.engine, image_id, '"$1" -n -v', [layout.php], what=what)
        if not (version := _PHP.match(said)):
            raise SubjectFailedError(f"{what}: {said[:80]!r}")
        return version[1]
