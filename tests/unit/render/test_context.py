"""Build contexts: the same bytes for the same files, and written whole or not at all."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from runtimebuilder.errors import SpecError
from runtimebuilder.render.context import FILE_TIME, MARKER, BuildContext, ContextFile

FILES = (
    ContextFile("rootfs/var/runtime/bootstrap", 0o755, b"#!/bin/sh\n"),
    ContextFile("Dockerfile", 0o644, f"{MARKER} from x\nFROM scratch\n".encode()),
)


def test_the_order_in_which_files_were_found_changes_nothing() -> None:
    one, other = BuildContext(FILES), BuildContext(tuple(reversed(FILES)))
    assert one == other
    assert one.tar() == other.tar()
    assert one.digest == other.digest


@pytest.mark.parametrize(
    "changed",
    [
        ContextFile("rootfs/var/runtime/bootstrap", 0o644, b"#!/bin/sh\n"),
        ContextFile("rootfs/var/runtime/bootstrap", 0o755, b"#!/bin/bash\n"),
        ContextFile("rootfs/var/runtime/bootstrap2", 0o755, b"#!/bin/sh\n"),
    ],
)
def test_mode_content_and_path_count_in_the_digest(changed: ContextFile) -> None:
    assert BuildContext((changed, FILES[1])).digest != BuildContext(FILES).digest


def test_the_tar_has_fixed_times_owners_and_modes() -> None:
    with tarfile.open(fileobj=io.BytesIO(BuildContext(FILES).tar())) as archive:
        entries = {entry.name: entry for entry in archive.getmembers()}
    assert list(entries) == [
        "rootfs",
        "rootfs/var",
        "rootfs/var/runtime",
        "Dockerfile",
        "rootfs/var/runtime/bootstrap",
    ]
    assert {(entry.uid, entry.gid, entry.mtime) for entry in entries.values()} == {(0, 0, FILE_TIME)}
    assert entries["rootfs/var/runtime/bootstrap"].mode == 0o755
    assert entries["rootfs"].mode == 0o755


def test_a_context_is_written_with_modes_and_times(tmp_path: Path) -> None:
    BuildContext(FILES).write(tmp_path / "out")
    bootstrap = tmp_path / "out/rootfs/var/runtime/bootstrap"
    assert bootstrap.stat().st_mode & 0o777 == 0o755
    assert bootstrap.stat().st_mtime == FILE_TIME
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_a_context_of_ours_is_replaced_as_a_whole(tmp_path: Path) -> None:
    BuildContext((*FILES, ContextFile("old", 0o644, b""))).write(tmp_path / "out")
    BuildContext(FILES).write(tmp_path / "out")
    assert not (tmp_path / "out/old").exists()


def test_somebodys_files_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("three years")
    with pytest.raises(SpecError, match="is not empty and was not written by runtimebuilder"):
        BuildContext(FILES).write(tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]
