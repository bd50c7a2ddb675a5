"""`runtimebuilder lock` and `runtimebuilder outdated`: pinning, and what has moved on since."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from runtimebuilder.build.locking import Locker, Moved, locked_base, make_lock, moved_on
from runtimebuilder.cli import console
from runtimebuilder.cli.options import BaseOption, MirrorOption
from runtimebuilder.cli.selection import ChangedSince, Exclude, Family, Names, Own, Variant, select
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import ExitCode, NothingSelectedError, SpecError, SubjectFailedError
from runtimebuilder.render.mirror import configured
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.config import load_config
from runtimebuilder.spec.lock import FILE, Lock, check_locked, read_lock, write_lock
from runtimebuilder.spec.model import RuntimeSpec


def lock(
    names: Names = None,
    family: Family = None,
    variant: Variant = None,
    exclude: Exclude = None,
    own: Own = False,
    changed_since: ChangedSince = None,
    base: BaseOption = None,
    mirror: MirrorOption = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Ask for everything anew, also where the lock still fits.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; exit 1 when the lock does not fit. Needs no engine."),
    ] = False,
) -> None:
    """Pin bases, packages and archives in runtimes.lock, which `build` then uses.

    By default for all runtimes of this project. What the lock has already stays, while it fits.
    """
    catalog = Catalog.load()
    config = load_config()
    earlier = read_lock()
    # The built-in runtimes are somebody else's, until a name is said, or they are locked already.
    own = own or not (names or family or variant)
    runtimes = select(catalog, names, family, variant, exclude, changed_since, own=own)
    wish = base or config.base
    if check:
        _check(catalog, runtimes, earlier, wish)
        return
    engine = Engine.connect()
    try:
        locker = Locker(
            engine, catalog, configured(mirror or (), config.mirrors), console.say, base=wish, pull=upgrade
        )
        changed = write_lock(make_lock(locker, runtimes, earlier, upgrade=upgrade))
    finally:
        engine.close()
    console.say(f"wrote {FILE}" if changed else f"{FILE} fits")


def _check(catalog: Catalog, runtimes: Sequence[RuntimeSpec], lock_: Lock | None, wish: str | None) -> None:
    problems = []
    for runtime in runtimes:
        entry = lock_.runtimes.get(runtime.name) if lock_ else None
        try:
            check_locked(lock_, runtime, locked_base(entry, catalog, wish, runtime), None)
        except SpecError as error:
            problems.append(error.message)
    if problems:
        raise SubjectFailedError(
            f"{FILE} does not fit {len(problems)} of {len(runtimes)} runtimes",
            detail="\n".join(dict.fromkeys(problems)),
            hint="renew it: runtimebuilder lock",
        )
    console.say(f"{FILE} fits {len(runtimes)} runtime{'' if len(runtimes) == 1 else 's'}")


def outdated(
    names: Names = None,
    family: Family = None,
    variant: Variant = None,
    exclude: Exclude = None,
    own: Own = False,
    changed_since: ChangedSince = None,
    mirror: MirrorOption = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List what is newer than runtimes.lock: bases, packages, images of layers. Exit 1 when anything is."""
    catalog = Catalog.load()
    config = load_config()
    lock_ = read_lock()
    if lock_ is None:
        raise SpecError(f"there is no {FILE} here", hint="`runtimebuilder lock` writes it")
    runtimes = [
        runtime
        for runtime in select(catalog, names, family, variant, exclude, changed_since, own=own)
        if runtime.name in lock_.runtimes
    ]
    if not runtimes:
        raise NothingSelectedError(f"{FILE} has none of these runtimes")
    engine = Engine.connect()
    try:
        mirrors = configured(mirror or (), config.mirrors)
        lockers = {
            on: Locker(engine, catalog, mirrors, console.say, base=on)
            for on in sorted({lock_.runtimes[runtime.name].base for runtime in runtimes})
        }
        moved: list[Moved] = []
        for runtime in runtimes:
            moved += moved_on(lockers[lock_.runtimes[runtime.name].base], [runtime], lock_)
    finally:
        engine.close()
    _print(moved, json_output=json_output)
    if moved:
        console.say(f"{len({one.runtime for one in moved})} of {len(runtimes)} runtimes could be renewed")
        console.say("  -> `runtimebuilder lock --upgrade`, then build")
        raise typer.Exit(ExitCode.FAILED)
    console.say(f"nothing is newer than {FILE}")


def _print(moved: Sequence[Moved], *, json_output: bool) -> None:
    if json_output:
        rows = [
            {"runtime": one.runtime, "what": one.what, "locked": one.locked, "now": one.now} for one in moved
        ]
        sys.stdout.write(json.dumps({"outdated": rows}, indent=2) + "\n")
        return
    for one in moved:
        sys.stdout.write(f"{one.runtime}  {one.what}  {_short(one.locked)} -> {_short(one.now)}\n")


def _short(text: str) -> str:
    return text[:19] + "…" if text.startswith("sha256:") else text or "(none)"
