"""Files on top of an image, as an image of the run."""

from __future__ import annotations

import pytest

from runtimebuilder.engine.containers import ContainerSpec, create_container
from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError, SubjectFailedError
from runtimebuilder.sandbox.layer import LayerFile, put_layer
from runtimebuilder.sandbox.run import LABEL, Run

FILES = (
    LayerFile("/var/task/src/App/index.php", b"<?php\n"),
    LayerFile("/opt/bin/tool", b"#!/bin/sh\necho replaced\n", 0o755),
    LayerFile("/bin/true", b"#!/bin/sh\nexit 7\n", 0o755),
)


def said(run: Run, image: str, script: str) -> str:
    container = create_container(
        run.engine, ContainerSpec(image, entrypoint=["/bin/sh", "-c", script], labels=run.labels)
    )
    container.start()
    container.wait(20)
    text = container.logs().decode()
    container.remove()
    return text


def test_files_are_roots_and_readable_by_all(run: Run, debian12_image: str) -> None:
    derived = put_layer(run, debian12_image, FILES)
    listing = said(
        run,
        derived,
        "stat -c '%a %u:%g %n' /var/task /var/task/src /var/task/src/App/index.php /opt/bin/tool",
    )
    assert listing.splitlines() == [
        "755 0:0 /var/task",
        "755 0:0 /var/task/src",
        "644 0:0 /var/task/src/App/index.php",
        "755 0:0 /opt/bin/tool",
    ]


def test_a_file_replaces_what_was_there_and_links_stay(run: Run, debian12_image: str) -> None:
    derived = put_layer(run, debian12_image, FILES)
    # /bin is a symbolic link to /usr/bin.
    assert said(run, derived, "/usr/bin/true; echo $?; readlink /bin") == "7\nusr/bin\n"


def test_the_configuration_stays_and_only_the_runs_label_is_added(
    engine: Engine, run: Run, debian12_image: str
) -> None:
    before, after = engine.image(debian12_image), engine.image(put_layer(run, debian12_image, FILES))
    assert before is not None
    assert after is not None
    assert after.labels == {**before.labels, LABEL: run.id}
    for name in (
        "env",
        "entrypoint",
        "cmd",
        "workdir",
        "user",
        "volumes",
        "exposed",
        "healthcheck",
        "platform",
    ):
        assert getattr(after, name) == getattr(before, name), name
    assert after.layers == before.layers + 1


def test_the_same_files_are_put_on_once(run: Run, debian12_image: str) -> None:
    first = put_layer(run, debian12_image, FILES)
    assert put_layer(run, debian12_image, FILES[::-1]) == first
    assert put_layer(run, debian12_image, FILES[:2]) != first
    assert put_layer(run, first, FILES) != first


def test_no_files_are_the_image_itself(engine: Engine, run: Run, debian12_image: str) -> None:
    facts = engine.image(debian12_image)
    assert facts is not None
    assert put_layer(run, debian12_image, []) == facts.id


def test_a_nameless_subject_survives_what_was_derived_from_it(engine: Engine, debian12_image: str) -> None:
    with Run(engine) as outer:
        subject = put_layer(outer, debian12_image, FILES)
        with Run(engine) as inner:
            derived = put_layer(inner, subject, [LayerFile("/x", b"x")])
        assert engine.image(derived) is None
        assert engine.image(subject) is not None
    assert engine.image(subject) is None


def test_images_derived_from_each_other_all_go_with_the_run(engine: Engine, debian12_image: str) -> None:
    with Run(engine) as run:
        first = put_layer(run, debian12_image, FILES)
        second = put_layer(run, first, [LayerFile("/x", b"x")])
        third = put_layer(run, second, [LayerFile("/y", b"y")])
    assert [engine.image(one) for one in (first, second, third)] == [None, None, None]


def test_an_image_that_is_not_there_and_one_with_nothing_to_start_are_refused(
    run: Run, engine: Engine
) -> None:
    with pytest.raises(EnvironmentProblemError, match="no image no/such:1"):
        put_layer(run, "no/such:1", FILES)
    empty = engine.import_image(bytes(10240), changes=[f"LABEL {LABEL}={run.id}"])
    with pytest.raises(SubjectFailedError, match="neither an ENTRYPOINT nor a CMD"):
        put_layer(run, empty, FILES)


def test_a_relative_path_is_a_mistake(run: Run, debian12_image: str) -> None:
    with pytest.raises(ValueError, match="not an absolute path: x"):
        put_layer(run, debian12_image, [LayerFile("x", b"")])
