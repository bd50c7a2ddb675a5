"""The lock: when it fits, when it does not and why, and what it puts into a Dockerfile."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.errors import SpecError
from runtimebuilder.render.image import render_image
from runtimebuilder.render.mirror import Mirror
from runtimebuilder.spec.bases import shipped_bases
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.lock import (
    FILE,
    Lock,
    check_locked,
    lock_text,
    pins_for,
    read_lock,
    staleness,
    wants_of,
    write_lock,
)
from runtimebuilder.spec.model import RuntimeSpec
from runtimebuilder.spec.problem import SpecErrors

Write = Callable[..., Path]
SHOP = """\
schema: 1
name: shop
extends: php-82-fpm
extensions: [curl, xdebug]
layers: [{ image: "example.com/layer:1" }]
build: { packages: { al2023: [gcc] }, run: [make], artefacts: [{ from: /a, to: /opt/a }] }
"""
DIGEST = "sha256:" + "ab" * 32
LAYER = "sha256:" + "cd" * 32


def runtime(folder: Path) -> RuntimeSpec:
    return Catalog.load([folder]).runtimes["shop"]


def locked(found: RuntimeSpec, **platform: object) -> Lock:
    """A lock that fits `found`, as if 2.0 of every package were there, and one more for each step."""
    base = shipped_bases()[found.base]
    wants = wants_of(found, base)
    packages = {step: dict.fromkeys((*names, f"lib-{step}"), "2.0") for step, names in wants.wanted.items()}
    entry = {
        "base": found.base,
        "wanted": wants.wanted,
        "sources": wants.sources,
        "images": dict.fromkeys(wants.images, LAYER),
        "platforms": {"linux/amd64": {"digest": DIGEST, "packages": packages, **platform}},
    }
    return Lock.model_validate({"schema": 1, "epoch": 7, "runtimes": {"shop": entry}})


@pytest.fixture
def folder(write: Write, family: str) -> Path:
    return write(php=family, shop=SHOP)


def test_what_is_asked_for_is_by_step(folder: Path) -> None:
    found = runtime(folder)
    wants = wants_of(found, shipped_bases()["al2023"])
    assert "php8.2-cli" in wants.wanted["common"]
    assert wants.wanted["variant"] == ("php8.2-fpm",)
    assert wants.wanted["build-0"] == ("gcc",)
    assert wants.images == ("example.com/layer:1",)
    assert any(name.startswith("xdebug ") for name in wants.sources)
    assert "gcc" in wants.wanted["compiled"]


def test_comments_order_and_settings_make_nothing_stale(folder: Path) -> None:
    lock = locked(runtime(folder))
    changed = (
        SHOP.replace("[curl, xdebug]", "[xdebug, curl]  # sorted")
        + "ini: { memory_limit: 1G }\nenv: { A: b }\n"
    )
    (folder / "shop.yaml").write_text(changed)
    found = runtime(folder)
    check_locked(lock, found, shipped_bases()["al2023"], "linux/amd64")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("[curl, xdebug]", "[curl, xdebug, intl]", "php8.2-intl is asked for now"),
        ("[gcc]", "[gcc-c++]", "gcc-c++ is asked for now; gcc is not asked for any more"),
        ("layer:1", "layer:2", "other layers are asked for"),
        ("[curl, xdebug]", "[curl]", "is not asked for any more"),
    ],
)
def test_what_has_changed_is_told_with_the_command_that_renews(
    folder: Path, old: str, new: str, why: str
) -> None:
    lock = locked(runtime(folder))
    (folder / "shop.yaml").write_text(SHOP.replace(old, new))
    found = runtime(folder)
    with pytest.raises(SpecError) as caught:
        check_locked(lock, found, shipped_bases()["al2023"], "linux/amd64")
    assert caught.value.message.startswith("runtimes.lock does not fit shop any more: ")
    assert why in caught.value.message
    assert caught.value.hint == "renew it: runtimebuilder lock shop"
    assert pins_for(lock, found, shipped_bases()["al2023"], "linux/amd64") is None


def test_another_archive_is_told(folder: Path) -> None:
    found = runtime(folder)
    lock = locked(found)
    entry = lock.runtimes["shop"]
    (name,) = entry.sources
    other = entry.model_copy(update={"sources": {name: "0" * 64}})
    wants = wants_of(found, shipped_bases()["al2023"])
    assert staleness(other, wants, "al2023", None) == (f"the archive of {name} is another one",)


def test_another_base_or_platform_is_not_what_was_locked(folder: Path) -> None:
    found = runtime(folder)
    lock, wants = locked(found), wants_of(found, shipped_bases()["al2023"])
    entry = lock.runtimes["shop"]
    assert staleness(entry, wants, "debian-12", None) == ("it is for base al2023, not debian-12",)
    assert staleness(entry, wants, "al2023", "linux/arm64") == ("it is not for linux/arm64",)
    assert pins_for(lock, found, shipped_bases()["al2023"], "linux/arm64") is None


def test_no_lock_and_no_entry_are_told(folder: Path) -> None:
    found, base = runtime(folder), shipped_bases()["al2023"]
    with pytest.raises(SpecError, match=r"there is no runtimes\.lock here"):
        check_locked(None, found, base, None)
    empty = Lock(schema=1, epoch=0)
    with pytest.raises(SpecError, match=r"runtimes\.lock says nothing for shop"):
        check_locked(empty, found, base, None)


def test_pins_are_what_is_rendered(folder: Path) -> None:
    found, base = runtime(folder), shipped_bases()["al2023"]
    pins = pins_for(locked(found), found, base, "linux/amd64")
    assert pins is not None
    mirror = Mirror("public.ecr.aws=cache.example.com/aws")
    lines = [
        line.strip()
        for line in render_image(found, base, mirrors=(mirror,), pins=pins).dockerfile.splitlines()
    ]
    image = f"cache.example.com/aws/lambda/provided@{DIGEST}"
    froms = [line.split()[1].replace(":al2023", "") for line in lines if line.startswith("FROM ")]
    assert froms == [image] * 3
    for package in (
        "php8.2-cli-2.0",
        "lib-common-2.0",
        "php8.2-fpm-2.0",
        "lib-variant-2.0",
        "gcc-2.0",
        "lib-build-0-2.0",
    ):
        assert f"{package} \\" in lines
    assert "php8.2-cli \\" not in lines
    assert f"COPY --from=example.com/layer:1@{LAYER} /opt/ /opt/" in lines


def test_apt_wants_an_equals_sign(folder: Path) -> None:
    (folder / "shop.yaml").write_text("schema: 1\nname: shop\nextends: php-82\nbase: debian-12\n")
    found, base = runtime(folder), shipped_bases()["debian-12"]
    pins = pins_for(locked(found, digest=None, made="0" * 64), found, base, "linux/amd64")
    assert pins is not None
    text = render_image(found, base, pins=pins).dockerfile
    assert "      php8.2-cli=2.0 \\" in text.splitlines()
    assert "FROM runtimebuilder/provided:debian-12" in text.splitlines()


def test_the_file_is_read_as_it_was_written(folder: Path, tmp_path: Path) -> None:
    lock = locked(runtime(folder))
    assert read_lock(tmp_path) is None
    assert write_lock(lock, tmp_path)
    assert not write_lock(lock, tmp_path), "the same again changes nothing"
    assert read_lock(tmp_path) == lock
    text = (tmp_path / FILE).read_text()
    assert text == lock_text(lock)
    assert json.loads(text.partition("\n")[2])["schema"] == 1
    assert [path.name for path in tmp_path.iterdir() if "lock" in path.name] == [FILE]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"schema": 1', '"schema": 2', "'2' is not possible here"),
        (DIGEST, "latest", "'latest' is not a digest"),
        ('"epoch": 7', '"epoch": -7', "epoch"),
        ('"base": "al2023"', '"base": "a b"', "'a b' is not a name"),
        ("{\n", "{{\n", "not valid YAML"),
    ],
)
def test_a_lock_that_somebody_broke_has_places(
    folder: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = lock_text(locked(runtime(folder)))
    assert old in text
    (tmp_path / FILE).write_text(text.replace(old, new, 1))
    with pytest.raises(SpecErrors) as caught:
        read_lock(tmp_path)
    assert any(message in problem.message for problem in caught.value.problems), caught.value.problems
    assert all(problem.file == FILE for problem in caught.value.problems)
