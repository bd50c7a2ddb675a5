"""Commands about specs: validate in all formats, show, schema, selection, plan, diff, render --check, init, new."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
import yaml

from runtimebuilder.spec import source


class Ran(Protocol):
    code: int
    out: str
    err: str


Command = Callable[..., Ran]
SHOP = """\
schema: 1
name: shop
extends: php-82-fpm
extensions: [+redis, -soap]
ini: { memory_limit: 512M }
env: { NOTE: "a: 'b' #c" }
files: [{ from: ca.pem, to: /etc/ca.pem }]
"""


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one runtime, committed."""
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes" / "shop.yaml").write_text(SHOP)
    (tmp_path / "ca.pem").write_text("certificate\n")
    return tmp_path


@pytest.fixture
def committed(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    return project


def change(project: Path, old: str, new: str) -> None:
    file = project / "runtimes" / "shop.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


# --- validate ---------------------------------------------------------


def test_a_mistake_in_json_in_githubs_way_and_in_sarif(command: Command, project: Path) -> None:
    change(project, "+redis", "+redsi")
    file, message = "runtimes/shop.yaml", "unknown extension 'redsi'; did you mean 'redis'?"
    ran = command("validate", "runtimes", "--format", "json")
    assert (ran.code, ran.err) == (2, "")
    assert json.loads(ran.out) == {
        "files": 1,
        "errors": [
            {
                "file": file,
                "line": 4,
                "column": 15,
                "end_column": 20,
                "message": message,
                "excerpt": "extensions: [+redsi, -soap]",
            }
        ],
    }
    ran = command("validate", "runtimes", "--format", "github")
    assert ran.out.splitlines() == [
        f"::error file={file},line=4,col=15,endColumn=20,title=runtimebuilder::{message}",
        "1 error in 1 of 1 file",
    ]
    (result,) = json.loads(command("validate", "runtimes", "--format", "sarif").out)["runs"][0]["results"]
    assert result["message"] == {"text": message}
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": file},
        "region": {"startLine": 4, "startColumn": 15, "endColumn": 20},
    }


