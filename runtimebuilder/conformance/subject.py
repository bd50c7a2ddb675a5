"""The image under test: its facts, its files, images derived from it, and single runs of its entrypoint."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runtimebuilder.engine.containers import ContainerSpec, StartError, create_carrier, create_container
from runtimebuilder.engine.docker import Engine, ImageFacts
from runtimebuilder.errors import EnvironmentProblemError, SubjectFailedError
from runtimebuilder.sandbox.layer import LayerFile, put_layer
from runtimebuilder.sandbox.run import Run

LAMBDA_ENTRYPOINT = "/lambda-entrypoint.sh"
"""The entrypoint of AWS's base images, whose contract drop-in replacements keep."""

BOOTSTRAP = "/var/runtime/bootstrap"
"""The runtime's program in images whose entrypoint is AWS's."""

_LOOK = 16 * 1024  # bytes of an archive that hold its first header, whatever is in it, and then some
_HEAD = 8 * 1024  # bytes of a file: a small script is all in them
_RUN_LIMIT = 10.0  # seconds for a single run of an entrypoint


@dataclass(frozen=True, slots=True)
class Ran:
    """How a single run ended; `code` None: it did not end and was killed."""

    code: int | None
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class ImageFile:
    """Something in the image. `kind`: `file`, `symbolic link`, `folder` or `special`; `head`: the first bytes."""

    kind: str
    mode: int
    uid: int
    gid: int
    target: str  # of a symbolic link
    head: bytes

    def is_executable_by(self, uid: int, gid: int) -> bool:
        """Whether the permissions let this user execute it."""
        shift = 6 if self.uid == uid else 3 if self.gid == gid else 0
        return bool(self.mode >> shift & 0o1)


@dataclass(frozen=True)
class Subject:
    """An image in the engine, by the reference that was asked for, and the run in which it is judged."""

    run: Run
    reference: str
    facts: ImageFacts

    def has_file(self, path: str) -> bool:
        """Whether the image has something at this path."""
        return self.kind_of_file(path) is not None

    def kind_of_file(self, path: str) -> str | None:
        """`file`, `symbolic link`, `folder` or `special`; None when there is nothing. Follows no link."""
        found = self.look(path)
        return None if found is None else found.kind

    def look(self, path: str) -> ImageFile | None:
        """What the image has at this path; None when there is nothing. Follows no link at the path's end."""
        if self.facts.entrypoint is None and self.facts.cmd is None:
            return None  # no container can be made of it to look into
        carrier = create_carrier(self.run.engine, self.facts.id, labels=self.run.labels)
        try:
            archive = carrier.get_archive(path, limit=_LOOK)
        finally:
            carrier.remove()
        if archive is None:
            return None
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            entry = opened.next()
            if entry is None:
                return None
            head = archive[entry.offset_data :][: min(entry.size, _HEAD)] if entry.isreg() else b""
        kinds = (("symbolic link", entry.issym()), ("folder", entry.isdir()), ("file", entry.isreg()))
        kind = next((kind for kind, is_so in kinds if is_so), "special")
        return ImageFile(kind, entry.mode & 0o7777, entry.uid, entry.gid, entry.linkname, head)

    def head_of(self, path: str) -> bytes:
        """The first kilobytes of the file at this path; none when there is no file. Follows no link."""
        found = self.look(path)
        return b"" if found is None else found.head

    def entries(self, path: str) -> tuple[tarfile.TarInfo, ...]:
        """What the image has at this path and below it, named from the path's last part on; links not followed."""
        if self.facts.entrypoint is None and self.facts.cmd is None:
            return ()  # no container can be made of it to look into
        carrier = create_carrier(self.run.engine, self.facts.id, labels=self.run.labels)
        try:
            return tuple(carrier.entries(path))
        finally:
            carrier.remove()

    def with_files(self, files: Iterable[LayerFile]) -> str:
        """An image like this one with more files in it, by id; it goes with the run."""
        return put_layer(self.run, self.facts.id, tuple(files))

    def run_once(
        self,
        arguments: Sequence[str],
        env: Mapping[str, str],
        *,
        image: str | None = None,
        entrypoint: Sequence[str] | None = None,
    ) -> Ran:
        """Run the entrypoint with these arguments and nothing but these variables besides the image's own.

        Without a network and without the box's limits. `image`: one derived from the subject; `entrypoint`:
        another one than the image's. Raises `SubjectFailedError` when the entrypoint cannot be started.
        """
        spec = ContainerSpec(
            image=image or self.facts.id,
            entrypoint=entrypoint
            or self.facts.entrypoint,  # given, so that no argument means none: not the image's CMD
            command=tuple(arguments),
            env=dict(env),
            labels=self.run.labels,
        )
        container = create_container(self.run.engine, spec)
        try:
            try:
                container.start()
            except StartError as problem:
                raise SubjectFailedError(
                    f"the entrypoint could not be started: {_reason(problem)}"
                ) from problem
            code = container.wait(_RUN_LIMIT)
            if code is None:
                container.kill()  # before its log is read: it may be writing all the time
            stdout = container.logs(stderr=False).decode(errors="replace")
            stderr = container.logs(stdout=False).decode(errors="replace")
        finally:
            container.remove()
        return Ran(code, stdout, stderr)


def _reason(problem: StartError) -> str:
    """The engine's reason without the names of its own parts before it."""
    detail = " ".join((problem.detail or problem.message).split()).removesuffix(": unknown")
    return detail[detail.find("exec: ") :] if "exec: " in detail else detail


def image_facts(engine: Engine, reference: str) -> ImageFacts:
    """The image of this reference; raises `EnvironmentProblemError` when the engine does not have it."""
    facts = engine.image(reference)
    if facts is None:
        raise EnvironmentProblemError(
            f"there is no image {reference} in the engine",
            hint=f"build it (`runtimebuilder build NAME`) or pull it (`docker pull {reference}`) first",
        )
    return facts
