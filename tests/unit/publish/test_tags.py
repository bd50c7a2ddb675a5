"""Which tags an image gets: patterns and their filters."""

from __future__ import annotations

import pytest

from runtimebuilder.errors import SpecError
from runtimebuilder.publish.index import index_tag
from runtimebuilder.publish.tags import moving, patterns_for
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.model import RuntimeSpec

PHP = Catalog.load().runtimes["php-82"]


def changed(**values: object) -> RuntimeSpec:
    return PHP.model_copy(update={**values, "others": {}})  # the same on every base


def test_each_architecture_has_tags_of_its_own_where_there_are_several() -> None:
    assert len(PHP.platforms) == 2
    assert patterns_for(PHP, "al2023", ()) == ("{{ php }}-{{ arch }}", "latest-{{ arch }}")
    assert patterns_for(PHP, "debian-12", ()) == ("{{ php }}-{{ base }}-{{ arch }}",)
    one = changed(platforms=("linux/arm64",))
    assert patterns_for(one, "al2023", ()) == ("{{ php }}", "latest")
    assert patterns_for(one, "debian-12", ()) == ("{{ php }}-{{ base }}",)


def test_a_runtime_without_php_has_its_own_version() -> None:
    own = changed(kind="provided", platforms=("linux/amd64",))
    assert patterns_for(own, "al2023", ()) == ("{{ version }}", "latest")


def test_a_specs_tags_are_only_its_own_bases() -> None:
    spec = changed(tags=("{{ git_sha }}", "{{ php }}-{{base}}"))
    assert patterns_for(spec, "al2023", ()) == ("{{ git_sha }}", "{{ php }}-{{base}}")
    assert patterns_for(spec, "debian-12", ()) == ("{{ git_sha }}-{{ base }}", "{{ php }}-{{base}}")
    assert patterns_for(spec, "al2023", (), is_foreign=True)[0] == "{{ git_sha }}-{{ arch }}"


def test_filters() -> None:
    asked = ("a", "primary:latest", "other:b", "a")
    assert patterns_for(PHP, "al2023", asked) == ("a", "latest")
    assert patterns_for(PHP, "debian-12", asked) == ("a", "b")
    with pytest.raises(SpecError, match="none of the tags"):
        patterns_for(PHP, "debian-12", ("primary:latest",))
    for wrong in ("first:latest", "primary:", ":x"):
        with pytest.raises(SpecError, match="primary:PATTERN"):
            patterns_for(PHP, "al2023", (wrong,))


def test_which_tags_the_next_build_takes_over() -> None:
    patterns = (
        "{{ php }}",
        "latest",
        "{{ version }}-{{ arch }}",
        "{{ git_sha }}",
        "{{ date }}-x",
        "{{base}}",
    )
    assert moving(patterns) == ("latest", "{{ version }}-{{ arch }}", "{{base}}")


def test_an_index_has_a_tag_that_no_image_has() -> None:
    assert index_tag(PHP, "al2023", None) == "8.2-multi"
    assert index_tag(PHP, "debian-12", None) == "8.2-debian-12-multi"
    assert index_tag(PHP, "al2023", "{{ variant }}.{{ xy }}") == "function.82"
    with pytest.raises(SpecError, match="unknown placeholder 'arch'"):
        index_tag(PHP, "al2023", "{{ arch }}")
    with pytest.raises(SpecError, match="cannot be a tag"):
        index_tag(PHP, "al2023", "a b")
