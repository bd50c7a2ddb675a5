"""Manifests: the same image gives the same bytes, and what Lambda does not take is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from runtimebuilder.publish.manifest import (
    DOCKER_LIST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    as_bytes,
    image_manifest,
    index_manifest,
    lambda_problem,
)

CONFIG = Descriptor(OCI_CONFIG, "sha256:" + "c" * 64, 10)


def layer(number: int, media_type: str = OCI_LAYER) -> Descriptor:
    return Descriptor(media_type, f"sha256:{number:064x}", 1000 + number)


def test_a_manifest_of_ours_is_what_lambda_takes() -> None:
    manifest = image_manifest(CONFIG, [layer(1), layer(2)])
    assert lambda_problem(manifest) is None
    assert manifest.config == CONFIG
    assert manifest.layers == (layer(1), layer(2))
    assert manifest.size == 10 + 1001 + 1002
    assert manifest.digest.startswith("sha256:")
    assert image_manifest(CONFIG, [layer(1), layer(2)]).digest == manifest.digest


def test_a_layer_twice_is_one_blob() -> None:
    manifest = image_manifest(CONFIG, [layer(1), layer(1)])
    assert len(manifest.layers) == 2
    assert manifest.blobs == (CONFIG, layer(1))


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (Manifest(OCI_INDEX, b'{"manifests": []}'), "an index"),
        (Manifest(DOCKER_LIST, b'{"manifests": []}'), "an index"),
        (Manifest("application/json", b"{}"), "media type is application/json"),
        (
            Manifest(OCI_MANIFEST, as_bytes({"config": {"mediaType": "application/spdx+json"}})),
            "configuration",
        ),
        (image_manifest(CONFIG, [layer(1, "application/vnd.oci.image.layer.v1.tar+zstd")]), "tar+zstd"),
        (image_manifest(CONFIG, [layer(1)] * 128), "128 layers"),
        (image_manifest(CONFIG, [replace(layer(1), annotations={"note": "x" * 500})] * 60), "25400"),
        (Manifest(OCI_MANIFEST, b"nonsense"), "configuration"),
    ],
)
def test_what_lambda_does_not_take(manifest: Manifest, words: str) -> None:
    problem = lambda_problem(manifest)
    assert problem is not None
    assert words in problem


def test_an_index_is_in_the_order_of_its_platforms() -> None:
    arm64 = Descriptor(OCI_MANIFEST, "sha256:" + "1" * 64, 5, "linux/arm64")
    amd64 = Descriptor(OCI_MANIFEST, "sha256:" + "2" * 64, 5, "linux/amd64")
    index = index_manifest([arm64, amd64])
    assert index.digest == index_manifest([amd64, arm64]).digest
    assert index.is_index
    assert index.manifests == (amd64, arm64)
    assert json.loads(index.body)["manifests"][1]["platform"] == {"architecture": "arm64", "os": "linux"}
