"""pydantic's findings as problems: in people's words, at the place in the file."""

from __future__ import annotations

import contextlib
import copy
import inspect
import types
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runtimebuilder.spec.problem import did_you_mean
from runtimebuilder.spec.source import Document, Loc, Problem

Model = TypeVar("Model", bound=BaseModel)

_KEY = "[key]"
_INDEPENDENT = frozenset(
    {
        "bases",
        "build",
        "builds",
        "env",
        "files",
        "handler",
        "ini",
        "labels",
        "layers",
        "limits",
        "packages",
        "php",
        "platforms",
        "secrets",
        "tags",
        "verify",
    }
)
_KIND = {dict: "a mapping", list: "a list", type(None): "nothing", str: "a text", bool: "yes or no"}
_WANTED = {
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "bool_type": "yes or no",
    "list_type": "a list",
}


def validate(
    document: Document, model: type[Model], *, ignored: Collection[str] = ()
) -> tuple[Model | None, list[Problem]]:
    """The document as `model`, or None, and what is wrong with it. `ignored`: keys at its top that are left out.

    Both are there when the rest makes sense without the wrong part: it can then be checked further, so that
    people see all mistakes at once. Whoever gets problems must not use the model for anything else.
    """
    data = document.data
    if ignored and isinstance(data, dict):
        data = {key: value for key, value in data.items() if key not in ignored}
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        found = error.errors(include_url=False)
        problems = [problem for details in found for problem in _problems(document, model, details)]
    try:
        return model.model_validate(_without(data, found)), problems
    except ValidationError:
        return None, problems


def _without(data: object, found: list[ErrorDetails]) -> object:
    """A copy of `data` without the wrong parts on which nothing else depends."""
    result = copy.deepcopy(data)
    for details in found:
        loc = tuple(part for part in details["loc"] if part != _KEY)
        if details["type"] == "extra_forbidden":
            end = len(loc)
        elif independent := [index for index, part in enumerate(loc) if part in _INDEPENDENT]:
            end = independent[0] + 1
        else:
            continue  # the second validation fails as the first did
        holder: Any = result
        # Another mistake may have taken a part above it away already.
        with contextlib.suppress(KeyError, IndexError):
            for part in loc[: end - 1]:
                holder = holder[part]
            holder.pop(loc[end - 1], None)
    return result


def _problems(document: Document, model: type[BaseModel], details: ErrorDetails) -> list[Problem]:
    if details["type"] != "not_texts":
        return [_problem(document, model, details)]
    loc, values = details["loc"], details["input"]
    return [
        document.problem((*loc, index), _in(loc) + _not_a_text(document, (*loc, index), values[index]))
        for index in details["ctx"]["indexes"]
    ]


def _problem(document: Document, model: type[BaseModel], details: ErrorDetails) -> Problem:
    loc, kind, value = details["loc"], details["type"], details.get("input")
    context = details.get("ctx", {})
    about_key = bool(loc) and loc[-1] == _KEY
    if about_key:
        loc = loc[:-1]
    if kind == "at":
        return document.problem((*loc, context["where"]), _in(loc) + str(context["text"]))
    if kind == "extra_forbidden":
        known = _keys(_model_at(model, loc[:-1]))
        return document.problem(
            loc, f"{_in(loc[:-1])}unknown key {loc[-1]!r}{did_you_mean(str(loc[-1]), known)}", key=True
        )
    if kind == "missing":
        return document.problem(loc[:-1], f"{_in(loc[:-1])}the key {loc[-1]!r} is missing", key=True)
    return document.problem(loc, _in(_named(loc)) + _message(document, loc, details, value), key=about_key)


def _message(document: Document, loc: Loc, details: ErrorDetails, value: object) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "string_type":
        return _not_a_text(document, loc, value)
    if wanted := _WANTED.get(kind):
        return f"{wanted} is wanted here, not {_kind(value)}"
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace(" or ", ", ")
        words = [word.strip().strip("'") for word in expected.split(",")]
        shown = document.mark(loc).text or repr(value)
        hint = did_you_mean(shown, words)
        return f"{shown!r} is not possible here{hint or '; possible is ' + ', '.join(words)}"
    if kind == "too_short":
        return "at least one is wanted here"
    if "ge" in context or "le" in context:
        bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
        return f"{bound} is wanted here"
    return str(context.get("error", details["msg"])) if kind == "value_error" else details["msg"]


def _not_a_text(document: Document, loc: Loc, value: object) -> str:
    """To YAML a version 8.10 is the number 8.1, and `no` is false: say so, and how to write the text."""
    text = document.mark(loc).text
    if isinstance(value, bool):
        return f'{text} is read as {str(value).lower()}, a text is wanted here; quote it: "{text}"'
    if isinstance(value, int | float):
        return f'{text} is read as the number {value}, a text is wanted here; quote it: "{text}"'
    if value is None:
        return 'a text is wanted here, not nothing; write "" for an empty one'
    return f"a text is wanted here, not {_kind(value)}"


def _kind(value: object) -> str:
    return _KIND.get(type(value), "a number" if isinstance(value, int | float) else "something else")


def _named(loc: Loc) -> Loc:
    """The part of `loc` that is worth naming: the last key, when the mistake is in its value."""
    return tuple(part for part in loc if isinstance(part, str))


def _in(loc: Loc) -> str:
    """`ini: ` before a message about something inside `ini`."""
    return "".join(f"{part}: " for part in loc if isinstance(part, str))


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _model_at(model: type[BaseModel], loc: Loc) -> type[BaseModel] | None:
    """The model that stands at `loc` under `model`."""
    here: Any = model
    for part in loc:
        here = _bare(here)
        if inspect.isclass(here) and issubclass(here, BaseModel):
            fields = {field.alias or name: field for name, field in here.model_fields.items()}
            if part not in fields:
                return None
            here = fields[str(part)].annotation
        elif get_origin(here) in (dict, tuple, list, Mapping) or _is_mapping(here):
            here = next((arg for arg in reversed(get_args(here)) if arg is not Ellipsis), None)
        else:
            return None
    here = _bare(here)
    return here if inspect.isclass(here) and issubclass(here, BaseModel) else None


def _is_mapping(annotation: object) -> bool:
    origin = get_origin(annotation)
    return inspect.isclass(origin) and issubclass(origin, Mapping)


def _bare(annotation: Any) -> Any:
    """An annotation without Annotated and without `| None`."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            annotation = next(arg for arg in get_args(annotation) if arg is not type(None))
        elif origin is Literal:
            return None
        else:
            return annotation
