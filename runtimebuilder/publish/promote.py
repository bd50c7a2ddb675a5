"""The same image in another place, by its digest: nothing is built, and what is attached to it goes along."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtimebuilder.errors import SubjectFailedError
from runtimebuilder.publish import ecr
from runtimebuilder.publish.manifest import Descriptor, Manifest
from runtimebuilder.publish.names import Repository
from runtimebuilder.publish.placing import (
    Sent,
    bring_blobs,
    confirm,
    look,
    platforms_of,
    put_tags,
    refuse_conflicts,
)
from runtimebuilder.publish.registry import Blob, RepositoryClient
from runtimebuilder.publish.session import Session

_DEEPEST = 5  # a signature of an SBOM of an image is two


@dataclass(frozen=True)
class Promoted:
    """What is at the target now, as the target has confirmed."""

    repository: Repository
    digest: str
    tags: tuple[str, ...]
    platforms: tuple[str, ...]
    written: tuple[str, ...]  # the tags that did not name it before
    sent: Sent
    attached: int  # SBOMs, signatures and the like that are there with it

    @property
    def reference(self) -> str:
        """What a function, or a FROM, names."""
        return self.repository.at(self.digest)


def promote(
    session: Session,
    source: Repository,
    reference: str,
    target: Repository,
    *,
    tags: Sequence[str],
    say: Callable[[str], None],
) -> Promoted:
    """Copy what `reference` (a tag or a digest) names in `source` to `target`, under `tags` or by its digest alone.

    Raises `SubjectFailedError` (exit 1): nothing there, a tag that may not be moved, a target that does not confirm.
    """
    here, there = session.client(source), session.client(target)
    manifest = here.manifest(reference)
    if manifest is None:
        known = ", ".join(tag for tag in here.tags() if not tag.startswith("sha256-"))
        raise SubjectFailedError(
            f"{source.at(reference)} is not there",
            hint=f"its tags are {known}" if known else "is it the right --from? the repository has no tags",
        )
    platforms = platforms_of(here, manifest)
    before = look(there, tags)
    refuse_conflicts(there, manifest, before, ecr.tag_rule(target), platforms)
    copy = _Copy(session, here, there)
    copy.parts(manifest)
    if not tags:
        there.put_manifest(manifest, manifest.digest)
    written = put_tags(there, manifest, before, say)
    copy.attached(manifest.digest)
    confirm(there, manifest, tags)
    return Promoted(target, manifest.digest, tuple(tags), platforms, written, copy.sent, copy.artifacts)


class _Copy:
    """One copy on its way: blobs and manifests from one repository into another."""

    def __init__(self, session: Session, source: RepositoryClient, target: RepositoryClient) -> None:
        self._session = session
        self._source = source
        self._target = target
        self._seen: set[str] = set()
        self.sent = Sent(0, 0, 0, 0)
        self.artifacts = 0

    def parts(self, manifest: Manifest) -> None:
        """All that a manifest names, with what is attached to the images of an index; not the manifest itself."""
        for part in manifest.manifests:
            found = self._source.manifest(part.digest)
            if found is None:
                raise SubjectFailedError(
                    f"{self._source.repository.at(part.digest)} is not there, and the index names it"
                )
            self.parts(found)
            self._target.put_manifest(found, found.digest)
            self.attached(found.digest)
        for blob in manifest.blobs:
            self._session.holds(self._source.repository, blob)
        now = bring_blobs(self._session, self._target, manifest.blobs, self._carry)
        self.sent = Sent(
            self.sent.sent + now.sent,
            self.sent.mounted + now.mounted,
            self.sent.blobs + now.blobs,
            self.sent.size + now.size,
        )

    def attached(self, digest: str, depth: int = 0) -> None:
        """Copy what is attached to a manifest, and what is attached to that."""
        for one in self._source.referrers(digest):
            if one.digest in self._seen or depth >= _DEEPEST:
                continue
            self._seen.add(one.digest)
            artifact = self._source.manifest(one.digest)
            if artifact is None:
                continue  # a list that was not kept: what it names has been removed
            self.parts(artifact)
            self._target.attach(artifact, digest)
            confirm(self._target, artifact, [])
            self.artifacts += 1
            self.attached(one.digest, depth + 1)

    def _carry(self, blob: Descriptor) -> None:
        with tempfile.TemporaryDirectory(prefix="runtimebuilder-promote-") as folder:
            file = Path(folder) / "blob"
            with file.open("w+b") as opened:
                self._source.read_blob(blob, opened)
            self._target.send_blob(Blob(blob, file))
