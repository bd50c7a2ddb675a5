"""The project as it was at a revision: its specs, templates and files, in a folder of their own."""

from __future__ import annotations

import contextlib
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runtimebuilder import shipped
from runtimebuilder.engine import process
from runtimebuilder.errors import SpecError, UserError
from runtimebuilder.render.environment import TemplateSet
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.lock import Lock, read_lock

_TIMEOUT = 300.0


class RevisionError(UserError):
    """The project cannot be had as it was then: no such revision, no git, specs with mistakes (exit 2)."""

    exit_code = SpecError.exit_code


@dataclass(frozen=True)
class Workspace:
    """Runtimes, the templates that they are rendered with, and what is pinned."""

    catalog: Catalog
    templates: TemplateSet
    lock: Lock | None = None


def here(catalog: Catalog) -> Workspace:
    """The working directory's, with the runtimes of `catalog`."""
    return Workspace(catalog, TemplateSet(), read_lock())


def is_revision(text: str) -> bool:
    """Whether the text names a revision here; whatever has no git, or is no repository, has none."""
    try:
        commit_of(text)
    except RevisionError:
        return False
    return True


def commit_of(revision: str) -> str:
    """The commit's full name. Raises `RevisionError` when there is none, or no git."""
    if revision.startswith("-"):
        raise RevisionError(f"{revision!r} is not the name of a revision")
    try:
        answer = process.run(
            ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"],
            timeout=_TIMEOUT,
        )
    except FileNotFoundError as error:
        raise RevisionError(
            "comparing with a revision needs git, which is not here", hint="install git"
        ) from error
    if answer.code != 0:
        raise RevisionError(
            f"there is no revision {revision!r} here{': ' + answer.output if answer.output else ''}",
            hint="in CI, fetch it first: a shallow clone has the last commit alone",
        )
    return answer.output.strip()


@contextlib.contextmanager
def at(revision: str) -> Iterator[Workspace]:
    """The working directory's project as it was at `revision`, while the context lasts.

    Built-in runtimes and templates are this tool's; where the working directory is the tool's own, they are those of
    the revision. Raises `RevisionError`, also when the specs of then have mistakes.
    """
    commit = commit_of(revision)
    with tempfile.TemporaryDirectory(prefix="runtimebuilder-") as folder:
        top = Path(folder) / "project"
        top.mkdir()
        archive = Path(folder) / "archive.tar"
        answer = process.run(["git", "archive", "--format=tar", "-o", str(archive), commit], timeout=_TIMEOUT)
        if answer.code != 0:
            raise RevisionError(f"git cannot give the files of {revision!r}: {answer.output[-300:]}")
        with tarfile.open(archive) as tar:
            tar.extractall(top, filter="tar")
        archive.unlink()
        try:
            yield _workspace(top)
        except UserError as error:
            if isinstance(error, RevisionError):
                raise
            detail = error.detail.replace(f"{top}/", f"{revision}:") if error.detail else None
            raise RevisionError(f"at {revision!r}: {error.message}", detail=detail) from error


def _workspace(top: Path) -> Workspace:
    runtimes, templates = shipped.directory("runtimes"), shipped.directory("templates")
    is_own = Path("runtimes").resolve() == runtimes.resolve()
    folders = [top / "runtimes"] if (top / "runtimes").is_dir() else []
    if not is_own or not folders:
        folders.append(runtimes)
    found = [top / "templates"] if (top / "templates").is_dir() else []
    if not is_own or not found:
        found.append(templates)
    bases = top / "templates" / "bases" if is_own and (top / "templates" / "bases").is_dir() else None
    return Workspace(Catalog.load(folders, bases_directory=bases), TemplateSet(found), read_lock(top))
