"""The tables of docs/specs.md, and the JSON Schema with a sentence for each key.

`python -m runtimebuilder.spec.reference docs/specs.md` makes the tables again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from runtimebuilder.spec.contents import (
    Artefact,
    BuildStage,
    FileEntry,
    LayerEntry,
    LimitSettings,
    VerifySettings,
)
from runtimebuilder.spec.descriptions import DESCRIPTIONS, described
from runtimebuilder.spec.model import ExtensionBuild, PhpSource
from runtimebuilder.spec.php_settings import PhpSettings
from runtimebuilder.spec.written import (
    Changes,
    ExtendingSpec,
    FamilySpec,
    Settings,
    SingleSpec,
    VariantSpec,
    json_schema,
)

BEGIN, END = "<!-- keys: made by `make docs`, do not edit -->\n", "<!-- end of keys -->\n"
_TABLES: tuple[tuple[str, tuple[type[BaseModel], ...]], ...] = (
    ("A runtime made of another one", (ExtendingSpec,)),
    ("A family", (FamilySpec,)),
    ("A variant of a family", (VariantSpec,)),
    ("A runtime said in full", (SingleSpec,)),
    ("In each of them, and in a version or a variant", (Settings,)),
    ("In each of them, and for a single base (`bases`)", (Changes,)),
    ("`php`", (PhpSettings,)),
    ("An entry of `files`", (FileEntry,)),
    ("An entry of `layers`", (LayerEntry,)),
    ("`build`", (BuildStage,)),
    ("An artefact of `build`", (Artefact,)),
    ("`verify`", (VerifySettings,)),
    ("`limits`", (LimitSettings,)),
    ("An entry of `builds`", (ExtensionBuild,)),
    ("`source`", (PhpSource,)),
)


def tables() -> str:
    """Each kind of mapping in a spec, with its keys, in Markdown."""
    return "\n".join(line for title, models in _TABLES for line in _table(title, models))


def _table(title: str, models: tuple[type[BaseModel], ...]) -> Iterator[str]:
    yield from (f"### {title}", "", "| key | | what it is |", "|---|---|---|")
    for model in models:
        for key, text in DESCRIPTIONS[model].items():
            needed = "needed" if _is_required(model, key) else ""
            yield f"| `{key}` | {needed} | {text} |"
    yield ""


def _is_required(model: type[BaseModel], key: str) -> bool:
    return any(
        (field.alias or name) == key and field.is_required() for name, field in model.model_fields.items()
    )


def page(text: str) -> str:
    """The page `text` with its tables as they are now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def described_schema() -> dict[str, Any]:
    """The JSON Schema of a spec, with what each key is: editors show it."""
    schema = json_schema()
    models = {model.__name__: model for model in _all_models()}
    for name, definition in schema["$defs"].items():
        if name in models:
            for key, text in described(models[name]).items():
                if key in definition.get("properties", {}):
                    definition["properties"][key]["description"] = text
    return schema


def _all_models() -> set[type[BaseModel]]:
    found = set(DESCRIPTIONS)
    waiting = list(found)
    while waiting:
        for heir in waiting.pop().__subclasses__():
            if heir not in found:
                found.add(heir)
                waiting.append(heir)
    return found


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(page(file.read_text(encoding="utf-8")), encoding="utf-8")
