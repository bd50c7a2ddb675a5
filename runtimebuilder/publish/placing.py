"""Putting a manifest under tags, and never over what must stay: what is there is read before, and again after.

Used by all that writes: `push`, `index`, `promote`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from runtimebuilder.errors import SubjectFailedError
from runtimebuilder.publish.ecr import TagRule
from runtimebuilder.publish.failures import RefusedError
from runtimebuilder.publish.manifest import Descriptor, Manifest
from runtimebuilder.publish.names import Repository
from runtimebuilder.publish.registry import RepositoryClient
from runtimebuilder.publish.retry import TransientError
from runtimebuilder.publish.session import Session

There = Mapping[str, Manifest | None]


@dataclass(frozen=True)
class Sent:
    """What had to be done for the blobs: how many of how many, and the bytes that went over the wire."""

    sent: int
    mounted: int
    blobs: int
    size: int  # bytes


def look(client: RepositoryClient, tags: Sequence[str]) -> There:
    """What each tag names now; None for one that is free."""
    return {tag: client.manifest(tag) for tag in tags}


def refuse_conflicts(
    client: RepositoryClient, manifest: Manifest, there: There, rule: TagRule | None, platforms: Sequence[str]
) -> None:
    """Raise `SubjectFailedError` (exit 1) for the first tag that names something else and may not be moved.

    No tag is taken from another architecture either, nor by an image from an index, nor by an index from an image:
    somebody's function, or somebody's FROM, uses those.
    """
    for tag, other in there.items():
        if other is None or other.digest == manifest.digest:
            continue
        if rule is not None and rule.holds(tag):
            raise immutable(client.repository, tag, other.digest, manifest.digest)
        if other.is_index and manifest.is_index:
            continue
        those = platforms_of(client, other)
        if not those or (those == tuple(platforms) and not manifest.is_index and not _is_for_from(other)):
            continue
        what = "an index" if manifest.is_index else f"an image for {' and '.join(platforms) or 'no platform'}"
        kind = "an index" if other.is_index else "an image"
        raise SubjectFailedError(
            f"{client.repository.at(tag)} is {kind} for {' and '.join(those)}; {what} does not take its tag",
            detail=f"  there  {other.digest}\n  here   {manifest.digest}",
            hint="give each architecture a tag of its own, with {{ arch }} in it, and an index another one",
        )


def _is_for_from(manifest: Manifest) -> bool:
    """Whether it is an index that somebody made; not one that a builder wrapped around one image's attestation."""
    return manifest.is_index and not any("unknown" in part.platform for part in manifest.manifests)


def platforms_of(client: RepositoryClient, manifest: Manifest) -> tuple[str, ...]:
    """What a manifest at the registry is for, "os/architecture", sorted; attestations, for nothing, left out.

    () where it does not tell.
    """
    if manifest.is_index:
        found = {"/".join(one.platform.split("/")[:2]) for one in manifest.manifests}
        return tuple(sorted(one for one in found if one and "unknown" not in one))
    try:
        config = json.loads(client.config_of(manifest) or b"{}")
        return (f"{config['os']}/{config['architecture']}",)
    except (ValueError, KeyError, TypeError):
        return ()


def immutable(repository: Repository, tag: str, there: str, ours: str) -> SubjectFailedError:
    """The error for a tag that stays where it is."""
    return SubjectFailedError(
        f"{repository.at(tag)} is there already, is another image, and the tag is immutable",
        detail=f"  there  {there}\n  here   {ours}",
        hint="give this one another tag: one with {{ php }}, {{ git_sha }} or {{ date }} in it, say",
    )


def put_tags(
    client: RepositoryClient, manifest: Manifest, there: There, say: Callable[[str], None]
) -> tuple[str, ...]:
    """Write the manifest under each tag that does not name it yet; the tags that were written.

    Raises `SubjectFailedError` (exit 1): what the registry refuses, an immutable tag with both digests.
    """
    written: list[str] = []
    for tag, other in there.items():
        if other is not None and other.digest == manifest.digest:
            continue
        try:
            client.put_manifest(manifest, tag)
        except RefusedError as error:
            if not error.is_immutable:
                raise
            now = client.manifest(tag)
            if now is not None and now.digest == manifest.digest:
                continue  # an earlier attempt, whose answer was lost, or somebody else with the same image
            raise immutable(
                client.repository, tag, now.digest if now else "(unknown)", manifest.digest
            ) from error
        written.append(tag)
        if other is not None:
            say(f"{client.repository.at(tag)} is moved, from {other.digest}")
    return tuple(written)


def confirm(client: RepositoryClient, manifest: Manifest, tags: Sequence[str]) -> None:
    """Ask the registry itself: every tag (or the digest) gives these bytes, and every blob is there.

    Raises `BrokenOffError` (exit 1) when it does not say so, however often it is asked.
    """
    for tag in tags or [manifest.digest]:
        what = f"checking {client.repository.at(tag)}"

        def attempt(tag: str = tag) -> None:
            found = client.manifest(tag, just_written=True)
            if found is None or found.digest != manifest.digest:
                raise TransientError(f"it is {found.digest if found else 'not there'}, not {manifest.digest}")

        client.wire.persist(what, attempt)
    for blob in manifest.blobs:

        def there(blob: Descriptor = blob) -> None:
            if not client.has_blob(blob, just_written=True):
                raise TransientError(f"the blob {blob.digest} has another size than its {blob.size} bytes")

        client.wire.persist(f"checking {blob.digest[:19]}", there)


def bring_blobs(
    session: Session,
    client: RepositoryClient,
    blobs: Sequence[Descriptor],
    send: Callable[[Descriptor], None],
) -> Sent:
    """Have every blob in the repository: there, taken from another one, or sent by `send`."""
    sent = mounted = size = 0
    for blob in blobs:
        if not client.has_blob(blob):
            source = session.holder(client.repository, blob)
            if source is not None and client.mount(blob, source):
                mounted += 1
            else:
                send(blob)
                sent += 1
                size += blob.size
        session.holds(client.repository, blob)
    return Sent(sent, mounted, len(blobs), size)
