"""runtimebuilder.yaml: mirrors and the base, with the same care for mistakes as specs."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtimebuilder.spec.config import Config, load_config
from runtimebuilder.spec.problem import SpecErrors


def test_without_a_file_nothing_is_configured(tmp_path: Path) -> None:
    assert load_config(tmp_path) == Config(schema=1)


def test_mirrors_and_the_base_are_read(tmp_path: Path) -> None:
    (tmp_path / "runtimebuilder.yaml").write_text(
        "schema: 1\nmirrors: {public.ecr.aws: cache.example.com/ecr}\nbase: auto\n"
    )
    config = load_config(tmp_path)
    assert dict(config.mirrors) == {"public.ecr.aws": "cache.example.com/ecr"}
    assert config.base == "auto"


def test_mistakes_have_their_places(tmp_path: Path) -> None:
    (tmp_path / "runtimebuilder.yaml").write_text("schema: 1\nmirors: {}\nbase: [a]\n")
    with pytest.raises(SpecErrors) as caught:
        load_config(tmp_path)
    text = str(caught.value.message) + str(caught.value.detail)
    assert "runtimebuilder.yaml:2:1: " in text
    assert "did you mean 'mirrors'?" in text
    assert "runtimebuilder.yaml:3:7: " in text


def test_publishing_is_configured(tmp_path: Path) -> None:
    (tmp_path / "runtimebuilder.yaml").write_text(
        "schema: 1\npublish:\n  registry: a.example/x\n  tags: ['{{ php }}', 'primary:latest']\n"
        "  repository: {scan-on-push: false, moving-tags: ['latest*'], lifecycle: ecr.json}\n"
    )
    publish = load_config(tmp_path).publish
    assert (publish.registry, publish.tags) == ("a.example/x", ("{{ php }}", "primary:latest"))
    assert publish.repository.scan_on_push is False
    assert publish.repository.immutable is True
    assert publish.repository.moving_tags == ("latest*",)
    (tmp_path / "runtimebuilder.yaml").write_text(
        "schema: 1\npublish: {repository: {moving-tags: [a, b, c, d, e, f], imutable: true}}\n"
    )
    with pytest.raises(SpecErrors) as caught:
        load_config(tmp_path)
    text = str(caught.value.message) + str(caught.value.detail)
    assert "did you mean 'immutable'?" in text
    assert "moving-tags" in text
