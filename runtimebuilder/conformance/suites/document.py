"""Reading a suite file: JSON to tests, with defaults, templates and resources filled in; every mistake at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from runtimebuilder.conformance.suites.transform import TransformError, check_program, transformed
from runtimebuilder.errors import EnvironmentProblemError, SpecError

SUBJECTS = (
    "response",
    "error",
    "contentType",
    "responseContentType",
    "errorType",
    "tail-logs",
    "logs",
    "metrics",
    "init_metrics",
    "invoke_metrics",
)
"""What an assertion may be about; each assertion is about one of them."""

JSON_TYPE = "application/json"

# What a test gets for fields of these objects that it leaves out; the values are AWS's runner's.
_XRAY = {"traceId": "1-581cf771-a006649127e371903a2de979", "parentId": "a794a187a18ff77f", "isSampled": "1"}
_COGNITO = {
    "cognitoIdentityId": "cognito-id:4ab95ea510c14353a7f6da04489c43b8",
    "cognitoIdentityPoolId": "cognito-pool-id:35ab4794a79a4f23947d3e851d3d6578",
}
_OBJECTS = ("environmentVariables", "clientContext", "cognitoIdentity", "xray")
_MEMORY = re.compile(r"(\d+) *(?:MB)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Assertion:
    """One comparison: what `subject` is, after `transform` (a jq program), has to equal `value`."""

    subject: str
    value: Any
    transform: str | None = None


@dataclass(frozen=True, slots=True)
class SuiteTest:
    """One test, ready to be run. `memory_mb` None: the box's own; `unsupported`: why it cannot be run here."""

    name: str
    handler: str
    event: bytes
    content_type: str
    env: Mapping[str, str]
    assertions: tuple[Assertion, ...]
    trace_id: str | None = None
    client_context: str | None = None
    cognito_identity: str | None = None
    memory_mb: int | None = None
    unsupported: str | None = None


@dataclass(frozen=True, slots=True)
class _Resource:
    content_type: str
    data: Any


class _Mistake(Exception):  # noqa: N818 - one line of the error that people get
    pass


def read_suite(path: Path, tasks: Path | None = None) -> tuple[SuiteTest, ...]:
    """The tests of the file, in order. Files of resources are looked for in `tasks`, then beside the suite.

    Raises `SpecError` (exit 2) with every mistake, `EnvironmentProblemError` (4) when the file cannot be read, or
    when a transform is asked for and jq is not installed.
    """
    document = _load(path)
    problems: list[str] = []
    resources = _resources(document.get("resources", {}), [tasks or path.parent, path.parent], problems)
    tests = []
    for number, raw in enumerate(_expanded(document), start=1):
        where = f"test {number}" + (f" ({raw['name']})" if isinstance(raw.get("name"), str) else "")
        try:
            filled = _filled({**document.get("default", {}), **raw}, resources)
            tests.append(_test(filled, document.get("assertions", []), resources))
        except _Mistake as mistake:
            problems.append(f"{where}: {mistake}")
    if not problems and not tests:
        problems.append("there are no tests in it")
    if problems:
        first, *others = problems
        raise SpecError(
            f"{path}: {first}",
            detail="\n".join(f"  {path}: {other}" for other in others) or None,
            hint="docs/suites.md shows the format",
        )
    return tuple(tests)


