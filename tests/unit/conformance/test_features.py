"""Features are declared by the image or the probe, or seen, or not there."""

from __future__ import annotations

import dataclasses

import pytest

from runtimebuilder.conformance.case import Need
from runtimebuilder.conformance.expectation import NotConforming
from runtimebuilder.conformance.features import FEATURES_LABEL, Features, declared_features
from runtimebuilder.conformance.probes.known import probe_named
from runtimebuilder.errors import SpecError
from tests.unit.conformance.test_probes import facts

PYTHON = probe_named("python")


@pytest.mark.parametrize(
    ("label", "declared"),
    [
        ("", ()),
        ("snapstart", (Need.SNAPSTART,)),
        ("Concurrency, SnapStart", (Need.SNAPSTART, Need.CONCURRENCY)),
        ("concurrency snapstart", (Need.SNAPSTART, Need.CONCURRENCY)),
    ],
)
def test_an_image_declares_by_its_label(label: str, declared: tuple[Need, ...]) -> None:
    image = dataclasses.replace(facts(), labels={FEATURES_LABEL: label})
    assert declared_features(image, PYTHON) == declared


def test_a_probe_declares_too() -> None:
    probe = dataclasses.replace(PYTHON, features=(Need.CONCURRENCY,))
    assert declared_features(facts(), probe) == (Need.CONCURRENCY,)
    assert declared_features(facts(), None) == ()


def test_an_unknown_feature_is_told() -> None:
    image = dataclasses.replace(facts(), labels={FEATURES_LABEL: "snapstrat"})
    with pytest.raises(SpecError, match="unknown feature 'snapstrat'") as caught:
        declared_features(image, PYTHON)
    assert "snapstart, concurrency" in (caught.value.hint or "")


def test_what_is_declared_and_does_not_show_fails() -> None:
    features = Features((Need.SNAPSTART,))
    with pytest.raises(NotConforming):
        features.is_missing(Need.SNAPSTART, expected="restore/next", seen="none")
    features.look_for(Need.SNAPSTART)  # the next case looks again


def test_what_is_not_declared_is_looked_for_once() -> None:
    features = Features(())
    features.look_for(Need.CONCURRENCY)
    with pytest.raises(pytest.skip.Exception, match=f"labelled {FEATURES_LABEL}=concurrency"):
        features.is_missing(Need.CONCURRENCY, expected="several", seen="one GET next")
    with pytest.raises(pytest.skip.Exception, match="one GET next: no feature of this runtime"):
        features.look_for(Need.CONCURRENCY)
    features.look_for(Need.SNAPSTART)
