"""The statement: whose image, made of what, and nothing that was secret."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from runtimebuilder.attest.provenance import Revision, Surroundings, check_subject, provenance
from runtimebuilder.build.plan import KEY_LABEL, Reason, Step
from runtimebuilder.engine.bases import ResolvedBase
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.errors import EnvironmentProblemError, SpecError, SubjectFailedError
from runtimebuilder.render.image import render_image
from runtimebuilder.spec.catalog import Catalog

_SHA = "ab" * 32
_AROUND = Surroundings(
    None, Revision("c0ffee", "https://me:token-1@example.org/x.git", True), "20.10", "0.12.0"
)


def _step() -> Step:
    catalog = Catalog.load()
    runtime, base = catalog.runtimes["php-82"].on("debian-12"), catalog.base("debian-12")
    changes = {"base": "debian-12", "secrets": ("composer",)}
    return Step(
        runtime=runtime.model_copy(update=changes),
        base=ResolvedBase(base, "runtimebuilder/provided:debian-12", f"sha256:{'cd' * 32}", None, "present"),
        context=render_image(runtime, base),
        key="key-1",
        tags=("php-82:debian-12",),
        labels=(),
        platform=None,
        reason=Reason.UNCHANGED,
        existing=None,
    )


def _facts(key: str = "key-1") -> ImageFacts:
    return ImageFacts(
        id=f"sha256:{_SHA}",
        tags=(),
        repo_digests=(),
        labels={KEY_LABEL: key},
        architecture="arm64",
        os="linux",
        size=1,
        created="2024-05-06T07:08:09Z",
        env={},
        entrypoint=None,
        cmd=None,
        workdir="",
        user="",
        exposed=(),
        volumes=(),
        healthcheck=None,
        layers=1,
    )


def test_it_says_of_what_the_image_was_made() -> None:
    step = _step()
    text = provenance(step, _facts(), _AROUND)
    assert text == provenance(step, _facts(), _AROUND)
    document = json.loads(text)
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://slsa.dev/provenance/v1"
    assert document["subject"] == [{"name": "php-82:debian-12", "digest": {"sha256": _SHA}}]
    definition = document["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["platform"] == "linux/arm64"
    assert definition["externalParameters"]["spec"]["name"] == "php-82"
    found = {one["name"]: one for one in definition["resolvedDependencies"]}
    assert found["base"]["digest"]["sha256"] == "cd" * 32
    assert found["project"]["annotations"] == {"dirty": True}
    assert {"templates/php/Dockerfile.j2", "context/Dockerfile"} <= found.keys()
    assert document["predicate"]["runDetails"]["builder"]["version"]["docker"] == "20.10"


def test_secrets_are_named_and_their_values_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPOSER_TOKEN", "token-2")
    monkeypatch.setenv("RUNTIMEBUILDER_SECRET", "id=composer,env=COMPOSER_TOKEN")
    text = provenance(_step(), _facts(), _AROUND)
    assert '"composer"' in text
    assert "git+https://example.org/x.git" in text
    assert "token-" not in text


def test_another_image_than_the_specs_is_refused() -> None:
    with pytest.raises(SubjectFailedError, match="was not built of the spec"):
        provenance(_step(), _facts("key-2"), _AROUND)
    with pytest.raises(EnvironmentProblemError, match="has not been built here"):
        provenance(_step(), None, _AROUND)


def test_the_subject_is_the_registrys_image_when_it_is_named() -> None:
    text = provenance(
        _step(), _facts(), replace(_AROUND, revision=None), f"localhost:5000/x@sha256:{'ef' * 32}"
    )
    assert json.loads(text)["subject"] == [{"name": "localhost:5000/x", "digest": {"sha256": "ef" * 32}}]
    for wrong in ("x", "x:1", "x@sha256:12", f"@sha256:{_SHA}"):
        with pytest.raises(SpecError):
            check_subject(wrong)
