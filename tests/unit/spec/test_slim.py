"""`slim`: images of the files that PHP needs, on bases that know how."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.errors import SpecError
from runtimebuilder.render.image import render_image
from runtimebuilder.spec.bases import shipped_bases
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.library import examine, spec_files
from runtimebuilder.spec.packages import packages_for

Write = Callable[..., Path]
ROOT = Path(__file__).parents[3]
SPEC = """\
schema: 1
name: own
family: php
version: "8.2"
variant: fpm
base: debian-12
slim: true
extensions: [curl]
"""


def dockerfile(folder: Path, base: str = "debian-12") -> str:
    return render_image(Catalog.load([folder]).runtimes["own"], shipped_bases()[base]).dockerfile


def test_the_shipped_runtimes_are_slim_where_bases_are_made_but_for_those_to_develop_with() -> None:
    runtimes = Catalog.load([ROOT / "runtimes"]).runtimes
    for name, slim in {
        "php-82": True,
        "php-82-fpm": True,
        "php-82-console": True,
        "php-82-dev": False,
    }.items():
        assert runtimes[name].on("debian-12").slim is slim
        assert runtimes[name].on("al2023").slim is False


def test_the_image_begins_empty_and_is_as_its_base_says(write: Write) -> None:
    text = dockerfile(write(own=SPEC))
    _, _, image = text.partition("\nFROM scratch\n")
    assert "FROM" not in image.replace("--from", "")
    assert 'ENTRYPOINT ["/lambda-entrypoint.sh"]\n' in image
    assert "WORKDIR /var/task\n" in image
    assert f'PATH="{shipped_bases()["debian-12"].path}"' in image
    assert "apt-get" not in image


def test_large_extensions_come_only_when_they_are_named(write: Write) -> None:
    assert "--without fileinfo" in dockerfile(write(own=SPEC))
    assert "--without fileinfo" not in dockerfile(write(own=SPEC.replace("[curl]", "[curl, fileinfo]")))


def test_packages_that_are_named_come_whole(write: Write) -> None:
    text = dockerfile(write(own=f"{SPEC}packages: {{debian-12: [bash, jq=1.6]}}\n"))
    assert " --whole --package bash --package jq=1.6 --leave " in text
    assert "--whole" not in dockerfile(write(own=SPEC))


def test_without_slim_nothing_of_it_is_there(write: Write) -> None:
    folder = write(own=SPEC.replace("slim: true", "slim: false"))
    runtime, base = Catalog.load([folder]).runtimes["own"], shipped_bases()["debian-12"]
    assert "busybox" not in packages_for(runtime, base).common
    context = render_image(runtime, base)
    assert "slim" not in context.dockerfile
    assert not [file.path for file in context.files if file.path.startswith("slim/")]


def test_a_base_that_has_no_slim_images_is_refused_with_those_that_have(write: Write) -> None:
    folder = write(own=SPEC.replace("base: debian-12", "base: al2023"))
    message = "slim: base 'al2023' has no slim images, only debian-12, debian-13"
    (problem,) = examine(spec_files([folder])).problems
    assert (problem.line, problem.message) == (7, message)
    with pytest.raises(SpecError, match="has no slim images"):
        dockerfile(write(own=SPEC), "al2023")


def test_a_runtime_without_php_cannot_be_slim(write: Write) -> None:
    text = SPEC.replace("variant: fpm", "variant: function\nkind: provided\nbootstrap: own.yaml").replace(
        "extensions: [curl]\n", ""
    )
    (problem,) = [one for one in examine(spec_files([write(own=text)])).problems if "slim" in one.message]
    assert problem.message == "slim is for PHP, and this runtime is of the kind 'provided'"
