"""The file for bake: bake's own words, no expression of bake's in any value, no secret's value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtimebuilder.engine.bake import BakeTarget, bake_file, target_names
from runtimebuilder.engine.builder import BuildRequest, SecretSource
from runtimebuilder.render.context import BuildContext


def baked(**more: object) -> dict[str, object]:
    request = BuildRequest(BuildContext(()), **more)  # type: ignore[arg-type] # test convenience
    document = json.loads(bake_file({"one": BakeTarget(request, "contexts/one", ("one:1",))}))
    assert document["group"] == {"default": {"targets": ["one"]}}
    target: dict[str, object] = document["target"]["one"]
    return target


def test_a_target_says_all_that_a_request_says() -> None:
    target = baked(
        labels={"b": "2", "a": "1"},
        platform="linux/arm64",
        no_cache=True,
        epoch=1_700_000_000,
        cache_from=("type=inline",),
        cache_to=("type=local,dest=x",),
    )
    assert target == {
        "args": {"SOURCE_DATE_EPOCH": "1700000000"},
        "attest": ["type=provenance,disabled=true", "type=sbom,disabled=true"],
        "cache-from": ["type=inline"],
        "cache-to": ["type=local,dest=x"],
        "context": "contexts/one",
        "dockerfile": "Dockerfile",
        "labels": {"a": "1", "b": "2"},
        "no-cache": True,
        "platforms": ["linux/arm64"],
        "tags": ["one:1"],
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("${HOME}", "$${HOME}"),
        ("%{if true}x%{endif}", "%%{if true}x%%{endif}"),
        ("$HOME 100% {x}", "$HOME 100% {x}"),
        ("$${x}", "$$${x}"),
    ],
)
def test_no_value_is_an_expression_of_bakes(value: str, written: str) -> None:
    assert baked(labels={"key": value})["labels"] == {"key": written}


def test_of_a_secret_only_its_place_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "very-secret")
    file = tmp_path / "key"
    file.write_text("very-secret")
    target = baked(secrets=(SecretSource("a", file=file), SecretSource("b", variable="TOKEN")))
    assert target["secret"] == [f"id=a,src={file}", "id=b,env=TOKEN"]
    assert "very-secret" not in json.dumps(target)


def test_names_with_dots_become_targets_and_stay_different() -> None:
    names = target_names(["a.b", "a_b", "a-b", "php-82:debian-12", "a.b.c"])
    assert names == {
        "a.b": "a_b_2",
        "a_b": "a_b",
        "a-b": "a-b",
        "php-82:debian-12": "php-82_debian-12",
        "a.b.c": "a_b_c",
    }