def _load(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise EnvironmentProblemError(f"--suite {path}: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise SpecError(f"--suite {path}: not UTF-8 text") from problem
    except ValueError as problem:
        raise SpecError(f"--suite {path}: not JSON: {problem}") from problem
    expected = {"tests": list, "default": dict, "template": dict, "resources": dict, "assertions": list}
    if not isinstance(document, dict) or "tests" not in document:
        index = isinstance(document, dict) and "index" in document
        raise SpecError(
            f"--suite {path}: "
            + ("an index of suites, not a suite" if index else 'an object with "tests" is needed'),
            hint="name the suites themselves: --suite may be repeated"
            if index
            else "docs/suites.md shows the format",
        )
    for name, kind in expected.items():
        if name in document and not isinstance(document[name], kind):
            raise SpecError(f"--suite {path}: {name!r} has to be {'a list' if kind is list else 'an object'}")
    for name in ("tests", "assertions"):
        if not all(isinstance(each, dict) for each in document.get(name, [])):
            raise SpecError(f"--suite {path}: every one of {name!r} has to be an object")
    return document


def _expanded(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The tests, each once for every combination of the template's values that it does not set itself."""
    template = document.get("template", {})
    for test in document["tests"]:
        keys = [key for key in sorted(template) if key not in test]
        if not keys:
            yield test
            continue
        for values in product(*(template[key] for key in keys)):
            suffix = ":".join(str(value) for value in values)
            yield {**dict(zip(keys, values, strict=True)), **test, "name": f"{test.get('name', '')}:{suffix}"}


def _resources(raw: Mapping[str, Any], folders: Sequence[Path], problems: list[str]) -> dict[str, _Resource]:
    found = {}
    for name, resource in raw.items():
        try:
            found[name] = _resource(resource, folders)
        except (_Mistake, TransformError) as mistake:
            problems.append(f"resource {name}: {mistake}")
    return found


def _resource(raw: Any, folders: Sequence[Path]) -> _Resource:
    if not isinstance(raw, dict) or "contentType" not in raw or not raw.keys() & {"src", "data"}:
        raise _Mistake('an object with "contentType", and "src" or "data", is needed')
    content_type = str(raw["contentType"])
    data = raw.get("data")
    if "src" in raw:
        name = str(raw["src"]).lstrip("/")
        file = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if file is None:
            raise _Mistake(f"no file {name} in {' or '.join(dict.fromkeys(map(str, folders)))}")
        data = file.read_bytes()
        if content_type == JSON_TYPE:
            try:
                data = json.loads(data)
            except ValueError as problem:
                raise _Mistake(f"{file} is not JSON: {problem}") from problem
    if "transform" in raw:
        results = transformed(str(raw["transform"]), data)
        data = results[0] if results else None
    return _Resource(content_type, data)


def _filled(raw: Mapping[str, Any], resources: Mapping[str, _Resource]) -> dict[str, Any]:
    """With the resource in place of each `KEY.ref`; only those of the first level are references."""
    filled: dict[str, Any] = {}
    for key, value in raw.items():
        if not key.endswith(".ref"):
            filled.setdefault(key, value)
            continue
        if value not in resources:
            raise _Mistake(f"{key}: there is no resource {value!r}")
        filled[key.removesuffix(".ref")] = resources[value]
    return filled


def _plain(value: Any) -> Any:
    return value.data if isinstance(value, _Resource) else value


def _test(raw: Mapping[str, Any], everywhere: Sequence[Any], resources: Mapping[str, _Resource]) -> SuiteTest:
    name = raw.get("name")
    if not isinstance(name, str) or not name.strip():
        raise _Mistake("it has no name")
    if "hurl_file" in raw:
        why = "it drives a web server with a hurl file, and a function is none"
        return SuiteTest(name, "", b"", JSON_TYPE, {}, (), unsupported=why)
    if not isinstance(raw.get("handler"), str):
        raise _Mistake("it has no handler")
    objects = {key: _plain(raw[key]) for key in _OBJECTS if key in raw}
    for key, value in objects.items():
        if not isinstance(value, dict):
            raise _Mistake(f"{key} has to be an object")
    assertions = raw.get("assertions", [])
    if not isinstance(assertions, list) or not [*assertions, *everywhere]:
        raise _Mistake("it has no assertions")
    event, content_type = _event(raw.get("request", {}))
    context = objects.get("clientContext")
    return SuiteTest(
        name=name,
        handler=raw["handler"],
        event=event,
        content_type=content_type,
        env={key: _text(value) for key, value in objects.get("environmentVariables", {}).items()},
        assertions=tuple(_assertion(each, resources) for each in [*assertions, *everywhere]),
        trace_id=_trace({**_XRAY, **objects["xray"]}) if "xray" in objects else None,
        client_context=_json(context) if context else None,
        cognito_identity=_json({**_COGNITO, **objects["cognitoIdentity"]})
        if "cognitoIdentity" in objects
        else None,
        memory_mb=_memory(raw.get("memory")),
    )


def _event(request: Any) -> tuple[bytes, str]:
    if not isinstance(request, _Resource) or request.content_type in ("", JSON_TYPE):
        return _json(_plain(request)).encode(), JSON_TYPE
    data = request.data
    return (data if isinstance(data, bytes) else _text(data).encode()), request.content_type


def _assertion(raw: Any, resources: Mapping[str, _Resource]) -> Assertion:
    if not isinstance(raw, dict):
        raise _Mistake("an assertion has to be an object")
    filled = _filled(raw, resources)
    subjects = [subject for subject in SUBJECTS if subject in filled]
    if len(subjects) != 1:
        told = f"has {' and '.join(subjects)}" if subjects else f"has none of {', '.join(SUBJECTS)}"
        raise _Mistake(f"an assertion is about exactly one thing, and one {told}")
    (subject,) = subjects
    transform = filled.get("transform")
    if transform is not None:
        try:
            check_program(str(transform))
        except TransformError as problem:
            raise _Mistake(str(problem)) from problem
    return Assertion(subject, _plain(filled[subject]), None if transform is None else str(transform))


def _memory(raw: Any) -> int | None:
    """`512mb` or 512, which AWS's own template suites have; anything else says nothing to us."""
    found = _MEMORY.fullmatch(str(raw))
    return min(max(int(found[1]), 128), 10240) if found else None


def _trace(xray: Mapping[str, Any]) -> str:
    return f"Root={xray['traceId']};Parent={xray['parentId']};Sampled={xray['isSampled']}"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)
