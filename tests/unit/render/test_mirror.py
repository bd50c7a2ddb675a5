"""--mirror REGISTRY=HOST[/PATH]."""

from __future__ import annotations

import pytest

from runtimebuilder.errors import SpecError
from runtimebuilder.render.mirror import Mirror, configured

PROVIDED = "public.ecr.aws/lambda/provided:al2023"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("public.ecr.aws=cache.example.com", "cache.example.com/lambda/provided:al2023"),
        ("public.ecr.aws=127.0.0.1:5000/ecr", "127.0.0.1:5000/ecr/lambda/provided:al2023"),
        ("public.ecr.aws=cache.example.com/a/b/", "cache.example.com/a/b/lambda/provided:al2023"),
        ("docker.io=cache.example.com", None),
        ("ecr.aws=cache.example.com", None),
    ],
)
def test_only_images_of_that_registry_come_through_the_mirror(text: str, expected: str | None) -> None:
    assert Mirror(text).rewrite(PROVIDED) == expected


def test_the_command_line_comes_before_the_configuration() -> None:
    mirrors = configured(["public.ecr.aws=mine"], {"public.ecr.aws": "theirs", "docker.io": "theirs"})
    assert [str(mirror) for mirror in mirrors] == ["public.ecr.aws=mine", "docker.io=theirs"]


@pytest.mark.parametrize("text", ["", "public.ecr.aws", "=x", "a=b c", "a=b\nRUN id", "a=--option"])
def test_a_malformed_mirror_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="is not of the form"):
        Mirror(text)
