"""Suites of AWS's containerized test runner: reading them, and comparing answers as it does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from runtimebuilder.conformance.suites import transform
from runtimebuilder.conformance.suites.answer import Answer, Difference, first_difference, unsupported
from runtimebuilder.conformance.suites.document import Assertion, read_suite
from runtimebuilder.conformance.suites.run import cases_of
from runtimebuilder.errors import EnvironmentProblemError, SpecError
from runtimebuilder.sandbox.outcome import InvokeKind, InvokeResult

SUITES = Path(__file__).resolve().parents[2] / "data" / "suites"


def written(folder: Path, **document: Any) -> Path:
    path = folder / "suite.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


ECHO = {"name": "echo", "handler": "core.echo", "assertions": [{"response": {}}]}


def test_a_template_makes_a_test_of_each_combination() -> None:
    tests = read_suite(SUITES / "template.json")
    assert [(one.name, one.memory_mb) for one in tests] == [
        ("echo:core.echo:128mb", 128),
        ("echo:core.echo:256mb", 256),
        ("echo small:core.echo", 192),
    ]
    assert all(one.assertions == (Assertion("response", {"msg": "message"}),) for one in tests)


def test_defaults_resources_and_what_the_service_says(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "env.json").write_text('{"A": "file", "N": 1}')
    suite = written(
        tmp_path,
        default={"handler": "core.env", "environmentVariables": {"A": "default"}},
        resources={
            "env": {"contentType": "application/json", "src": "env.json"},
            "text": {"contentType": "text/plain", "data": "as it is"},
        },
        tests=[
            {
                "name": "plain",
                "assertions": [{"response": None}],
                "cognitoIdentity": {},
                "xray": {"isSampled": "0"},
            },
            {
                "name": "referred",
                "environmentVariables.ref": "env",
                "request.ref": "text",
                "clientContext": {"custom": {"a": 1}},
                "assertions": [{"error.ref": "text"}],
            },
        ],
    )
    plain, referred = read_suite(suite, tmp_path / "tasks")
    assert (plain.handler, plain.env, plain.event) == ("core.env", {"A": "default"}, b"{}")
    assert plain.trace_id == "Root=1-581cf771-a006649127e371903a2de979;Parent=a794a187a18ff77f;Sampled=0"
    assert sorted(json.loads(plain.cognito_identity or "")) == ["cognitoIdentityId", "cognitoIdentityPoolId"]
    assert (referred.env, referred.event, referred.content_type) == (
        {"A": "file", "N": "1"},
        b"as it is",
        "text/plain",
    )
    assert referred.client_context == '{"custom":{"a":1}}'
    assert (referred.trace_id, referred.cognito_identity) == (None, None)
    assert referred.assertions == (Assertion("error", "as it is"),)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    suite = written(
        tmp_path,
        resources={"gone": {"contentType": "application/json", "src": "gone.json"}, "odd": {}},
        tests=[
            {**ECHO, "handler": 1},
            {**ECHO, "request.ref": "none"},
            {**ECHO, "assertions": [{"response": 1, "errorType": "X"}]},
            {**ECHO, "assertions": []},
            {**ECHO, "environmentVariables": []},
        ],
    )
    with pytest.raises(SpecError) as raised:
        read_suite(suite)
    told = f"{raised.value.message}\n{raised.value.detail}"
    for mistake in (
        "resource gone: no file gone.json in",
        'resource odd: an object with "contentType"',
        "test 1 (echo): it has no handler",
        "test 2 (echo): request.ref: there is no resource 'none'",
        "test 3 (echo): an assertion is about exactly one thing, and one has response and errorType",
        "test 4 (echo): it has no assertions",
        "test 5 (echo): environmentVariables has to be an object",
    ):
        assert mistake in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ("[]", 'an object with "tests" is needed'),
        ('{"tests": {}}', "'tests' has to be a list"),
        ('{"tests": [1]}', "every one of 'tests' has to be an object"),
        ('{"tests": []}', "there are no tests in it"),
        ('{"index": {"name": "x"}}', "an index of suites"),
    ],
)
def test_what_is_no_suite_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "suite.json"
    path.write_text(text)
    with pytest.raises(SpecError) as raised:
        read_suite(path)
    assert told in raised.value.message


def test_a_suite_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblemError, match="No such file"):
        read_suite(tmp_path / "none.json")


def answered(body: bytes, kind: InvokeKind = "response", log: str = "") -> Answer:
    return Answer.of(InvokeResult(kind, "id", body, 0.1), log)


@pytest.mark.parametrize(
    ("assertion", "answer", "seen"),
    [
        (Assertion("response", {"a": 1}), answered(b'{"a":1}'), None),
        (Assertion("response", {"a": 1}), answered(b'{"a":2}'), "{'a': 2}"),
        (Assertion("response", "x"), answered(b'{"errorType":"E"}'), "the error {'errorType': 'E'}"),
        (Assertion("error", {"errorType": "E"}), answered(b'{"errorType":"E"}'), None),
        (Assertion("errorType", "E"), answered(b'{"errorType":"E"}', "error"), None),
        (Assertion("errorType", "E"), answered(b'{"errorType":"F"}', "error"), "'F'"),
        (Assertion("errorType", ""), answered(b"broken", "error"), None),
        (Assertion("errorType", "E"), answered(b"{}"), "no error but the response {}"),
        (Assertion("contentType", "application/json"), answered(b"{}"), None),
        (Assertion("contentType", "application/json"), answered(b"<p>"), "'application/unknown'"),
        (Assertion("tail-logs", ["a", "b"]), answered(b"1", log="a\nb\n"), None),
    ],
)
def test_answers_are_compared(assertion: Assertion, answer: Answer, seen: str | None) -> None:
    difference = first_difference([assertion], answer)
    assert (difference.seen if difference else None) == seen


def test_transforms() -> None:
    pytest.importorskip("jq")
    answer = answered(b'{"a": [1, null], "b": "text"}')
    assert first_difference([Assertion("response", 1, ".a[]")], answer) is None
    for program, told in ((".none", "nothing, of"), (".b | keys", "has no keys"), (".a[0]", "1")):
        difference = first_difference([Assertion("response", 2, program)], answer)
        assert isinstance(difference, Difference)
        assert told in difference.seen


def test_a_program_that_jq_cannot_read_is_a_mistake_of_the_suite(tmp_path: Path) -> None:
    pytest.importorskip("jq")
    suite = written(tmp_path, tests=[{**ECHO, "assertions": [{"response": 1, "transform": ".["}]}])
    with pytest.raises(SpecError, match=r"test 1 \(echo\): jq '\.\['"):
        read_suite(suite)


def test_without_jq_a_transform_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jq", None)
    transform._compiled.cache_clear()
    suite = written(tmp_path, tests=[{**ECHO, "assertions": [{"response": 1, "transform": "."}]}])
    with pytest.raises(EnvironmentProblemError) as raised:
        read_suite(suite)
    assert raised.value.hint == "pip install 'runtimebuilder[suites]'"


def test_metrics_and_web_servers_are_unsupported(tmp_path: Path) -> None:
    assert unsupported([Assertion("metrics", {})]) == "it asserts metrics, which only the service has"
    (page,) = read_suite(written(tmp_path, tests=[{"name": "page", "hurl_file": "x.hurl", "assertions": []}]))
    assert page.unsupported is not None


def test_a_test_is_known_by_its_name(tmp_path: Path) -> None:
    suite = written(tmp_path, tests=[ECHO, {**ECHO, "name": "core | handler-not  found"}])
    first, second = cases_of([suite], None)
    assert (first.id, first.number, first.section, first.link) == (
        "SUITE-001-echo",
        "echo",
        "suite",
        "suite.json",
    )
    assert second.is_named_by("core | handler-not found")
    assert second.matches("core*")
