"""`--cache-to` and `--cache-from`: what is taken, what is refused, and what ECR wants."""

from __future__ import annotations

import pytest

from runtimebuilder.build.caches import cache_from, cache_to
from runtimebuilder.errors import SpecError

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def test_a_bare_reference_means_a_registry() -> None:
    assert cache_from(["host/cache:1"]) == ("type=registry,ref=host/cache:1",)
    assert cache_to(["host/cache:1"], runtimes=1) == ("type=registry,ref=host/cache:1",)


def test_ecr_gets_the_form_that_it_takes_and_others_do_not() -> None:
    wanted = f"type=registry,ref={ECR}/cache:{{name}},mode=max"
    assert cache_to([wanted], runtimes=3) == (f"{wanted},image-manifest=true,oci-mediatypes=true",)
    assert cache_to([f"{wanted},image-manifest=false"], runtimes=1) == (
        f"{wanted},image-manifest=false,oci-mediatypes=true",
    )
    assert cache_to(["type=registry,ref=ghcr.io/cache"], runtimes=1) == ("type=registry,ref=ghcr.io/cache",)
    assert cache_from([wanted]) == (wanted,)


@pytest.mark.parametrize("text", ["type=registry,ref=a/b", "type=local,dest=x", "a/b:c"])
def test_several_runtimes_do_not_share_one_cache(text: str) -> None:
    with pytest.raises(SpecError, match="2 runtimes would write over each other's cache"):
        cache_to([text], runtimes=2)


def test_a_cache_without_a_place_of_its_own_may_be_shared() -> None:
    assert cache_to(["type=inline", "type=gha,scope={name}"], runtimes=2) == (
        "type=inline",
        "type=gha,scope={name}",
    )


@pytest.mark.parametrize("text", ["", "type=", "ref=x", "type=local,dest", "type=local,"])
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="is not type=TYPE,KEY=VALUE"):
        cache_from([text])
