"""Layers made ready: the same bytes every time, compressed once, whatever the engine gives out."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from runtimebuilder.engine.docker import Engine, EngineError
from runtimebuilder.errors import SubjectFailedError
from runtimebuilder.publish.bundle import Bundle, pack

EMPTY = bytes(1024)  # a tar without a file


def archive(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as opened:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    return written.getvalue()


ONE, TWO = archive({"a": b"1" * 5000}), archive({"[id].php": b"2" * 70_000})


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def config(*layers: bytes) -> bytes:
    rootfs = {"type": "layers", "diff_ids": [digest(layer) for layer in layers]}
    return json.dumps({"os": "linux", "architecture": "arm64", "rootfs": rootfs}).encode()


def saved(config_: bytes, files: dict[str, bytes]) -> bytes:
    """What `docker save` gives out: an older engine's layout, or OCI's."""
    listed = json.dumps([{"Config": "config.json", "Layers": list(files)}]).encode()
    return archive({"VERSION": b"1.0", **files, "config.json": config_, "manifest.json": listed})


def engine_with(stream: bytes) -> Engine:
    """An engine that gives out this stream, in awkward pieces."""

    def get_image(_image: str, *, chunk_size: int) -> Iterator[bytes]:  # noqa: ARG001 -- the SDK's name
        for start in range(0, len(stream), 777):
            yield stream[start : start + 777]

    return cast("Engine", SimpleNamespace(api=SimpleNamespace(get_image=get_image)))


def packed(stream: bytes, folder: Path) -> Bundle:
    folder.mkdir(exist_ok=True)
    return pack(engine_with(stream), "image", folder)


def test_layers_come_in_the_order_of_the_configuration(tmp_path: Path) -> None:
    bundle = packed(
        saved(config(ONE, EMPTY, TWO), {"x/layer.tar": TWO, "y/layer.tar": ONE, "z": EMPTY}), tmp_path
    )
    files = {blob.descriptor.digest: blob.file.read_bytes() for blob in bundle.blobs}
    assert [gzip.decompress(files[layer.digest]) for layer in bundle.manifest.layers] == [ONE, EMPTY, TWO]
    for blob in bundle.blobs:
        assert digest(blob.file.read_bytes()) == blob.descriptor.digest
        assert blob.file.stat().st_size == blob.descriptor.size
    assert bundle.platform == "linux/arm64"
    assert bundle.uncompressed == len(ONE) + len(EMPTY) + len(TWO)


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    stream = saved(config(ONE), {"x/layer.tar": ONE})
    assert packed(stream, tmp_path / "a").manifest == packed(stream, tmp_path / "b").manifest


def test_a_layer_that_is_there_twice_is_one_file(tmp_path: Path) -> None:
    bundle = packed(saved(config(ONE, TWO, ONE), {"x": ONE, "y": TWO, "z": ONE}), tmp_path)
    assert len(bundle.manifest.layers) == 3
    assert len(bundle.blobs) == 3  # with the configuration
    assert len(list(tmp_path.glob("layer-*"))) == 2


@pytest.mark.parametrize("parts", [(ONE,), (ONE[:3000], ONE[3000:])], ids=["one-stream", "two-streams"])
def test_what_is_compressed_already_stays_as_it_is(tmp_path: Path, parts: tuple[bytes, ...]) -> None:
    compressed = b"".join(gzip.compress(part, 9) for part in parts)
    bundle = packed(saved(config(ONE), {"blobs/sha256/x": compressed}), tmp_path)
    (layer,) = bundle.manifest.layers
    assert layer.digest == digest(compressed)


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (saved(config(ONE, TWO), {"x": ONE}), SubjectFailedError),  # a layer is missing
        (saved(config(ONE), {"x": b"\x28\xb5\x2f\xfd" + ONE}), SubjectFailedError),  # zstd
        (saved(config(ONE), {"x": gzip.compress(ONE)[:20] + bytes(2000)}), SubjectFailedError),  # broken
        (saved(config(ONE), {"x": ONE})[:7000], EngineError),  # cut
        (archive({"x": ONE}), EngineError),  # no image at all
        (b"", EngineError),
    ],
)
def test_what_is_no_whole_image_is_refused(tmp_path: Path, stream: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        packed(stream, tmp_path)
