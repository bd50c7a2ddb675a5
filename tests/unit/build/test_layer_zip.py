"""The zip file of a layer: the same files, the same bytes, with modes and links."""

from __future__ import annotations

import io
import stat
import zipfile

from runtimebuilder.build.layer_zip import zipped
from runtimebuilder.engine.layer_parts import ImageFile

FILES = (
    ImageFile("php/bin/php", 0o755, b"#!/bin/sh\n"),
    ImageFile("bootstrap", 0o755, b"x" * 1000),
    ImageFile("/opt/tool", 0o644, b"data"),
    ImageFile("bref/ssl/cert.pem", 0o777, b"../../php/ssl/cert.pem", is_link=True),
)


def test_the_same_files_give_the_same_bytes_in_any_order() -> None:
    assert zipped(FILES) == zipped(FILES[::-1])


def test_names_are_below_opt_and_modes_and_links_are_kept() -> None:
    with zipfile.ZipFile(io.BytesIO(zipped(FILES))) as archive:
        found = {info.filename: info for info in archive.infolist()}
        assert list(found) == ["bootstrap", "bref/ssl/cert.pem", "php/bin/php", "tool"]
        assert archive.read("bref/ssl/cert.pem") == b"../../php/ssl/cert.pem"
    modes = {name: info.external_attr >> 16 for name, info in found.items()}
    assert stat.S_ISLNK(modes["bref/ssl/cert.pem"])
    assert [modes[name] & 0o777 for name in ("bootstrap", "tool")] == [0o755, 0o644]
    assert all(info.create_system == 3 for info in found.values())  # Unix: what unpacks it reads the modes
    assert {info.date_time for info in found.values()} == {(1980, 1, 1, 0, 0, 0)}
