"""docs/specs.md and the JSON Schema: every key is told, and the committed page is the one that the models give."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from runtimebuilder.spec.descriptions import DESCRIPTIONS, described
from runtimebuilder.spec.library import examine
from runtimebuilder.spec.reference import described_schema, page
from runtimebuilder.spec.written import (
    BaseChanges,
    ExtendingSpec,
    FamilySpec,
    SingleSpec,
    VariantSpec,
    VersionSpec,
)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "specs.md"


def test_the_committed_page_is_the_one_that_the_models_give() -> None:
    assert PAGE.read_text() == page(PAGE.read_text()), "run `make docs` and commit docs/specs.md"


@pytest.mark.parametrize(
    "model", [FamilySpec, VersionSpec, VariantSpec, SingleSpec, ExtendingSpec, BaseChanges, *DESCRIPTIONS]
)
def test_every_key_has_its_sentence_and_every_sentence_its_key(model: type[BaseModel]) -> None:
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert keys == set(described(model))
    assert set(DESCRIPTIONS.get(model, {})) <= keys


def test_editors_see_the_sentences() -> None:
    definitions = described_schema()["$defs"]
    assert "`[+redis, -soap]`" in definitions["ExtendingSpec"]["properties"]["extensions"]["description"]
    assert (
        definitions["FileEntry"]["properties"]["from"]["description"] == "A file or a folder of the project."
    )


def test_the_schema_takes_what_is_valid_and_nothing_unknown() -> None:
    validator = jsonschema.Draft202012Validator(described_schema())
    validator.check_schema(described_schema())
    shipped = PAGE.parents[1] / "runtimes" / "php.yaml"
    texts = [shipped.read_text(), *re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)]
    for text in texts:
        document = yaml.safe_load(text)
        assert [error.message for error in validator.iter_errors(document)] == []
        assert list(validator.iter_errors({**document, "extensoins": []}))


def test_the_specs_on_the_page_are_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "certs").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "certs" / "internal-ca.pem").write_text("x")
    (tmp_path / "src" / "main.c").write_text("x")
    texts = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    files = []
    for number, text in enumerate(texts):
        files.append(tmp_path / "runtimes" / f"{number}.yaml")
        files[-1].write_text(text)
    examined = examine(files)
    assert [problem.text() for problem in examined.problems] == []
    names = [item.runtime.name for item in examined.resolved]
    assert names == ["shop-api", "tool", "acme-83", "acme-83-fpm", "acme-84", "acme-84-fpm"]
