"""Configurations in canonical form, from what each builder writes of the same Dockerfile."""

from __future__ import annotations

import pytest

from runtimebuilder.engine.normalise import Normalisation, canonical_config

BUILDKIT = [
    {"created": "2026-01-01T00:00:01Z", "comment": "Imported from -"},
    {"created": "x", "created_by": "RUN /bin/sh -c make # buildkit", "comment": "buildkit.dockerfile.v0"},
    {"created": "x", "created_by": "ENV a=b", "empty_layer": True},
    {"created": "x", "created_by": "COPY rootfs/ / # buildkit"},
    {"created": "x", "created_by": "WORKDIR /new"},
    {"created": "x", "created_by": "COPY same / # buildkit"},
]
CLASSIC = [
    {"created": "2026-02-02T00:00:01Z", "comment": "Imported from -"},
    {"created": "y", "created_by": "/bin/sh -c make"},
    {"created": "y", "created_by": "/bin/sh -c #(nop)  ENV a=b", "empty_layer": True},
    {"created": "y", "created_by": "/bin/sh -c #(nop) COPY dir:0123 in / "},
    {"created": "y", "created_by": "/bin/sh -c #(nop) WORKDIR /new"},
    # The engine found that nothing has changed; the other one made an empty layer.
    {"created": "y", "created_by": "/bin/sh -c #(nop) COPY file:0123 in / ", "empty_layer": True},
]
HOW = Normalisation(
    epoch=86_400, base_layers=1, steps=("RUN make", "COPY rootfs/ /", "COPY same /"), is_base_made=True
)
SETTINGS = {"Env": ["a=b"], "WorkingDir": "/new", "Labels": {"z": "1"}}


def test_both_builders_configurations_become_one() -> None:
    one = canonical_config(
        {"architecture": "amd64", "os": "linux", "created": "x", "config": SETTINGS, "history": BUILDKIT},
        [("base", True), ("a", True), ("b", True), ("c", True), ("empty", False)],
        HOW,
    )
    noise = {"Hostname": "", "Tty": False, "Image": "sha256:0", "OnBuild": None, **SETTINGS}
    other = canonical_config(
        {
            "architecture": "amd64",
            "os": "linux",
            "docker_version": "20.10",
            "container": "0",
            "config": noise,
            "history": CLASSIC,
        },
        [("base", True), ("a", True), ("b", True), ("c", True)],
        HOW,
    )
    assert one == other
    assert one == {
        "architecture": "amd64",
        "os": "linux",
        "created": "1970-01-02T00:00:00Z",
        "config": SETTINGS,
        "history": [
            {"created": "1970-01-02T00:00:00Z", "comment": "Imported from -"},
            {"created": "1970-01-02T00:00:00Z", "created_by": "RUN make"},
            {"created": "1970-01-02T00:00:00Z", "created_by": "COPY rootfs/ /"},
            {"created": "1970-01-02T00:00:00Z", "created_by": "WORKDIR"},
        ],
        "rootfs": {"type": "layers", "diff_ids": ["sha256:base", "sha256:a", "sha256:b", "sha256:c"]},
    }


def test_a_pulled_bases_history_keeps_its_times() -> None:
    how = Normalisation(epoch=0, base_layers=1, steps=(), is_base_made=False)
    config = {
        "history": [{"created": "then", "created_by": "ADD"}, {"created_by": "ENV x", "empty_layer": True}]
    }
    assert canonical_config(config, [("base", True)], how)["history"] == [
        {"created": "then", "created_by": "ADD"}
    ]


@pytest.mark.parametrize("history", [[], None])
def test_an_image_without_a_history_gets_plain_words(history: object) -> None:
    made = canonical_config({"history": history}, [("base", True), ("a", True)], HOW)
    assert made["history"] == [
        {"created": "1970-01-02T00:00:00Z"},
        {"created": "1970-01-02T00:00:00Z", "created_by": "layer 1"},
    ]
