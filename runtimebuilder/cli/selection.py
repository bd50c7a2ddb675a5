"""How runtimes are selected, the same for every command: names and globs, family, variant, what has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from runtimebuilder.cli import console
from runtimebuilder.cli.options import variable
from runtimebuilder.errors import NothingSelectedError, SpecError
from runtimebuilder.spec.catalog import Catalog, Narrowing
from runtimebuilder.spec.model import RuntimeSpec

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="Runtimes by name or glob: php-82-fpm, 'php-8*-fpm'."),
]
Family = Annotated[
    list[str] | None,
    typer.Option(
        "--family",
        metavar="NAME",
        help="Only of this family. Repeatable.",
        **variable("family"),
    ),
]
Variant = Annotated[
    list[str] | None,
    typer.Option(
        "--variant",
        metavar="NAME",
        help="Only this variant. Repeatable.",
        **variable("variant"),
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="NAME",
        help="Not these, by name or glob. Repeatable.",
        **variable("exclude"),
    ),
]
Own = Annotated[
    bool,
    typer.Option(
        "--own",
        help="Only the project's own runtimes, none of the built-in ones.",
        **variable("own"),
    ),
]
ChangedSince = Annotated[
    str | None,
    typer.Option(
        "--changed-since",
        metavar="REF",
        help="Only what renders to something else than at this revision.",
        **variable("changed-since"),
    ),
]


def select(
    catalog: Catalog,
    names: Sequence[str] | None,
    family: Sequence[str] | None,
    variant: Sequence[str] | None,
    exclude: Sequence[str] | None,
    changed_since: str | None = None,
    *,
    own: bool = False,
    is_all: bool = True,
) -> tuple[RuntimeSpec, ...]:
    """The runtimes that the options select, sorted by name; `is_all`: all of them when there is no option.

    When the comparison with the revision cannot be made, all are taken, and it is said. Raises `SpecError` (exit 2)
    and `NothingSelectedError` (3).
    """
    if not is_all and not (names or family or variant or changed_since or own):
        raise SpecError(
            "say which runtimes: names, globs, --family, --variant, --own or --changed-since",
            hint="`runtimebuilder list` shows all",
        )
    narrowed = Narrowing(tuple(family or ()), tuple(variant or ()), tuple(exclude or ()), own)
    runtimes = catalog.select(names or (), narrowed)
    if changed_since is None:
        return runtimes
    # Here, for `list` and its like start in half the time without Jinja.
    from runtimebuilder.ci import changes, revision  # noqa: PLC0415

    try:
        changed = changes.changed_since(changed_since, catalog, runtimes)
    except revision.RevisionError as error:
        console.say(f"WARNING: all are selected, for they cannot be compared: {error.message}")
        return runtimes
    if not changed:
        raise NothingSelectedError(f"nothing has changed since {changed_since}")
    return changed
