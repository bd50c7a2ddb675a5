"""Room is measured on the disk that the images are on."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from runtimebuilder.engine.disk import room
from runtimebuilder.engine.docker import Engine


def engine_at(folder: str) -> Engine:
    api = SimpleNamespace(info=lambda: {"DockerRootDir": folder})
    return cast("Engine", SimpleNamespace(is_local=True, api=api))


def test_a_folder_that_is_a_disk_of_its_own_is_measured_itself() -> None:
    if shutil.disk_usage("/dev/shm").total == shutil.disk_usage("/dev").total:
        pytest.skip("/dev/shm is no disk of its own here")
    there = room(engine_at("/dev/shm"))
    assert there is not None
    assert abs(there.free - shutil.disk_usage("/dev/shm").free) < 50_000_000


def test_a_folder_out_of_reach_is_guessed_from_its_parent(tmp_path: Path) -> None:
    there = room(engine_at(str(tmp_path / "not-there")))
    assert there is not None
    assert abs(there.free - shutil.disk_usage(tmp_path).free) < 500_000_000


def test_an_engine_that_does_not_tell_its_folder_has_no_room_to_tell() -> None:
    assert room(engine_at("")) is None
