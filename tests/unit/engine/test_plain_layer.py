"""Layers as engines give them out, made plain."""

from __future__ import annotations

import gzip
import io

import pytest

from runtimebuilder.engine.docker import EngineError
from runtimebuilder.engine.plain_layer import write_plain

LAYER = b"as good as a tar " * 100_000


def plain(layer: bytes) -> bytes:
    target = io.BytesIO()
    write_plain(io.BytesIO(layer), target)
    return target.getvalue()


@pytest.mark.parametrize("layer", [LAYER, gzip.compress(LAYER)], ids=["plain", "gzip"])
def test_a_layer_comes_out_plain(layer: bytes) -> None:
    assert plain(layer) == LAYER


def test_an_empty_layer_stays_empty() -> None:
    assert plain(b"") == b""


@pytest.mark.parametrize(
    "layer",
    [gzip.compress(LAYER)[:-100], gzip.compress(LAYER)[:-8] + bytes(8), b"\x1f\x8bno gzip at all"],
    ids=["cut off", "wrong sum", "no gzip"],
)
def test_a_damaged_layer_is_told(layer: bytes) -> None:
    with pytest.raises(EngineError, match="damaged layer"):
        plain(layer)


def test_zstd_is_refused_with_what_to_do() -> None:
    with pytest.raises(EngineError, match="zstd") as caught:
        plain(b"\x28\xb5\x2f\xfd and more")
    assert caught.value.hint
    assert "gzip" in caught.value.hint
