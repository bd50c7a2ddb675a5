"""The OCI distribution API: manifests, blobs, uploads, mounts, referrers.

Rules: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md. A blob or manifest is taken for what its
bytes hash to, never for what a header says.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from runtimebuilder.errors import SubjectFailedError
from runtimebuilder.publish.failures import RefusedError, Said
from runtimebuilder.publish.manifest import (
    ALL,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    descriptor,
    index_manifest,
)
from runtimebuilder.publish.names import DIGEST, Repository
from runtimebuilder.publish.retry import TransientError
from runtimebuilder.publish.wire import PULL, PUSH, Answer, Wire

# A piece of a blob: large enough to be quick, small enough to be sent again. ECR and S3 want 5 MB or more.
CHUNK = 32 << 20
_MOST_PAGES = 100
_NEXT = re.compile(r"<([^>]+)>\s*;\s*rel=\"?next\"?")
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)\Z")


@dataclass(frozen=True)
class Blob:
    """Bytes to be sent: a file of ours and what it is."""

    descriptor: Descriptor
    file: Path

    def part(self, start: int, length: int) -> Callable[[], BinaryIO]:
        """Opens `length` bytes from `start`."""
        return lambda: _Part(self.file, start, length)  # type: ignore[return-value] # what requests needs of it


class _Part:
    """Some bytes of a file, as requests sends a body: with `read`, and a length."""

    def __init__(self, file: Path, start: int, length: int) -> None:
        self._file = file.open("rb")
        self._file.seek(start)
        self._left = length
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> _Part:
        return self

    def __next__(self) -> bytes:
        if piece := self.read(1 << 16):
            return piece
        raise StopIteration

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        self._file.close()


class RepositoryClient:
    """One repository of a registry."""

    def __init__(self, wire: Wire, repository: Repository) -> None:
        self.wire = wire
        self.repository = repository
        self._root = f"/v2/{repository.path}"

    # -- manifests ---------------------------------------------------------

    def manifest(self, reference: str, *, just_written: bool = False) -> Manifest | None:
        """The manifest behind a tag or a digest; None when there is none.

        `just_written`: it must be there, so that an absence is waited out. Raises as `Wire.ask`.
        """
        what = f"reading {self.repository.at(reference)}"

        def attempt() -> Manifest | None:
            answer = self.wire.once(
                "GET",
                f"{self._root}/manifests/{reference}",
                what=what,
                scope=self._scope(PUSH if just_written else PULL),
                headers={"Accept": ", ".join(ALL)},
                expected=(200,) if just_written else (200, 404),
                again=(404,) if just_written else (),
            )
            return None if answer.status == 404 else _whole(answer, reference)

        return self.wire.persist(what, attempt)

    def put_manifest(self, manifest: Manifest, reference: str) -> Answer:
        """Write a manifest under a tag or its digest. Raises `RefusedError`, with what the registry said."""
        return self.wire.ask(
            "PUT",
            f"{self._root}/manifests/{reference}",
            what=f"writing {self.repository.at(reference)}",
            scope=self._scope(PUSH),
            headers={"Content-Type": manifest.media_type},
            body=manifest.body,
            expected=(200, 201, 202),
            # Blobs that were written a moment ago, and that a part of the registry does not see yet. ECR says so too.
            again=(404,),
        )

    def tags(self, most: int = 100) -> tuple[str, ...]:
        """Some of the repository's tags, for a hint; () when it does not tell."""
        try:
            answer = self.wire.ask(
                "GET",
                f"{self._root}/tags/list?n={most}",
                what=f"listing the tags of {self.repository}",
                scope=self._scope(PULL),
                expected=(200, 404),
            )
        except RefusedError:
            return ()
        found = answer.json() if answer.status == 200 else {}
        return tuple(sorted(str(tag) for tag in found.get("tags") or ()))

    # -- blobs -------------------------------------------------------------

    def has_blob(self, blob: Descriptor, *, just_written: bool = False) -> bool:
        """Whether the blob is there, in its full size."""
        answer = self.wire.ask(
            "HEAD",
            f"{self._root}/blobs/{blob.digest}",
            what=f"looking for {blob.digest[:19]} in {self.repository}",
            scope=self._scope(PUSH),
            expected=(200,) if just_written else (200, 404),
            again=(404,) if just_written else (),
        )
        length = answer.headers.get("content-length")
        return answer.status == 200 and (length is None or int(length) == blob.size)

    def read_blob(self, blob: Descriptor, into: BinaryIO) -> None:
        """Fetch a blob into a file, and check it. Raises as `Wire.ask`, `SubjectFailedError` when there is none."""
        what = f"fetching {blob.digest[:19]} of {self.repository}"

        def attempt() -> None:
            self.wire.once(
                "GET", f"{self._root}/blobs/{blob.digest}", what=what, scope=self._scope(PULL), into=into
            )
            into.seek(0)
            digest = hashlib.sha256()
            while piece := into.read(1 << 20):
                digest.update(piece)
            if f"sha256:{digest.hexdigest()}" != blob.digest:
                raise TransientError("other bytes came than those of that digest")

        self.wire.persist(what, attempt)

    def config_of(self, manifest: Manifest) -> bytes:
        """The bytes of an image's configuration; b"" when the manifest has none."""
        if manifest.config is None:
            return b""
        with tempfile.TemporaryFile() as file:
            self.read_blob(manifest.config, file)
            file.seek(0)
            return file.read()

    def mount(self, blob: Descriptor, source: Repository) -> bool:
        """Take a blob from another repository of the registry. False: it has to be sent."""
        query = urllib.parse.urlencode({"mount": blob.digest, "from": source.path})
        answer = self.wire.ask(
            "POST",
            f"{self._root}/blobs/uploads/?{query}",
            what=f"mounting {blob.digest[:19]} of {source} in {self.repository}",
            scope=f"{self._scope(PUSH)} repository:{source.path}:{PULL}",
            # 202: an upload was begun instead, which the registry forgets in time. 4xx: it knows no mounts.
            expected=(201, 202, 400, 404, 405),
        )
        return answer.status == 201

    def send_blob(self, blob: Blob) -> None:
        """Upload a blob, in pieces when it is large, going on after a failure where the last piece ended.

        POST, PATCH, and a PUT without a body: the way that docker takes, and so every registry.
        """
        upload = _Upload(self, blob)
        self.wire.persist(
            f"sending {blob.descriptor.digest[:19]} ({blob.descriptor.size / 1e6:.1f} MB)", upload.proceed
        )

    # -- referrers ---------------------------------------------------------

    def referrers(self, digest: str) -> tuple[Descriptor, ...]:
        """What is attached to a manifest: by the API, or by the tag that stands for it on older registries."""
        what = f"listing what is attached to {self.repository.at(digest)}"
        found: list[Descriptor] = []
        page = f"{self._root}/referrers/{digest}"
        for _ in range(_MOST_PAGES):

            def attempt(page: str = page) -> tuple[Answer, Any]:
                answer = self.wire.once(
                    "GET",
                    page,
                    what=what,
                    scope=self._scope(PULL),
                    headers={"Accept": OCI_INDEX},
                    expected=(200, 400, 404, 405),
                )
                return answer, answer.json() if answer.status == 200 else {}

            answer, document = self.wire.persist(what, attempt)
            if answer.status != 200:
                listed = self.manifest(_fallback(digest))
                return listed.manifests if listed is not None else ()
            found += [descriptor(one) for one in document.get("manifests") or ()]
            following = _NEXT.search(answer.headers.get("link", ""))
            if not following:
                break
            page = urllib.parse.urljoin(answer.url, following[1])
        return tuple(found)

    def attach(self, artifact: Manifest, subject: str) -> None:
        """Write a manifest that has a subject, so that it is found by `referrers`."""
        answer = self.put_manifest(artifact, artifact.digest)
        if "oci-subject" in answer.headers:
            return
        # The registry does not know subjects: the list is ours to keep (spec, "Referrers Tag Schema").
        listed = self.referrers(subject)
        if any(one.digest == artifact.digest for one in listed):
            return
        document = artifact.document
        entry = Descriptor(
            OCI_MANIFEST,
            artifact.digest,
            len(artifact.body),
            artifact_type=str(document.get("artifactType") or ""),
            annotations=dict(document.get("annotations") or {}),
        )
        self.put_manifest(index_manifest([*listed, entry]), _fallback(subject))

    def _scope(self, actions: str) -> str:
        return f"repository:{self.repository.path}:{actions}"


