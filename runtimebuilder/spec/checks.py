"""What a runtime asks for that cannot be had: on its base, as a PHP runtime or without PHP, of the project's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runtimebuilder.spec.bases import unknown_base
from runtimebuilder.spec.contents import MissingFileError, ProjectFile, one_file, project_files
from runtimebuilder.spec.ini_names import nearly
from runtimebuilder.spec.merge import Part
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec
from runtimebuilder.spec.packages import (
    bases_hint,
    build_problem,
    extension_problem,
    own_packages_problem,
    slim_problem,
    stage_packages_problem,
    variant_problem,
    version_problem,
)
from runtimebuilder.spec.php_settings import setting_problem
from runtimebuilder.spec.php_source import source_problem, with_source
from runtimebuilder.spec.placeholders import PlaceholderError
from runtimebuilder.spec.problem import Problem
from runtimebuilder.spec.resolve import Resolved
from runtimebuilder.spec.tags import tag_problem
from runtimebuilder.spec.zipped_layer import layer_entries

Finding = tuple[Part, str]


def against_base(item: Resolved, bases: Mapping[str, BaseSpec]) -> list[Problem]:
    """Everything that is wrong with `item` beyond its grammar, on its own base and on those that `bases:` names."""
    problems = [item.problem(part, message) for part, message in _contents(item)]
    own = item.runtime.base
    if own not in bases:
        problems.append(item.problem(("base",), unknown_base(bases, own)))
    for name in (own, *item.runtime.others):
        base = bases.get(name)
        # A family may say something for a base that does not have all of its versions.
        if base is None or (name != own and _is_not_there(item.runtime, base)):
            continue
        found = _on_base(item.runtime.on(name), base, bases)
        problems += [item.problem(part, message, on=name) for part, message in found]
    problems += [
        level.document.problem((*level.loc, "bases", name), unknown_base(bases, name), key=True)
        for level in item.levels
        if level.document is item.document
        for name in level.settings.bases
        if name not in bases
    ]
    return problems


def _is_not_there(runtime: RuntimeSpec, base: BaseSpec) -> bool:
    if not runtime.has_php or source_problem(runtime, base):
        return False
    return version_problem(runtime.version, with_source(base, runtime)) is not None


def _on_base(runtime: RuntimeSpec, base: BaseSpec, bases: Mapping[str, BaseSpec]) -> Iterator[Finding]:
    if message := own_packages_problem(runtime, base):
        yield ("packages",), message
    if message := slim_problem(runtime, base, bases):
        yield ("slim",), message
    for number, stage in enumerate(runtime.stages):
        if message := stage_packages_problem(stage, base):
            yield ("build", str(number), "packages"), message
    for tag in runtime.tags:
        try:
            message = tag_problem(tag, runtime, base.name)
        except PlaceholderError as error:
            message = error.message
        if message:
            yield ("tags", tag), f"tags: {message}"
    if not runtime.has_php:
        yield from _without_php(runtime)
        return
    if message := source_problem(runtime, base):
        yield ("source",), message
        return
    base = with_source(base, runtime)
    if message := version_problem(runtime.version, base):
        yield ("version",), f"{message}; {bases_hint(runtime.version, bases)}"
    elif message := variant_problem(runtime.kind, base):
        yield ("variant",), message
    else:
        yield from _php_on_base(runtime, base, bases)


def _php_on_base(runtime: RuntimeSpec, base: BaseSpec, bases: Mapping[str, BaseSpec]) -> Iterator[Finding]:
    for name in runtime.extensions:
        if name not in runtime.builds and (message := extension_problem(name, runtime.version, base, bases)):
            yield ("extensions", name), message
    for name in runtime.ini:
        if near := nearly(name):
            yield ("ini", name), f"ini: {name!r} is not a setting of PHP; did you mean {near!r}?"
    for name, build in runtime.builds.items():
        if message := build_problem(name, build, base):
            yield ("builds", name), message
    for key, value in runtime.php.said().items():
        if message := setting_problem(key, value, runtime.kind):
            yield ("php", key), message
    if runtime.bootstrap is not None:
        yield ("bootstrap",), "a PHP runtime has its own bootstrap; leave it out, or say kind: provided"


def _without_php(runtime: RuntimeSpec) -> Iterator[Finding]:
    """Keys that mean nothing where there is no PHP, and the bootstrap, which is needed there."""
    said: tuple[tuple[str, Mapping[str, object]], ...] = (
        ("ini", runtime.ini),
        ("php", runtime.php.said()),
        ("builds", runtime.builds),
        ("extensions", dict.fromkeys(runtime.extensions)),
    )
    for key, values in said:
        for name in values:
            yield (key, name), f"{key} is for PHP, and this runtime is of the kind 'provided'"
    if runtime.slim:
        yield ("slim",), "slim is for PHP, and this runtime is of the kind 'provided'"
    if runtime.php_source is not None:
        yield ("source",), "source compiles PHP, and this runtime is of the kind 'provided'"
    artefacts = [artefact.to for stage in runtime.stages for artefact in stage.artefacts]
    files = [file.to for file in runtime.files]
    if runtime.bootstrap is None and not any(
        to.rstrip("/") in ("/var/runtime", "/var/runtime/bootstrap") for to in (*artefacts, *files)
    ):
        wanted = "bootstrap: FILE, or an artefact at /var/runtime/bootstrap"
        yield ("variant",), f"a runtime of the kind 'provided' brings its own bootstrap: {wanted}"


def _contents(item: Resolved) -> Iterator[Finding]:
    """Files and layers of the project that are not there, or cannot be used."""
    runtime = item.runtime
    checked: list[tuple[Part, ProjectFile]] = [(("files", file.to), file) for file in runtime.files]
    if runtime.bootstrap is not None:
        checked.append((("bootstrap",), runtime.bootstrap))
    checked += [
        (("build", str(number), "files", file.to), file)
        for number, stage in enumerate(runtime.stages)
        for file in stage.files
    ]
    found = [(part, file.root, file.source) for part, file in checked]
    if runtime.verify.known_failing is not None and (place := item.places.get(("verify", "known-failing"))):
        found.append((("verify", "known-failing"), str(place.document.root), runtime.verify.known_failing))
    for part, root, source in found:
        try:
            for _ in project_files(root, source):
                pass
        except MissingFileError as error:
            yield part, str(error)
    for number, layer in enumerate(runtime.layers):
        if layer.zip is not None:
            try:
                layer_entries(one_file(layer.root, layer.zip))
            except MissingFileError as error:
                yield ("layers", str(number)), str(error)
