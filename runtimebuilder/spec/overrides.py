"""Settings from the command line over what a spec says: `--set ini.memory_limit=512M`.

They are a spec of their own that extends the runtime under its own name, so that grammar, merging and checks are those
of `extends`.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import replace

import yaml

from runtimebuilder.errors import SpecError
from runtimebuilder.spec import source
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.checks import against_base
from runtimebuilder.spec.model import RuntimeSpec
from runtimebuilder.spec.problem import Problem, SpecErrors
from runtimebuilder.spec.resolve import Resolved, resolve_extending
from runtimebuilder.spec.validation import validate
from runtimebuilder.spec.written import ExtendingSpec

_SHOWN = "--set"
_REFUSED = ("schema", "name", "extends", "family", "version", "variant", "kind", "versions", "variants")
# Keys whose own keys have dots in them (`opcache.enable`): what follows the first dot is one key.
_FLAT = ("ini", "env")


def override(
    catalog: Catalog, runtimes: Sequence[RuntimeSpec], settings: Sequence[str]
) -> tuple[Catalog, tuple[RuntimeSpec, ...]]:
    """The runtimes with `settings` (`KEY=VALUE`, the value as it would stand in the spec), and a catalog that has them.

    A later setting of a key wins. Raises `SpecError` for what is no `KEY=VALUE`, `SpecErrors` for mistakes in them
    (exit 2).
    """
    if not settings:
        return catalog, tuple(runtimes)
    wanted = _tree(settings)
    problems: list[Problem] = []
    resolved = dict(catalog.resolved)
    for runtime in runtimes:
        found, mistakes = _extended(catalog, catalog.resolved[runtime.name], wanted)
        problems += mistakes
        resolved.update({item.runtime.name: item for item in found})
    if problems:
        raise SpecErrors(problems, files=1)
    names = {name: item.runtime for name, item in resolved.items()}
    changed = replace(
        catalog, runtimes=types.MappingProxyType(names), resolved=types.MappingProxyType(resolved)
    )
    return changed, tuple(names[runtime.name] for runtime in runtimes)


def _tree(settings: Sequence[str]) -> dict[str, object]:
    tree: dict[str, object] = {}
    for setting in settings:
        path, equals, text = setting.partition("=")
        key, _, rest = path.partition(".")
        if not equals or not key or path.endswith("."):
            raise SpecError(
                f"--set {setting!r} is not KEY=VALUE",
                hint="for example --set ini.memory_limit=512M, --set 'extensions=[+redis]'",
            )
        if key in _REFUSED:
            raise SpecError(
                f"--set {key}: a runtime's {key!r} cannot be set from outside",
                hint="write a spec that extends it",
            )
        try:
            value = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 -- makes strings, lists and mappings alone
        except yaml.YAMLError as error:
            raise SpecError(f"--set {path}: {text!r} is not a value of YAML") from error
        parts = [key, *([rest] if key in _FLAT else rest.split(".") if rest else [])]
        inside = tree
        for part in parts[:-1]:
            below = inside.setdefault(part, {})
            if not isinstance(below, dict):
                raise SpecError(f"--set {path}: {part!r} is set to a value as well")
            inside = below
        inside[parts[-1]] = value
    return tree


def _extended(
    catalog: Catalog, item: Resolved, wanted: dict[str, object]
) -> tuple[list[Resolved], list[Problem]]:
    name = item.runtime.name
    lines = [f"{key}: {_flow(value)}" for key, value in wanted.items()]
    text = "\n".join([*lines, "schema: 1", f"name: {name}", f"extends: {name}", ""])
    document, problems = source.parse(text, _SHOWN, item.document.root)
    if document is None:
        return [], problems
    spec, mistakes = validate(document, ExtendingSpec)
    problems += mistakes
    if spec is None:
        return [], problems
    found, mistakes = resolve_extending(spec, document, item.runtime.source, item)
    problems += mistakes
    for one in found:
        problems += against_base(one, catalog.bases)
    return found, problems


def _flow(value: object) -> str:
    """The value on one line, so that a mistake is shown with all of it."""
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
