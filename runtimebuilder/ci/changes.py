"""How runtimes differ from what they were: by what they render to, never by which paths a commit touched."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtimebuilder.ci import revision
from runtimebuilder.ci.revision import Workspace
from runtimebuilder.render.context import BuildContext, ContextFile
from runtimebuilder.render.image import render_image
from runtimebuilder.render.mirror import Mirror
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.lock import Lock
from runtimebuilder.spec.model import RuntimeSpec

_OWN_FILES = ("files/", "layers/", "stages/")


class What(enum.StrEnum):
    """How a runtime differs."""

    UNCHANGED = "unchanged"
    NEW = "new"
    CHANGED = "changed"


@dataclass(frozen=True)
class Change:
    """One runtime, then and now. `why`: what differs, in words, sorted: `spec: ini.memory_limit`, `file: /etc/a`."""

    name: str
    base: str
    what: What
    why: tuple[str, ...]
    before: BuildContext | None
    after: BuildContext


def compare(
    before: Workspace,
    after: Workspace,
    runtimes: Sequence[RuntimeSpec],
    *,
    base: str | None = None,
    mirrors: tuple[Mirror, ...] = (),
) -> tuple[Change, ...]:
    """Each of `runtimes` (of `after`), in their order. `base`: another than the specs' own.

    Raises `SpecError` (exit 2) when one cannot be rendered.
    """
    return tuple(_change(before, after, runtime, base, mirrors) for runtime in runtimes)


def changed_since(ref: str, catalog: Catalog, runtimes: Sequence[RuntimeSpec]) -> tuple[RuntimeSpec, ...]:
    """Those of `runtimes` that are not as at revision `ref`, in their order.

    Raises `RevisionError` when that cannot be told.
    """
    with revision.at(ref) as before:
        changes = compare(before, revision.here(catalog), runtimes)
    changed = {change.name for change in changes if change.what is not What.UNCHANGED}
    return tuple(runtime for runtime in runtimes if runtime.name in changed)


def _change(
    before: Workspace, after: Workspace, runtime: RuntimeSpec, base: str | None, mirrors: tuple[Mirror, ...]
) -> Change:
    name = base or runtime.base
    now = render_image(runtime, after.catalog.base(name), mirrors=mirrors, templates=after.templates)
    earlier = before.catalog.runtimes.get(runtime.name)
    if earlier is None:
        return Change(runtime.name, name, What.NEW, (), None, now)
    then_on = base or earlier.base
    then = render_image(earlier, before.catalog.base(then_on), mirrors=mirrors, templates=before.templates)
    moved = _lock_changes(before.lock, after.lock, runtime.name)
    if then.digest == now.digest and earlier.platforms == runtime.platforms and not moved:
        return Change(runtime.name, name, What.UNCHANGED, (), then, now)
    why = tuple(f"spec: {path}" for path in spec_changes(earlier.on(then_on), runtime.on(name)))
    files = _changed_files(then, now)
    own = {path for path in files if path.startswith(_OWN_FILES)}
    why += tuple(f"file: {path.partition('/')[2]}" for path in sorted(own))
    # What the spec says shows in the Dockerfile too; the template is named when nothing else explains it.
    if not why:
        why = tuple(f"template: {path}" for path in sorted(files))
    why += moved
    return Change(runtime.name, name, What.CHANGED, why, then, now)


def _lock_changes(before: Lock | None, after: Lock | None, name: str) -> tuple[str, ...]:
    """What is pinned in another way, in words."""
    then, now = (lock.runtimes.get(name) if lock else None for lock in (before, after))
    if then == now:
        return ()
    if then is None or now is None:
        return ("lock: pinned now",) if now else ("lock: not pinned any more",)
    found = []
    for platform in sorted({*then.platforms, *now.platforms}):
        one, other = dict(then.platforms.items()).get(platform), dict(now.platforms.items()).get(platform)
        if one is None or other is None:
            found.append(f"lock: {platform}")
            continue
        if (one.digest, one.made) != (other.digest, other.made):
            found.append("lock: base moved")
        packages = sum(
            one.packages.get(step, {}) != other.packages.get(step, {})
            for step in {*one.packages, *other.packages}
        )
        found += ["lock: packages moved"] if packages else []
    return tuple(dict.fromkeys(found)) or ("lock: made for something else",)


def spec_changes(before: RuntimeSpec, after: RuntimeSpec) -> tuple[str, ...]:
    """The paths in the spec whose values differ, sorted: `ini.memory_limit`, `extensions`."""
    then, now = (one.model_dump(mode="json", exclude={"source"}) for one in (before, after))
    found: set[str] = set()
    for key in {*then, *now}:
        one, other = then.get(key), now.get(key)
        if one == other:
            continue
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found |= {f"{key}.{name}" for name in {*one, *other} if one.get(name) != other.get(name)}
        else:
            found.add(key)
    return tuple(sorted(found))


def _changed_files(before: BuildContext, after: BuildContext) -> set[str]:
    then, now = ({file.path: file for file in context.files} for context in (before, after))
    return {path for path in {*then, *now} if then.get(path) != now.get(path)}


def diff(change: Change) -> str:
    """The rendered difference as a unified diff, files sorted; "" when there is none."""
    then = {file.path: file for file in change.before.files} if change.before else {}
    now = {file.path: file for file in change.after.files}
    parts: list[str] = []
    for path in sorted({*then, *now}):
        one, other = then.get(path), now.get(path)
        if one == other:
            continue
        then_named = f"a/{change.name}/{path}" if one else "/dev/null"
        now_named = f"b/{change.name}/{path}" if other else "/dev/null"
        if one and other and one.mode != other.mode:
            parts.append(f"{now_named}: mode {one.mode:04o} → {other.mode:04o}\n")
        texts = _lines(one), _lines(other)
        if texts[0] is None or texts[1] is None:
            parts.append(f"Binary files {then_named} and {now_named} differ\n")
            continue
        lines = difflib.unified_diff(texts[0], texts[1], then_named, now_named)
        parts += [
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
        ]
    return "".join(parts)


def _lines(file: ContextFile | None) -> list[str] | None:
    """The lines of a text, none of a file that is not there; None for what is no text."""
    if file is None:
        return []
    try:
        text = file.data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.splitlines(keepends=True)
