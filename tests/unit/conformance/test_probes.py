"""Probes, their forms, and the choice among them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.conformance.case import Need, builtin_cases
from runtimebuilder.conformance.probes.choice import choose_probe
from runtimebuilder.conformance.probes.codec import NotDecodableError, codec_for
from runtimebuilder.conformance.probes.folder import read_probe
from runtimebuilder.conformance.probes.known import probe_named, probe_names
from runtimebuilder.conformance.probes.probe import Form, Probe
from runtimebuilder.conformance.probes.settings import fitted
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.errors import SpecError

COMMAND = '{"do":"echo","value":"é"}'


def facts(**labels: str) -> ImageFacts:
    return ImageFacts(
        id="sha256:0",
        tags=(),
        repo_digests=(),
        labels={name.replace("_", "."): value for name, value in labels.items()},
        architecture="amd64",
        os="linux",
        size=1,
        created="",
        env={},
        entrypoint=("/entry",),
        cmd=None,
        workdir="",
        user="",
        exposed=(),
        volumes=(),
        healthcheck=None,
        layers=1,
    )


def test_a_direct_command_is_the_event() -> None:
    assert codec_for(Form.DIRECT).event(COMMAND) == COMMAND.encode()
    assert codec_for(Form.DIRECT).result(b'"x"') == '"x"'


def test_an_http_command_is_the_body_of_a_request() -> None:
    event = json.loads(codec_for(Form.HTTP).event(COMMAND))
    assert event["version"] == "2.0"
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["body"] == COMMAND
    assert event["headers"]["content-length"] == str(len(COMMAND.encode()))


@pytest.mark.parametrize("encoded", [False, True])
def test_an_http_result_is_the_body_of_the_response(encoded: bool) -> None:
    body = base64.b64encode(b'"x"').decode() if encoded else '"x"'
    response = {"statusCode": 200, "body": body, "isBase64Encoded": encoded}
    assert codec_for(Form.HTTP).result(json.dumps(response).encode()) == '"x"'


def test_a_console_command_is_one_argument() -> None:
    assert json.loads(codec_for(Form.CONSOLE).event(COMMAND)) == [COMMAND]
    assert codec_for(Form.CONSOLE).result(b'{"exitCode":0,"output":"\\"x\\""}') == '"x"'


@pytest.mark.parametrize(
    ("form", "body", "message"),
    [
        (Form.DIRECT, b"\xff", "not UTF-8 at byte 0"),
        (Form.HTTP, b"{", "not an HTTP response object"),
        (Form.HTTP, b"[]", "not an HTTP response object"),
        (Form.HTTP, b'{"statusCode":500,"body":"oops"}', "HTTP status 500 with body 'oops'"),
        (Form.HTTP, b'{"statusCode":200,"body":7}', "not a string but int"),
        (Form.HTTP, b'{"statusCode":200,"body":"*","isBase64Encoded":true}', "not base64"),
        (Form.CONSOLE, b'{"exitCode":3,"output":"oops"}', "exitCode 3, output 'oops'"),
        (Form.CONSOLE, b"null", "not an object with exitCode and output"),
    ],
)
def test_an_answer_of_another_form_says_what_is_wrong(form: Form, body: bytes, message: str) -> None:
    with pytest.raises(NotDecodableError, match=message):
        codec_for(form).result(body)


@pytest.mark.parametrize("name", probe_names())
def test_a_shipped_probe_has_its_files(name: str) -> None:
    probe = probe_named(name)
    starts = [probe.handler, *probe.faulty.values()]
    for handler in starts:
        stem = handler.split(".")[0]
        assert handler in probe.files or any(file.startswith(f"{stem}.") for file in probe.files), handler
    assert not any(probe.missing_handler.startswith(file.split(".")[0]) for file in probe.files)


@pytest.mark.parametrize("name", probe_names())
def test_a_shipped_probe_serves_a_case_or_says_why_not(name: str) -> None:
    probe = probe_named(name)
    reasons = [probe.lacks(one.needs) for one in builtin_cases()]
    assert any(reason is None for reason in reasons)
    assert all(reason is None or " " in reason for reason in reasons)


def test_every_need_is_needed() -> None:
    needed = {need for one in builtin_cases() for need in one.needs}
    assert needed | {Need.PROCESS} == set(Need)  # RT-129 itself asks whether the probe lacks that one


@pytest.mark.parametrize(
    ("wish", "labels", "paths", "expected"),
    [
        ("auto", {"dev_runtimebuilder_probe": "php-fpm"}, [], "php-fpm"),
        ("python", {"dev_runtimebuilder_probe": "php-fpm"}, [], "python"),
        ("auto", {}, ["/usr/bin/php"], "php-function"),
        ("auto", {}, ["/opt/bin/php", "/opt/bin/php-fpm"], "php-fpm"),
        ("auto", {}, ["/var/lang/bin/python3"], "python"),
        ("auto", {}, ["/var/lang/bin/node"], "node"),
        ("auto", {}, ["/usr/local/bin/node"], "node"),
        ("auto", {}, ["/usr/bin/node"], "node"),
    ],
)
def test_a_probe_is_chosen(wish: str, labels: dict[str, str], paths: list[str], expected: str) -> None:
    chosen = choose_probe(wish, facts(**labels), paths.__contains__, lambda _path: b"")
    assert chosen is not None
    assert chosen.name == expected


@pytest.mark.parametrize("path", ["/var/runtime/bootstrap", "/var/task/bootstrap", "/opt/bootstrap"])
def test_a_shell_script_that_asks_for_events_is_a_shell_runtime(path: str) -> None:
    script = b"#!/bin/sh\ncurl http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next\n"
    chosen = choose_probe("auto", facts(), {}.__contains__, lambda asked: script if asked == path else b"")
    assert chosen is not None
    assert chosen.name == "shell"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (b"#!/bin/sh\nexec /opt/runtime\n", "nothing in the image tells"),
        (b"#!/usr/bin/perl\nget('/2018-06-01/runtime/invocation/next')\n", "nothing in the image tells"),
        (b"\x7fELF/runtime/invocation/", "/var/runtime/bootstrap is a compiled program"),
    ],
)
def test_another_program_does_not_tell_its_probe(program: bytes, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        choose_probe("auto", facts(), {}.__contains__, lambda _path: program)


@pytest.mark.parametrize(
    ("name", "environment", "has_the_process"),
    [
        ("php-function", {}, True),
        ("php-function", {"RUNTIMEBUILDER_STATE": "shared"}, True),
        ("php-function", {"RUNTIMEBUILDER_STATE": " Fork "}, False),
        ("php-function", {"RUNTIMEBUILDER_STATE": "process"}, False),
        ("python", {"RUNTIMEBUILDER_STATE": "process"}, True),
    ],
)
def test_a_handler_may_have_a_process_of_its_own(
    name: str, environment: dict[str, str], has_the_process: bool
) -> None:
    probe = fitted(probe_named(name), environment)
    assert probe is not None
    assert (Need.PROCESS not in probe.lacking) is has_the_process
    assert (Need.EXIT not in probe.lacking) is has_the_process


@pytest.mark.parametrize("name", ["php-function", "php-fpm"])
def test_a_php_runtime_may_stream(name: str) -> None:
    plain = fitted(probe_named(name), {"RUNTIMEBUILDER_STREAMING": "off"})
    streaming = fitted(probe_named(name), {"RUNTIMEBUILDER_STREAMING": "On"})
    assert plain is not None
    assert streaming is not None
    assert {Need.STREAM, Need.HTTP_STREAM} <= set(plain.lacking)
    assert not {Need.STREAM, Need.HTTP_STREAM} & set(streaming.lacking)
    assert streaming.handler in streaming.files


def test_a_streamed_page_is_decoded() -> None:
    codec = codec_for(Form.HTTP)
    assert codec.result(b'{"statusCode":200}' + bytes(8) + b'{"a":1}') == '{"a":1}'
    with pytest.raises(NotDecodableError, match="HTTP status 500"):
        codec.result(b'{"statusCode":500}' + bytes(8) + b"x")
    with pytest.raises(NotDecodableError, match="not UTF-8"):
        codec.result(b'{"statusCode":200}' + bytes(8) + b"\xff")


def test_no_probe_is_a_choice() -> None:
    assert fitted(None, {"RUNTIMEBUILDER_STATE": "fork"}) is None
    assert choose_probe("none", facts(), {}.__contains__, lambda _path: b"") is None


@pytest.mark.parametrize(
    ("wish", "labels", "message", "hint"),
    [
        ("pyton", {}, "unknown probe 'pyton'", "did you mean 'python'?"),
        ("auto", {}, "nothing in the image tells which probe fits it", "--probe"),
        (
            "auto",
            {"dev_runtimebuilder_probe": "perl-x"},
            "unknown probe 'perl-x'",
            "there are node, php-console",
        ),
    ],
)
def test_a_choice_that_cannot_be_made_says_what_to_do(
    wish: str, labels: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(SpecError) as caught:
        choose_probe(wish, facts(**labels), {}.__contains__, lambda _path: b"")
    assert caught.value.message == message
    assert hint in (caught.value.hint or "")


@pytest.fixture
def probe_folder(tmp_path: Path) -> Callable[[str], Path]:
    def write(description: str) -> Path:
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib" / "a.rb").write_bytes(b"1")
        (tmp_path / "main.rb").write_bytes(b"2")
        (tmp_path / "main.rb").chmod(0o755)
        (tmp_path / "probe.yaml").write_text(description, encoding="utf-8")
        return tmp_path

    return write


def test_a_folder_is_a_probe_of_ones_own(probe_folder: Callable[[str], Path]) -> None:
    folder = probe_folder(
        "name: ruby\nlanguage: Ruby\nhandler: main.handler\nmissing_handler: nope.handler\n"
        "faulty: {syntax-error: broken.handler}\nlacking: {bytes: Ruby has no bytes}\nfeatures: [snapstart]\n"
    )
    probe = choose_probe(str(folder), facts(), {}.__contains__, lambda _path: b"")
    assert probe == Probe(
        name="ruby",
        language="Ruby",
        form=Form.DIRECT,
        files={"lib/a.rb": b"1", "main.rb": b"2"},
        handler="main.handler",
        missing_handler="nope.handler",
        faulty={Need.SYNTAX_ERROR: "broken.handler"},
        lacking={Need.BYTES: "Ruby has no bytes"},
        programs=frozenset({"main.rb"}),
        features=(Need.SNAPSTART,),
    )
    assert probe.lacks((Need.BYTES,)) == "Ruby has no bytes"
    assert probe.lacks((Need.EXITS_AT_LOAD,)) == "the probe ruby has no handler for exits-at-load"
    assert probe.lacks((Need.RAISE, Need.SYNTAX_ERROR)) is None


@pytest.mark.parametrize(
    ("description", "detail"),
    [
        ("name: [", "expected the node content"),
        ("name: x", "handler: Field required"),
        ("name: x\nlanguage: x\nhandler: x\nmissing_handler: x\ncolour: red", "colour: Extra inputs"),
        (
            "name: x\nlanguage: x\nhandler: x\nmissing_handler: x\nfeatures: [bytes]",
            "features.0: Input should be",
        ),
        ("- 1", "file: Input should be a valid dictionary"),
    ],
)
def test_a_wrong_description_says_what_is_wrong(
    probe_folder: Callable[[str], Path], description: str, detail: str
) -> None:
    with pytest.raises(SpecError) as caught:
        read_probe(probe_folder(description))
    assert detail in (caught.value.detail or "")


def test_a_folder_without_a_description_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"there is no probe\.yaml"):
        read_probe(tmp_path)
