"""The command as a person meets it: exit codes, where things are printed, and what is said when something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from runtimebuilder.cli.build_command import build

SPEC = "schema: 1\nname: mine\nfamily: php\nversion: '8.2'\nvariant: function\nbase: debian-12\n"


class Ran(Protocol):
    code: int
    out: str
    err: str


Command = Callable[..., Ran]


def test_version_is_data(command: Command) -> None:
    ran = command("version", "--short")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.strip().count(".") == 2


def test_list_prints_one_json_document_and_nothing_else(command: Command) -> None:
    ran = command("list", "php-82*", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert [each["name"] for each in json.loads(ran.out)["runtimes"]] == [
        "php-82",
        "php-82-console",
        "php-82-dev",
        "php-82-fpm",
        "php-82-fpm-dev",
    ]


@pytest.mark.parametrize("verb", ["build", "render"])
def test_an_unknown_runtime_gets_a_suggestion_and_exit_2(command: Command, verb: str) -> None:
    ran = command(verb, "php-82-fmp")
    assert (ran.code, ran.out) == (2, "")
    assert "php-82-fmp" in ran.err
    assert "did you mean 'php-82-fpm'?" in ran.err


def test_a_glob_that_matches_nothing_is_exit_3(command: Command) -> None:
    ran = command("list", "ruby-*")
    assert (ran.code, ran.out) == (3, "")
    assert "ruby-*" in ran.err


def test_no_engine_is_exit_4_with_a_remedy(command: Command) -> None:
    ran = command("build", "php-82")
    assert (ran.code, ran.out) == (4, "")
    assert "there is no Docker engine at unix://" in ran.err
    assert "-> start it" in ran.err


def test_doctor_without_an_engine_reports_the_rest_and_is_exit_4(command: Command) -> None:
    ran = command("doctor")
    assert ran.code == 4
    assert "FAIL  engine" in ran.out
    assert "mmdebstrap" in ran.out


def test_a_template_that_names_an_undefined_variable_is_exit_2_with_file_and_line(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes" / "mine.yaml").write_text(SPEC)
    template = tmp_path / "templates" / "php" / "Dockerfile.j2"
    template.parent.mkdir(parents=True)
    template.write_text("FROM {{ from_image | image }}\n\nRUN {{ oops }}\n")
    ran = command("render", "mine")
    assert (ran.code, ran.out) == (2, "")
    assert f"{template}:3: 'oops' is undefined" in ran.err


def test_all_mistakes_of_all_specs_are_shown_at_once_with_their_places(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes" / "a.yaml").write_text(SPEC + "extensionz: [curl]\n")
    (tmp_path / "runtimes" / "b.yaml").write_text(SPEC.replace("'8.2'", "8.2").replace("mine", "other"))
    ran = command("build", "php-82")
    assert (ran.code, ran.out) == (2, "")
    assert "runtimes/a.yaml:7:1: " in ran.err
    assert "did you mean 'extensions'?" in ran.err
    assert "runtimes/b.yaml:4:10: " in ran.err


def test_a_projects_own_runtime_stands_beside_the_built_in_ones(command: Command, tmp_path: Path) -> None:
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes" / "mine.yaml").write_text(SPEC)
    names = [each["name"] for each in json.loads(command("list", "--json").out)["runtimes"]]
    assert "mine" in names
    assert "php-82-fpm" in names
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frobnicate"], "No such command"),
        (["build", "php-82", "--no-such-option"], "No such option"),
        (["build"], "say which runtimes"),
        (["build", "php-82", "--mirror", "nonsense"], "is not of the form REGISTRY=HOST[/PATH]"),
        (
            ["build", "php-82", "--builder", "fr ob"],
            "'fr ob' is neither auto, buildx, classic nor a builder's",
        ),
        (["build", "php-82", "--progress", "loud"], "'loud' is not one of auto, plain, tty, json, quiet"),
        (["build", "php-82", "--set", "ini"], "'ini' is not KEY=VALUE"),
        (["build", "php-82", "--set", "name=x"], "a runtime's 'name' cannot be set from outside"),
        (["build", "php-82", "--set", "ini.memory_limt=1G"], "did you mean 'memory_limit'?"),
        (["build", "php-82", "--set", "extensions=[+redsi]"], "did you mean 'redis'?"),
        (["build", "php-82", "--set", "ini.x=["], "'[' is not a value of YAML"),
        (["build", "php-82", "--cache-to", "type=registry,x"], "is not type=TYPE,KEY=VALUE"),
        (["build", "php-8*", "--cache-to", "a/b:c"], "would write over each other's cache"),
        (["build", "php-82", "--platform", "linux/s390x"], "is not one of linux/amd64, linux/arm64"),
        (["build", "php-82", "--tag", "bad tag!"], "'bad tag!' is not an image name"),
        (["build", "php-8*", "--tag", "a:1"], "one name to several images"),
        (["build", "php-82", "--base", "al2"], "there is no base 'al2'"),
        (["build", "php-84", "--base", "debian-12"], "PHP 8.4 is on al2023, debian-13"),
        (["invoke", "php-82"], "either --event or --http"),
        (["invoke", "php-82", "--event", "{}", "--memory", "64"], "128"),
        (["invoke", "php-82", "--event", "sqss"], "did you mean 'sqs'?"),
    ],
)
def test_wrong_usage_is_exit_2_and_says_what_is_wrong(
    command: Command, arguments: list[str], said: str
) -> None:
    ran = command(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_render_writes_whole_or_not_at_all(command: Command, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    ran = command("render", "php-82", "--output", "full")
    assert ran.code == 2
    assert [entry.name for entry in (tmp_path / "full").iterdir()] == ["notes.txt"]
    ran = command("render", "php-82", "--output", "fresh")
    assert (ran.code, ran.out) == (0, "")
    assert (tmp_path / "fresh" / "Dockerfile").is_file()


def test_a_defect_of_ours_is_called_one(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("runtimebuilder.cli.list_command.Catalog.load", broken)
    ran = command("list")
    assert ran.code == 1
    assert "this is a defect of runtimebuilder: RuntimeError: boom" in ran.err
    assert "RUNTIMEBUILDER_TRACEBACK=1" in ran.err


def test_a_folder_without_specs_is_not_taken_for_a_good_one(command: Command, tmp_path: Path) -> None:
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes" / "mine.yaml").write_text(SPEC, encoding="utf-8")
    assert command("validate", "runtimes").code == 0
    ran = command("validate", ".")
    assert (ran.code, ran.out) == (3, "")
    assert "there is no spec" in ran.err


@pytest.mark.parametrize("redirections", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_no_trouble(redirections: str) -> None:
    script = f'"{sys.executable}" -m runtimebuilder.cli.main list {redirections}'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stdout + done.stderr


def test_doctor_fits_the_terminal(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = command("doctor")
    assert ran.code == 4
    words = [line.split() for line in ran.out.splitlines()]
    long = [line for line, split in zip(ran.out.splitlines(), words, strict=True) if len(line) > 80]
    assert not [line for line in long if " " in line.strip().removeprefix("-> ")], long
    assert "start docker" in " ".join(word for split in words for word in split)


def test_the_configuration_file_names_mirror_and_base(command: Command, tmp_path: Path) -> None:
    (tmp_path / "runtimebuilder.yaml").write_text(
        "schema: 1\nmirrors: {public.ecr.aws: cache.example.com/ecr}\nbase: auto\n"
    )
    assert "FROM cache.example.com/ecr/lambda/provided:al2023\n" in command("render", "php-82").out
    by_hand = command("render", "php-82", "--mirror", "public.ecr.aws=other.example.com")
    assert "FROM other.example.com/lambda/provided:al2023\n" in by_hand.out
    (tmp_path / "runtimebuilder.yaml").write_text("schema: 1\nbase: debian-12\n")
    assert "FROM runtimebuilder/provided:debian-12 AS slim-common\n" in command("render", "php-82").out


def test_an_interrupted_command_says_so_and_ends_with_130(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("runtimebuilder.cli.validate_command.spec_files", interrupted)
    ran = command("validate")
    assert (ran.code, ran.out) == (130, "")
    assert ran.err.strip() == "interrupted"


def test_list_works_in_a_folder_that_has_been_removed(command: Command, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    ran = command("list", "php-82")
    os.chdir(tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert "php-82" in ran.out


def saved(path: Path, subject: str = "legacy-php:7", *, seen: str = "two") -> str:
    header = {
        "kind": "header",
        "format": 1,
        "subject": subject,
        "image_id": "sha256:0",
        "platform": "linux/amd64",
    }
    header |= {
        "probe": "php",
        "box": "uid 993",
        "tool": "0.1.0",
        "strict": False,
        "selected": 1,
        "explicit": False,
    }
    case = {
        "kind": "case",
        "id": "RT-060-response-basic",
        "level": "MUST",
        "judgement": False,
        "section": "Response",
    }
    case |= {
        "requirement": "One POST.",
        "page": "runtimes-api",
        "state": "failed",
        "seconds": 1.0,
        "seen": seen,
    }
    footer = {"kind": "footer", "seconds": 1.0, "conforms": False, "interrupted": False}
    lines = [header | {"arguments": []}, case, footer]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)


def test_results_are_shown_again_without_an_engine(command: Command, tmp_path: Path) -> None:
    ran = command("report", saved(tmp_path / "a.jsonl"))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == "legacy-php:7   linux/amd64   probe php"
    assert ran.out.splitlines()[-1] == "1 MUST of 1 failed in 1.0 s"


def test_results_of_several_runs_are_compared(command: Command, tmp_path: Path) -> None:
    ran = command("report", saved(tmp_path / "a.jsonl"), saved(tmp_path / "b.jsonl", "newer-php:8"))
    assert (ran.code, ran.err) == (0, "")
    assert "  MUST    RT-060-response-basic  F  F" in ran.out.splitlines()


def test_results_are_written_in_other_formats(command: Command, tmp_path: Path) -> None:
    file = saved(tmp_path / "a.jsonl")
    ran = command("report", file, file, "-o", "out.html", "-o", "out.xml", "-o", "all.jsonl")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert (tmp_path / "out.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (tmp_path / "out.xml").read_text(encoding="utf-8").startswith("<?xml")
    assert command("report", "all.jsonl", "-o", "again.jsonl").code == 0
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "all.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("nothing.jsonl",), 4, "nothing.jsonl: No such file or directory"),
        ((".",), 4, "Is a directory"),
        (("text.txt",), 2, "text.txt:1: not a line of a report"),
        (("bytes.jsonl",), 2, "bytes.jsonl: not a report: it is not UTF-8 text"),
        (("a.jsonl", "-o", "a.pdf"), 2, "--output a.pdf: the suffix '.pdf' names no format of a report"),
        (("a.jsonl", "-o", "none/a.html"), 4, "--output none/a.html: No such file or directory"),
    ],
)
def test_a_report_that_cannot_be_read_or_written_is_told(
    command: Command, tmp_path: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    saved(tmp_path / "a.jsonl")
    (tmp_path / "text.txt").write_text("hello\n", encoding="utf-8")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe")
    ran = command("report", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert told in ran.err


@pytest.mark.parametrize("name", ["a.pdf", "report"])
def test_a_report_of_no_known_format_is_exit_2_before_an_engine_is_asked_for(
    command: Command, name: str
) -> None:
    ran = command("verify", "php-82", "--report", name)
    assert (ran.code, ran.out) == (2, "")
    assert f"--report {name}" in ran.err


def test_each_option_of_build_can_be_set_as_a_variable() -> None:
    hints = typing.get_type_hints(build, include_extras=True)
    options = {
        name: typing.get_args(hint)[1] for name, hint in hints.items() if name not in ("names", "return")
    }
    assert len(options) > 20
    for name, info in options.items():
        declared = [str(info.default), *info.param_decls]  # in an annotation the first one stands there
        long = next((word for word in declared if word.startswith("--")), f"--{name}")
        variable = long.split("/")[0].removeprefix("--").replace("-", "_").upper()
        given = [info.envvar] if isinstance(info.envvar, str) else info.envvar or []
        assert f"RUNTIMEBUILDER_{variable}" in given, name
