"""SBOMs, provenance and the like attached to an image: beside it at the registry, never inside it.

OCI 1.1: a manifest of its own with a `subject`, which registries list (image-spec, "Guidelines for Artifact Usage").
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtimebuilder.errors import SpecError, SubjectFailedError
from runtimebuilder.publish.manifest import OCI_MANIFEST, Descriptor, Manifest, as_bytes, sha256
from runtimebuilder.publish.names import Repository
from runtimebuilder.publish.placing import bring_blobs, confirm
from runtimebuilder.publish.registry import Blob, RepositoryClient
from runtimebuilder.publish.retry import TransientError
from runtimebuilder.publish.session import Session

EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_EMPTY = b"{}"
_BY_SUFFIX = {
    ".spdx.json": "application/spdx+json",
    ".cdx.json": "application/vnd.cyclonedx+json",
    ".intoto.json": "application/vnd.in-toto+json",
    ".intoto.jsonl": "application/vnd.in-toto+json",
}
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\Z")


@dataclass(frozen=True)
class Attachment:
    """A file and its media type."""

    file: Path
    media_type: str


@dataclass(frozen=True)
class Attached:
    """A file that is attached now, as the registry has confirmed."""

    attachment: Attachment
    repository: Repository
    subject: str
    digest: str

    @property
    def reference(self) -> str:
        """The artifact's own name."""
        return self.repository.at(self.digest)


def attachment(file: Path, media_type: str | None) -> Attachment:
    """A file to attach; its type by its name, unless it is said. Raises `SpecError` (exit 2)."""
    if not file.is_file():
        raise SpecError(f"there is no file {file}")
    if media_type is None:
        media_type = next((kind for suffix, kind in _BY_SUFFIX.items() if file.name.endswith(suffix)), None)
        if media_type is None:
            raise SpecError(
                f"the name of {file} does not tell its type",
                hint=f"--type MEDIA_TYPE, or a name that ends in {', '.join(_BY_SUFFIX)}",
            )
    if not _MEDIA_TYPE.match(media_type):
        raise SpecError(f"--type {media_type!r} is not a media type, such as application/spdx+json")
    return Attachment(file, media_type)


def attach(
    session: Session, repository: Repository, reference: str, attachments: Sequence[Attachment]
) -> Iterator[Attached]:
    """Attach each file to what `reference` names now, one after the other. The same file again changes nothing.

    Raises `SubjectFailedError` (exit 1) when nothing is there, or the registry does not list what was attached.
    """
    client = session.client(repository)
    subject = client.manifest(reference)
    if subject is None:
        raise SubjectFailedError(
            f"{repository.at(reference)} is not there", hint="`push` prints the name of an image"
        )
    with tempfile.TemporaryDirectory(prefix="runtimebuilder-attach-") as folder:
        empty = Path(folder) / "empty.json"
        empty.write_bytes(_EMPTY)
        config = Blob(Descriptor(EMPTY_TYPE, sha256(_EMPTY), len(_EMPTY)), empty)
        for one in attachments:
            artifact = _put(session, client, subject, one, config)
            yield Attached(one, repository, subject.digest, artifact.digest)


def _put(
    session: Session, client: RepositoryClient, subject: Manifest, one: Attachment, config: Blob
) -> Manifest:
    data = one.file.read_bytes()
    title = {"org.opencontainers.image.title": one.file.name}
    content = Blob(Descriptor(one.media_type, sha256(data), len(data), annotations=title), one.file)
    files = {blob.descriptor.digest: blob for blob in (config, content)}
    artifact = _manifest(one.media_type, config.descriptor, content.descriptor, subject.described())
    bring_blobs(
        session,
        client,
        [config.descriptor, content.descriptor],
        lambda wanted: client.send_blob(files[wanted.digest]),
    )
    client.attach(artifact, subject.digest)
    confirm(client, artifact, [])

    def listed() -> None:
        if artifact.digest not in [found.digest for found in client.referrers(subject.digest)]:
            raise TransientError("it does not list what was attached")

    client.wire.persist(f"checking what is attached to {client.repository.at(subject.digest)}", listed)
    return artifact


def _manifest(artifact_type: str, config: Descriptor, content: Descriptor, subject: Descriptor) -> Manifest:
    document: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": config.as_json(),
        "layers": [content.as_json()],
        "subject": subject.as_json(),
    }
    return Manifest(OCI_MANIFEST, as_bytes(document))