class _Upload:
    """One blob on its way. `proceed` is called again after each failure."""

    def __init__(self, client: RepositoryClient, blob: Blob) -> None:
        self._client = client
        self._blob = blob
        self._location: str | None = None
        self._sent = 0
        self._failed = False

    def proceed(self) -> None:
        """Do what is left to do. Raises `TransientError` when that has to go on later."""
        size = self._blob.descriptor.size
        if self._failed:
            path = f"/v2/{self._client.repository.path}/blobs/{self._blob.descriptor.digest}"
            if self._once("HEAD", path, expected=(200, 404)).status == 200:
                return  # it was only the answer that did not come
            self._ask_how_far()
        self._failed = True
        if self._location is None:
            self._begin()
        while self._sent < size:
            self._send_piece(min(CHUNK, size - self._sent))
        self._finish()

    def _begin(self) -> None:
        answer = self._once("POST", f"/v2/{self._client.repository.path}/blobs/uploads/", expected=(202,))
        self._sent = 0
        self._follow(answer)

    def _ask_how_far(self) -> None:
        """After a failure: the registry says what it has, or the upload begins anew."""
        if self._location is None:
            return
        location, self._location = self._location, None
        if self._blob.descriptor.size <= CHUNK:
            return
        try:
            answer = self._once("GET", location, expected=(204, 200, 202))
        except SubjectFailedError:
            return  # the upload is gone, or the registry does not tell
        held = _RANGE.match(answer.headers.get("range", ""))
        if held is None:
            return
        self._sent = min(int(held[1]) + 1 if int(held[1]) else 0, self._blob.descriptor.size)
        self._location = location
        self._follow(answer)

    def _send_piece(self, length: int) -> None:
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
        if length < self._blob.descriptor.size:
            headers["Content-Range"] = f"{self._sent}-{self._sent + length - 1}"
        answer = self._once(
            "PATCH",
            self._location or "",
            headers=headers,
            body=self._blob.part(self._sent, length),
            expected=(202, 204, 400, 404, 416),
        )
        if answer.status >= 400:
            self._lost_track(answer)
        self._sent += length
        self._follow(answer)

    def _finish(self) -> None:
        location = self._location or ""
        answer = self._once(
            "PUT",
            f"{location}{'&' if '?' in location else '?'}digest={self._blob.descriptor.digest}",
            headers={"Content-Type": "application/octet-stream", "Content-Length": "0"},
            body=b"",
            expected=(201, 204, 400, 404, 416),
        )
        if answer.status >= 400:
            self._lost_track(answer)

    def _lost_track(self, answer: Answer) -> None:
        """The upload is gone (a registry that was restarted, say), or is not what we think: begin anew, later."""
        self._location = None
        said = Said.of(answer.body)
        raise TransientError(
            f"the upload is lost ({answer.status} {said.code or said.message})".replace(" )", ")")
        )

    def _once(self, method: str, path: str, **options: Any) -> Answer:
        return self._client.wire.once(
            method,
            path,
            what=f"sending {self._blob.descriptor.digest[:19]} to {self._client.repository}",
            scope=f"repository:{self._client.repository.path}:{PUSH}",
            **options,
        )

    def _follow(self, answer: Answer) -> None:
        location = answer.headers.get("location")
        if location:
            self._location = urllib.parse.urljoin(answer.url, location)
        elif self._location is None:
            raise TransientError("it began an upload without saying where")


def _whole(answer: Answer, reference: str) -> Manifest:
    """The manifest of an answer, if its bytes are what was asked for: a cut answer is a failure, not a manifest."""
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip()
    manifest = Manifest(media_type, answer.body)
    wanted = reference if DIGEST.match(reference) else answer.headers.get("docker-content-digest")
    if wanted is not None and DIGEST.match(wanted) and manifest.digest != wanted:
        raise TransientError("the manifest is not whole")
    document = manifest.document
    if not document:
        raise TransientError("the manifest is not JSON")
    if media_type not in ALL:
        # Some storage services say octet-stream; the manifest itself knows better.
        inside = str(document.get("mediaType") or "")
        return Manifest(inside if inside in ALL else media_type, answer.body)
    return manifest


def _fallback(digest: str) -> str:
    return digest.replace(":", "-")
