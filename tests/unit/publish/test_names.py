"""Names at registries: what is one, and what is said of what is none."""

from __future__ import annotations

import pytest

from runtimebuilder.errors import SpecError
from runtimebuilder.publish.names import (
    Place,
    Repository,
    is_loopback,
    parse_place,
    parse_reference,
    parse_tagged,
)

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("example.com", Place("example.com")),
        ("example.com:5000/a/b_c", Place("example.com:5000", "a/b_c")),
        ("localhost/x", Place("localhost", "x")),
        ("[::1]:5000/x", Place("[::1]:5000", "x")),
        ("docker.io/me", Place("registry-1.docker.io", "me")),
    ],
)
def test_a_place(text: str, place: Place) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize(
    "text", ["", "x", "x/y", "example.com/", "example.com/X", "example.com//x", "a b.c", "-a.b", "a.b/../c"]
)
def test_no_place(text: str) -> None:
    if text == "example.com/":
        assert parse_place(text) == Place("example.com")
        return
    with pytest.raises(SpecError):
        parse_place(text)


@pytest.mark.parametrize(
    ("text", "repository", "reference"),
    [
        ("example.com/a:7", Repository("example.com", "a"), "7"),
        ("example.com:5000/a/b:7", Repository("example.com:5000", "a/b"), "7"),
        (f"example.com/a@{DIGEST}", Repository("example.com", "a"), DIGEST),
        (f"example.com/a:7@{DIGEST}", Repository("example.com", "a"), DIGEST),
    ],
)
def test_a_reference(text: str, repository: Repository, reference: str) -> None:
    assert parse_reference(text) == (repository, reference)


@pytest.mark.parametrize(
    "text", ["a:7", "example.com/a", "example.com:5000/a", "example.com/a@sha256:12", "example.com/a:"]
)
def test_no_reference(text: str) -> None:
    with pytest.raises(SpecError):
        parse_reference(text)


@pytest.mark.parametrize(
    ("text", "tags", "expected"),
    [
        ("a:7", [], ("a", "7", ("7",))),
        ("a:7", ["8", "9", "8"], ("a", "7", ("8", "9"))),
        ("a", ["8"], ("a", "8", ("8",))),
        ("a", [], ("a", None, ())),
        (f"a@{DIGEST}", [], ("a", DIGEST, ())),
        (f"a@{DIGEST}", ["8"], ("a", DIGEST, ("8",))),
    ],
)
def test_what_is_promoted(text: str, tags: list[str], expected: object) -> None:
    assert parse_tagged(text, tags) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("localhost:5000", True),
        ("127.0.0.2:443", True),
        ("[::1]:5000", True),
        ("127.0.0.1.example.com", False),
        ("10.0.0.1:5000", False),
        ("localhost.example.com", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_a_name_for_a_digest_and_for_a_tag() -> None:
    repository = Place("example.com", "team").repository("php-82")
    assert repository.at("7") == "example.com/team/php-82:7"
    assert repository.at(DIGEST) == f"example.com/team/php-82@{DIGEST}"
