"""Which tags an image gets at a registry: patterns, filtered by whether it is on the base that its spec asks for.

{{ php }}-{{ arch }}        everywhere
primary:latest              only on the spec's own base
other:{{ php }}-{{ base }}  only on another base
"""

from __future__ import annotations

from collections.abc import Sequence

from runtimebuilder.errors import SpecError
from runtimebuilder.spec.model import RuntimeSpec
from runtimebuilder.spec.placeholders import placeholders_in

PRIMARY, OTHER = "primary", "other"
# A tag with one of these in it is another one for another image; without them it moves from image to image.
_OWN = frozenset({"php", "git_sha", "date"})


def patterns_for(
    runtime: RuntimeSpec, base: str, asked: Sequence[str], *, is_foreign: bool = False
) -> tuple[str, ...]:
    """The patterns for an image of `runtime` on `base`: those asked for, else the spec's, else ours.

    `is_foreign`: it is for another platform than the engine's own, and `build` puts that behind the spec's tags, too.

    Raises `SpecError` (exit 2) for an unknown filter, and when no pattern is left.
    """
    is_primary = base == runtime.base
    if asked:
        chosen = [pattern for each in asked if (pattern := _filtered(each, is_primary=is_primary))]
    elif of_spec := runtime.on(base).tags:
        # What is built on another base never takes a tag from the spec's own.
        chosen = [_with("base", each) if not is_primary else each for each in of_spec]
        chosen = [_with("arch", each) if is_foreign else each for each in chosen]
    else:
        chosen = list(_defaults(runtime, is_primary=is_primary))
    if not chosen:
        raise SpecError(
            f"{runtime.name} on {base} gets none of the tags {', '.join(asked)}",
            hint=f"--tag PATTERN without {PRIMARY}: or {OTHER}: is for every base",
        )
    return tuple(dict.fromkeys(chosen))


def moving(patterns: Sequence[str]) -> tuple[str, ...]:
    """Those patterns whose tags the next build takes over."""
    return tuple(one for one in patterns if not _OWN & set(placeholders_in(one)))


def _with(placeholder: str, pattern: str) -> str:
    return pattern if placeholder in placeholders_in(pattern) else f"{pattern}-{{{{ {placeholder} }}}}"


def _filtered(text: str, *, is_primary: bool) -> str | None:
    head, colon, rest = text.partition(":")
    if not colon:
        return text
    if head not in (PRIMARY, OTHER) or not rest:
        raise SpecError(f"tag {text!r}: a pattern, or {PRIMARY}:PATTERN, or {OTHER}:PATTERN")
    return rest if (head == PRIMARY) == is_primary else None


def _defaults(runtime: RuntimeSpec, *, is_primary: bool) -> tuple[str, ...]:
    """The version; where there are several platforms each has tags of its own, for a function uses one of them."""
    version = "{{ php }}" if runtime.has_php else "{{ version }}"
    arch = "-{{ arch }}" if len(runtime.platforms) > 1 else ""
    if is_primary:
        return f"{version}{arch}", f"latest{arch}"
    return (f"{version}-{{{{ base }}}}{arch}",)
