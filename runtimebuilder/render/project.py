"""A project of one's own, as `init` and `new` begin it: the files of templates/_project, filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping

from runtimebuilder.errors import SpecError
from runtimebuilder.render.environment import TemplateSet
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.project import SCHEMA, schema_text

_FOLDER = "_project"
_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*\Z")
# What each CI system reads, by the beginnings of paths.
CI_SYSTEMS: Mapping[str, tuple[str, ...]] = {
    "github": (".github/",),
    "gitlab": (".gitlab-ci.yml", ".gitlab/"),
    "buildkite": (".buildkite/",),
    "none": (),
}
_SPEC, _TEST = "runtimes/spec.yaml.j2", "runtimes/test.py.j2"


def new_runtime(catalog: Catalog, name: str, extends: str) -> Mapping[str, str]:
    """The files of a new runtime `name`: its spec, its test, and the schema that the spec points to.

    Raises `SpecError` (exit 2) for a name that cannot be one or is taken, and for an unknown `extends`.
    """
    if not _NAME.match(name):
        raise SpecError(f"{name!r} is not a name; use a-z and 0-9, with single . _ or - between")
    catalog.select([extends])
    if "*" in extends or "?" in extends or "[" in extends:
        raise SpecError(f"--extends {extends!r} is a pattern; name one runtime")
    if name in catalog.runtimes and name != extends:
        raise SpecError(
            f"the runtime {name!r} is there already ({catalog.runtimes[name].source})",
            hint="take another name",
        )
    templates, values = TemplateSet(), {"name": name, "extends": extends}
    test = re.sub("[^A-Za-z0-9]", "_", name)
    return {
        SCHEMA: schema_text(),
        f"runtimes/{name}.yaml": templates.render(f"{_FOLDER}/{_SPEC}", values),
        f"runtimes/test_{test}.py": templates.render(f"{_FOLDER}/{_TEST}", values),
    }


def new_project(catalog: Catalog, name: str, extends: str, ci: str = "github") -> Mapping[str, str]:
    """All files of a new project with one runtime in it; `ci`: for which system, one of `CI_SYSTEMS`.

    Raises as `new_runtime` does, and `SpecError` (exit 2) for another system.
    """
    if ci not in CI_SYSTEMS:
        raise SpecError(f"--ci {ci!r} is not one of {', '.join(CI_SYSTEMS)}")
    others = tuple(path for system, paths in CI_SYSTEMS.items() if system != ci for path in paths)
    templates, values = TemplateSet(), {"name": name, "extends": extends}
    files = dict(new_runtime(catalog, name, extends))
    for path in templates.files(_FOLDER):
        if path not in (_SPEC, _TEST) and not path.startswith(others):
            files[path.removesuffix(".j2")] = templates.render(f"{_FOLDER}/{path}", values)
    return files
