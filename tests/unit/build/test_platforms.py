"""Which platforms are meant, and what their images are called."""

from __future__ import annotations

import pytest

from runtimebuilder.build.plan import default_tags
from runtimebuilder.build.platforms import parse_platforms
from runtimebuilder.errors import SpecError
from runtimebuilder.render.image import base_reference
from runtimebuilder.spec.bases import shipped_bases
from runtimebuilder.spec.catalog import Catalog


def test_several_platforms_are_named_with_commas_and_each_counts_once() -> None:
    assert parse_platforms("linux/arm64") == ("linux/arm64",)
    assert parse_platforms("linux/amd64, linux/arm64,linux/amd64") == ("linux/amd64", "linux/arm64")


@pytest.mark.parametrize("text", ["", "arm64", "linux/arm64,", "linux/arm64/v8", "windows/amd64"])
def test_what_lambda_does_not_have_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="is not one of linux/amd64, linux/arm64"):
        parse_platforms(text)


def test_what_is_for_another_platform_says_so_in_its_only_name() -> None:
    runtime = Catalog.load().runtimes["php-82"]
    assert default_tags(runtime, runtime.base) == ("php-82:al2023", "php-82:latest")
    assert default_tags(runtime, runtime.base, "arm64") == ("php-82:al2023-arm64",)


def test_a_base_made_for_another_platform_has_a_name_of_its_own() -> None:
    base = shipped_bases()["debian-12"].model_copy(update={"architecture": "arm64"})
    assert base_reference(base) == "runtimebuilder/provided:debian-12-arm64"
