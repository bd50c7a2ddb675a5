"""Manifests and their parts as values: what is read of them, what we make, and what Lambda takes.

Media types: https://github.com/opencontainers/image-spec/blob/main/media-types.md and, for Docker's,
https://distribution.github.io/distribution/spec/manifest-v2-2/.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runtimebuilder.errors import SubjectFailedError

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
IMAGES = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEXES = (OCI_INDEX, DOCKER_LIST)
ALL = (*IMAGES, *INDEXES)

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_CONFIGS = (OCI_CONFIG, "application/vnd.docker.container.image.v1+json")
_LAYERS = (
    OCI_LAYER,
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
)

# Lambda's, and the engines' own: a manifest below 25,400 bytes, an image below 10 GB uncompressed; overlayfs takes 127.
LARGEST_MANIFEST = 25_400  # bytes
LARGEST_IMAGE = 10_000_000_000  # bytes, uncompressed
MOST_LAYERS = 127


@dataclass(frozen=True)
class Descriptor:
    """What names a blob or a manifest: media type, digest, bytes; `platform` inside an index ("linux/amd64")."""

    media_type: str
    digest: str
    size: int
    platform: str = ""
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """As it stands in a manifest."""
        document: dict[str, object] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.platform:
            os, architecture, *variant = self.platform.split("/")
            document["platform"] = {"architecture": architecture, "os": os}
            if variant:
                document["platform"] = {"architecture": architecture, "os": os, "variant": variant[0]}
        if self.artifact_type:
            document["artifactType"] = self.artifact_type
        if self.annotations:
            document["annotations"] = dict(sorted(self.annotations.items()))
        return document


@dataclass(frozen=True)
class Manifest:
    """A manifest's bytes, as they are or will be at the registry."""

    media_type: str
    body: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Of the bytes."""
        return sha256(self.body)

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests instead of layers."""
        return self.media_type in INDEXES

    @property
    def document(self) -> Mapping[str, Any]:
        """The parsed JSON; empty when it is something else."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def config(self) -> Descriptor | None:
        """An image's configuration."""
        found = self.document.get("config")
        return descriptor(found) if isinstance(found, dict) else None

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        """An image's layers, or an artifact's files."""
        return tuple(descriptor(one) for one in self.document.get("layers") or ())

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """All that has to be at the registry before the manifest, each once."""
        found = [*([self.config] if self.config else []), *self.layers]
        return tuple({one.digest: one for one in found}.values())

    @property
    def manifests(self) -> tuple[Descriptor, ...]:
        """What an index lists."""
        return tuple(descriptor(one) for one in self.document.get("manifests") or ())

    @property
    def size(self) -> int:
        """Bytes of all blobs: what is transferred for an image."""
        return sum(blob.size for blob in self.blobs)

    def described(self, platform: str = "") -> Descriptor:
        """As a part of an index, or as a subject."""
        return Descriptor(self.media_type, self.digest, len(self.body), platform)


def sha256(data: bytes) -> str:
    """The digest of some bytes, as registries write it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def descriptor(document: Mapping[str, Any]) -> Descriptor:
    """A descriptor from a manifest's JSON; what is missing is empty."""
    platform = document.get("platform") or {}
    words = [str(platform.get(key) or "") for key in ("os", "architecture", "variant")]
    return Descriptor(
        str(document.get("mediaType") or ""),
        str(document.get("digest") or ""),
        int(document.get("size") or 0),
        "/".join(word for word in words if word),
        str(document.get("artifactType") or ""),
        dict(document.get("annotations") or {}),
    )


def as_bytes(document: Mapping[str, object]) -> bytes:
    """A manifest's bytes: the same document gives the same digest everywhere."""
    return json.dumps(document, indent=2, ensure_ascii=False).encode()


def image_manifest(config: Descriptor, layers: Sequence[Descriptor]) -> Manifest:
    """The manifest of one image for one architecture, with nothing attached to it."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.as_json(),
        "layers": [layer.as_json() for layer in layers],
    }
    return Manifest(OCI_MANIFEST, as_bytes(document))


def index_manifest(images: Sequence[Descriptor], annotations: Mapping[str, str] | None = None) -> Manifest:
    """An index of manifests, in the order of their platforms."""
    document: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [one.as_json() for one in sorted(images, key=lambda one: (one.platform, one.digest))],
    }
    if annotations:
        document["annotations"] = dict(sorted(annotations.items()))
    return Manifest(OCI_INDEX, as_bytes(document))


def lambda_problem(manifest: Manifest) -> str | None:
    """Why a function could not use what this manifest names; None when it can."""
    return next(_problems(manifest), None)


def _problems(manifest: Manifest) -> Iterator[str]:
    if manifest.is_index:
        yield "it is an index, and Lambda takes the manifest of one image alone"
    elif manifest.media_type not in IMAGES:
        yield f"its media type is {manifest.media_type}"
    if manifest.config is None or manifest.config.media_type not in _CONFIGS:
        yield "its configuration is not that of an image"
    for layer in manifest.layers:
        if layer.media_type not in _LAYERS:
            yield f"a layer has the media type {layer.media_type}"
    if len(manifest.layers) > MOST_LAYERS:
        yield f"it has {len(manifest.layers)} layers, and engines take {MOST_LAYERS}"
    if len(manifest.body) >= LARGEST_MANIFEST:
        yield f"the manifest has {len(manifest.body)} bytes, and Lambda takes less than {LARGEST_MANIFEST}"


def check_for_lambda(what: str, manifest: Manifest) -> None:
    """Raise `SubjectFailedError` (exit 1) when a function could not use it."""
    if problem := lambda_problem(manifest):
        raise SubjectFailedError(f"{what}: no Lambda function could use this image: {problem}")
