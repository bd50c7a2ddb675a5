"""Names, keys and numbers of a build, without an engine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtimebuilder.build.plan import content_key, default_tags
from runtimebuilder.build.progress import duration, megabytes
from runtimebuilder.engine.bases import ResolvedBase
from runtimebuilder.engine.builder import BuildFailedError, StepStarted, failure
from runtimebuilder.errors import ExitCode
from runtimebuilder.render.image import render_image
from runtimebuilder.spec.catalog import Catalog

CATALOG = Catalog.load()
FPM = CATALOG.runtimes["php-82-fpm"]
BASE = ResolvedBase(
    CATALOG.base("debian-12"), "runtimebuilder/provided:debian-12", "sha256:1", None, "present"
)


def test_latest_is_only_ever_the_specs_own_base() -> None:
    assert default_tags(FPM, "al2023") == ("php-82-fpm:al2023", "php-82-fpm:latest")
    assert default_tags(FPM, "debian-12") == ("php-82-fpm:debian-12",)


def test_everything_that_goes_into_a_build_is_in_its_key() -> None:
    context = render_image(FPM, BASE.base)
    settings = {**FPM.ini, "memory_limit": "1M"}
    other_ini = render_image(FPM.model_copy(update={"ini": settings, "others": {}}), BASE.base)
    keys = [
        content_key(context, BASE, "linux/amd64"),
        content_key(other_ini, BASE, "linux/amd64"),
        content_key(context, replace(BASE, image_id="sha256:2"), "linux/amd64"),
        content_key(context, replace(BASE, digest="sha256:3"), "linux/amd64"),
        content_key(context, replace(BASE, substituted_for="al2023"), "linux/amd64"),
        content_key(context, BASE, "linux/arm64"),
    ]
    assert len(set(keys)) == len(keys)
    assert content_key(render_image(FPM, BASE.base), BASE, "linux/amd64") == keys[0]


def test_a_registrys_digest_counts_more_than_the_local_id() -> None:
    context = render_image(FPM, BASE.base)
    one = replace(BASE, digest="sha256:3")
    assert content_key(context, one, "linux/amd64") == content_key(
        context, replace(one, image_id="sha256:9"), "linux/amd64"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.9, "9.9 s"), (41.4, "41 s"), (84.2, "1 min 24 s"), (3600, "60 min 0 s")],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_sizes_are_decimal_as_dockers() -> None:
    assert megabytes(166_400_000) == "166 MB"


def test_a_failed_step_is_named_with_its_last_lines() -> None:
    error = failure(
        "returned a non-zero code: 7", StepStarted(2, 5, "RUN make"), [f"line {n}" for n in range(30)]
    )
    assert isinstance(error, BuildFailedError)
    assert error.message.startswith("step 2/5 failed: RUN make (")
    assert error.detail is not None
    assert error.detail.splitlines()[0] == "  line 10"
    assert error.detail.splitlines()[-1] == "  line 29"


@pytest.mark.parametrize("said", ["write /x: no space left on device", "cp: Disk quota exceeded"])
def test_a_full_disk_is_the_machines_failure_not_the_builds(said: str) -> None:
    error = failure("returned a non-zero code: 1", StepStarted(2, 5, "RUN make"), [said])
    assert error.exit_code is ExitCode.ENVIRONMENT
    assert "disk is full" in error.message