def test_in_github_actions_annotations_are_the_default_and_cannot_be_broken_out_of(
    command: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (project / "runtimes" / "shop.yaml").unlink()
    (project / "runtimes" / "a,b:c%.yaml").write_text('schema: 1\nname: "a\\n::set-output name=x::y"\n')
    lines = command("validate", "runtimes").out.splitlines()
    assert [line.split(",line")[0] for line in lines[:-1]] == [
        "::error file=runtimes/a%2Cb%3Ac%25.yaml",
    ] * (len(lines) - 1)


@pytest.mark.usefixtures("project")
def test_good_specs_give_empty_documents(command: Command) -> None:
    assert json.loads(command("validate", "runtimes", "--format", "json").out) == {"files": 1, "errors": []}
    assert json.loads(command("validate", "runtimes", "--format", "sarif").out)["runs"][0]["results"] == []
    ran = command("validate", "runtimes", "--format", "xml")
    assert (ran.code, ran.out) == (2, "")
    assert "is not one of text, json, github, sarif" in ran.err


def test_a_file_full_of_mistakes_is_told_as_the_page_shows_it(command: Command, project: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "bad-input.md").read_text()
    spec, _, rest = page.partition("```yaml\n")[2].partition("```\n")
    shown = rest.partition("$ runtimebuilder validate runtimes\n")[2].partition("```")[0]
    (project / "runtimes" / "shop.yaml").write_text(spec)
    ran = command("validate", "runtimes")
    assert (ran.code, ran.out) == (2, shown)
    assert "13 errors in 1 of 1 file" in shown


# --- show -------------------------------------------------------------


@pytest.mark.usefixtures("project")
def test_show_prints_every_value_with_its_place(command: Command) -> None:
    ran = command("show", "shop")
    assert (ran.code, ran.err) == (0, "")
    lines = {" ".join(line.split("  # ")[0].split()): line.split("  # ")[-1] for line in ran.out.splitlines()}
    assert lines['memory_limit: "512M"'] == "runtimes/shop.yaml:5"
    assert lines["- redis"] == "runtimes/shop.yaml:4"
    assert lines["- curl"].startswith("built-in php.yaml:")
    assert lines["schema: 1"] == "from php-82-fpm"
    assert "- soap" not in lines
    document, problems = source.parse(ran.out, "shown")
    assert (document is not None, problems) == (True, [])
    shown = yaml.safe_load(ran.out)
    assert shown["env"] == {"NOTE": "a: 'b' #c"}
    assert shown["files"] == [{"from": "ca.pem", "to": "/etc/ca.pem"}]


def test_show_as_json_and_on_another_base(command: Command, project: Path) -> None:
    change(project, "env:", "bases: { debian-12: { ini: { memory_limit: 1G } } }\nenv:")
    found = json.loads(command("show", "shop", "--json", "--base", "debian-12").out)
    assert {"path": ["ini", "memory_limit"], "value": "1G", "from": "runtimes/shop.yaml:6"} in found["values"]
    assert found["extends"] == ["php-82-fpm"]
    assert command("show", "shop", "--base", "debian-99").code == 2


# --- selection, plan, diff --------------------------------------------


def names(ran: Ran) -> list[str]:
    assert ran.code == 0, ran.err
    return ran.out.split()


@pytest.mark.usefixtures("project")
def test_runtimes_are_selected_by_what_they_are(command: Command) -> None:
    assert names(command("list", "-q", "--own")) == ["shop"]
    assert names(command("list", "-q", "--variant", "console")) == [f"php-8{n}-console" for n in range(1, 6)]
    assert names(command("list", "-q", "php-82*", "--exclude", "*-dev", "--exclude", "php-82")) == [
        "php-82-console",
        "php-82-fpm",
    ]
    assert "shop" in names(command("list", "-q", "--family", "php", "--variant", "fpm"))


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--family", "phq"], 2, "unknown family 'phq'; did you mean 'php'?"),
        (["--variant", "fmp"], 2, "unknown variant 'fmp'; did you mean 'fpm'?"),
        (["php-82", "--exclude", "php-*"], 3, "no runtime is left of what was selected"),
        (["php-82", "--own"], 3, "no runtime is left of what was selected"),
    ],
)
def test_nothing_selected_is_exit_3(command: Command, arguments: list[str], code: int, said: str) -> None:
    ran = command("list", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


@pytest.mark.parametrize("name", ["list", "render", "plan", "diff", "build", "verify", "lock", "outdated"])
def test_every_command_selects_in_the_same_way(command: Command, committed: Path, name: str) -> None:
    (committed / "runtimes.lock").write_text('{"schema": 1, "epoch": 1}')
    assert command(name, "--variant", "fmp").code == 2
    assert command(name, "--own", "--exclude", "sh*").code == 3
    ran = command(name, "php-82", "shop", "--exclude", "php-*", "--changed-since", "HEAD")
    assert (ran.code, ran.err) == (3, "error: nothing has changed since HEAD\n") or name in (
        "plan",
        "build",
        "lock",
    )
    assert command(name, "shop*", "--family", "phq").code == 2


def test_what_has_changed_is_what_renders_to_something_else(command: Command, committed: Path) -> None:
    assert command("list", "--changed-since", "HEAD").code == 3
    change(committed, "schema: 1", "# a comment\nschema: 1")
    assert command("list", "--changed-since", "HEAD").code == 3, "a comment changes nothing"
    (committed / "ca.pem").write_text("renewed\n")
    assert names(command("list", "-q", "--changed-since", "HEAD")) == ["shop"]
    (committed / "runtimes" / "more.yaml").write_text("schema: 1\nname: more\nextends: shop\n")
    assert names(command("list", "-q", "--changed-since", "HEAD")) == ["more", "shop"]
    ran = command("list", "-q", "--own", "--changed-since", "nowhere")
    assert names(ran) == ["more", "shop"]
    assert (
        "WARNING: all are selected, for they cannot be compared: there is no revision 'nowhere' here"
        in ran.err
    )


def test_a_comparison_with_specs_that_were_broken_selects_all_and_says_so(
    command: Command, committed: Path
) -> None:
    change(committed, "512M", "512M, display_errors: ]")
    git("commit", "-q", "-a", "-m", "broken")
    change(committed, ", display_errors: ]", "")
    ran = command("list", "-q", "--own", "--changed-since", "HEAD")
    assert names(ran) == ["shop"]
    assert "cannot be compared: at 'HEAD': 1 error in 1 of 2 files" in ran.err


def test_a_plan_says_why(command: Command, committed: Path) -> None:
    change(committed, "512M", "1G")
    (committed / "ca.pem").write_text("renewed\n")
    (committed / "runtimes" / "more.yaml").write_text("schema: 1\nname: more\nextends: php-82\n")
    ran = command("plan", "--own", "--against", "HEAD", "--json")
    assert (ran.code, json.loads(ran.out)) == (
        0,
        {
            "runtimes": [
                {"runtime": "more", "base": "al2023", "what": "new", "why": []},
                {
                    "runtime": "shop",
                    "base": "al2023",
                    "what": "changed",
                    "why": ["spec: ini.memory_limit", "file: etc/ca.pem"],
                },
            ]
        },
    )
    assert "2 to build, 0 unchanged" in command("plan", "--own", "--against", "HEAD").err


def test_what_is_pinned_in_another_way_is_a_change(command: Command, committed: Path) -> None:
    def lock(digest: str, version: str) -> None:
        packages = {"common": {"php8.2-cli": version}}
        platform = {"digest": f"sha256:{digest * 64}", "packages": packages}
        entry = {"base": "al2023", "wanted": {}, "platforms": {"linux/amd64": platform}}
        text = json.dumps({"schema": 1, "epoch": 1, "runtimes": {"shop": entry}})
        (committed / "runtimes.lock").write_text(text)

    def why() -> list[str]:
        (row,) = json.loads(command("plan", "shop", "--against", "HEAD", "--json").out)["runtimes"]
        return list(row["why"])

    lock("a", "1")
    assert why() == ["lock: pinned now"]
    git("add", "-A")
    git("commit", "-q", "-m", "lock")
    assert why() == []
    lock("b", "1")
    assert why() == ["lock: base moved"]
    lock("b", "2")
    assert why() == ["lock: base moved", "lock: packages moved"]
    assert names(command("list", "-q", "--changed-since", "HEAD")) == ["shop"]


def test_a_template_that_has_changed_is_named(command: Command, committed: Path) -> None:
    template = committed / "templates" / "php" / "Dockerfile.j2"
    template.parent.mkdir(parents=True)
    template.write_text(
        '{% extends "builtin/php/Dockerfile.j2" %}\n{% block end %}\n\nRUN true\n{% endblock %}\n'
    )
    (row,) = json.loads(command("plan", "shop", "--against", "HEAD", "--json").out)["runtimes"]
    assert row["why"] == ["template: Dockerfile"]


def test_a_diff_shows_what_is_rendered_differently(command: Command, committed: Path) -> None:
    ran = command("diff", "shop")
    assert (ran.code, ran.out) == (0, "")
    change(committed, "512M", "1G")
    (committed / "ca.pem").write_bytes(b"\0")
    ran = command("diff", "shop")
    assert "-memory_limit = 512M" in ran.out.splitlines()
    assert "+memory_limit = 1G" in ran.out.splitlines()
    assert "Binary files a/shop/files/etc/ca.pem and b/shop/files/etc/ca.pem differ" in ran.out
    assert "1 of 1 changed since HEAD" in ran.err


@pytest.mark.usefixtures("project")
def test_a_revision_that_is_none_is_refused(command: Command) -> None:
    for revision in ("HEAD", "--all", "a b"):
        ran = command("plan", "shop", "--against", revision)
        assert (ran.code, ran.out) == (2, "")
        assert "revision" in ran.err


# --- render -----------------------------------------------------------


def test_rendered_files_are_checked(command: Command, project: Path) -> None:
    assert command("render", "--own", "-o", "out").code == 0
    ran = command("render", "--own", "-o", "out", "--check")
    assert (ran.code, ran.out) == (0, "")
    change(project, "512M", "1G")
    ran = command("render", "--own", "-o", "out", "--check")
    assert ran.code == 1
    assert "1 rendered file is not what the specs give" in ran.err
    assert "out/shop/rootfs/etc/php.d/99-runtimebuilder.ini differs" in ran.err
    assert command("render", "shop", "--check").code == 2
    assert command("render", "php-82*").code == 2


# --- init and new -----------------------------------------------------


def test_init_makes_a_project_that_is_valid_and_editors_know(command: Command, tmp_path: Path) -> None:
    ran = command("init", "shop", "--name", "shop-api", "--extends", "php-82-fpm")
    assert ran.code == 0, ran.err
    assert Path.cwd() == tmp_path / "shop"
    files = sorted(str(path.relative_to(".")) for path in Path().rglob("*") if path.is_file())
    assert files == [
        ".github/workflows/lock.yml",
        ".github/workflows/runtimes.yml",
        ".pre-commit-config.yaml",
        ".runtimebuilder/schema.json",
        "runtimebuilder.yaml",
        "runtimes/shop-api.yaml",
        "runtimes/test_shop_api.py",
    ]
    first = Path("runtimes/shop-api.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../.runtimebuilder/schema.json"
    assert json.loads(Path(".runtimebuilder/schema.json").read_text()) == json.loads(command("schema").out)
    assert command("validate", "runtimes").code == 0
    assert names(command("list", "-q", "--own")) == ["shop-api"]
    for file in (".github/workflows/runtimes.yml", ".pre-commit-config.yaml", "runtimebuilder.yaml"):
        assert isinstance(yaml.safe_load(Path(file).read_text()), dict)
    assert "${{ github.ref }}" in Path(".github/workflows/runtimes.yml").read_text()
    assert command("new", "worker", "--extends", "php-82-console").code == 0
    assert names(command("list", "-q", "--own")) == ["shop-api", "worker"]


def test_init_never_writes_over_somebodys_file(command: Command, tmp_path: Path) -> None:
    (tmp_path / "runtimebuilder.yaml").write_text("schema: 1\nbase: debian-12\n")
    ran = command("init")
    assert ran.code == 2
    assert "runtimebuilder.yaml is there already, with something else in it" in ran.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runtimebuilder.yaml"]


def test_init_writes_all_or_nothing(command: Command, tmp_path: Path) -> None:
    (tmp_path / "runtimes").write_text("a file\n")
    ran = command("init")
    assert (ran.code, ran.out) == (2, "")
    assert "runtimes is there and is no folder" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["runtimes"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["../evil", "--extends", "php-82"], "'../evil' is not a name"),
        (["php-82-fpm", "--extends", "php-82"], "the runtime 'php-82-fpm' is there already"),
        (["mine", "--extends", "php-28"], "unknown runtime 'php-28'"),
        (["mine", "--extends", "php-8*"], "is a pattern"),
    ],
)
def test_new_refuses_what_cannot_be(
    command: Command, tmp_path: Path, arguments: list[str], said: str
) -> None:
    ran = command("new", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert list(tmp_path.iterdir()) == []


# --- start ------------------------------------------------------------


def test_the_overview_loads_neither_docker_nor_pydantic_nor_jinja() -> None:
    script = (
        "import sys; sys.argv = ['runtimebuilder', '--help']\n"
        "from runtimebuilder.cli import main\n"
        "try: main.run()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "heavy = {'docker', 'pydantic', 'jinja2', 'rich', 'pytest', 'yaml'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {sorted(heavy)}' if heavy else 0)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert answer.returncode == 0, answer.stderr


def test_the_overview_starts_quickly() -> None:
    def seconds(*arguments: str) -> float:
        def once() -> float:
            started = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            return time.perf_counter() - started

        return min(once() for _ in range(5))

    # 0.12 s more than Python alone on a quiet machine; twice that here, for tests run beside others.
    assert seconds("-m", "runtimebuilder", "--help") - seconds("-c", "pass") < 0.3
