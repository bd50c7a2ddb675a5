"""The JSON Schema for editors says what the models say."""

from __future__ import annotations

import json

from runtimebuilder.spec.written import FamilySpec, SingleSpec, json_schema


def test_the_schema_is_json_and_names_every_key() -> None:
    definitions = json.loads(json.dumps(json_schema()))["$defs"]
    for model in (FamilySpec, SingleSpec):
        names = {field.alias or name for name, field in model.model_fields.items()}
        assert set(definitions[model.__name__]["properties"]) == names
        assert definitions[model.__name__]["additionalProperties"] is False


def test_the_schema_takes_versions_as_list_and_as_mapping() -> None:
    versions = json_schema()["$defs"]["FamilySpec"]["properties"]["versions"]
    assert [form["type"] for form in versions["anyOf"]] == ["array", "object"]


def test_the_schema_lets_ini_values_be_numbers_and_booleans() -> None:
    ini = json_schema()["$defs"]["FamilySpec"]["properties"]["ini"]
    assert ini["additionalProperties"] == {"type": ["string", "integer", "boolean"]}


def test_what_a_file_is_held_to_depends_on_its_keys() -> None:
    schema = json_schema()
    assert schema["if"] == {"required": ["extends"]}
    assert schema["then"] == {"$ref": "#/$defs/ExtendingSpec"}
    assert schema["else"] == {
        "if": {"required": ["name"]},
        "then": {"$ref": "#/$defs/SingleSpec"},
        "else": {"$ref": "#/$defs/FamilySpec"},
    }
