"""Whatever a spec's values are: refused at their place, or carried through exactly. Values are hypothesis's."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runtimebuilder.render.environment import TemplateSet
from runtimebuilder.render.image import render_image
from runtimebuilder.spec.bases import shipped_bases
from runtimebuilder.spec.library import examine
from runtimebuilder.spec.model import BaseSpec
from runtimebuilder.spec.resolve import Resolved

# In a Dockerfile, for a shell and in an ini file each of these means something.
SIGNS = "ab01 $`'\"\\#;:=,|&<>(){}[]*?!%@~^/-_.\t\n\r\0é€😀\u2028\x85\x7f"
ODD = st.text(alphabet=st.sampled_from(list(SIGNS)), max_size=12)
ANY = st.one_of(ODD, st.text(max_size=12))
KEYS = ("env", "labels", "ini", "handler", "run", "to", "from", "package", "layer", "name", "summary")


def spec(key: str, text: str) -> str:
    """A spec with `text` at `key`; JSON, which is YAML."""
    document: dict[str, object] = {
        "schema": 1,
        "name": "own",
        "extends": "plain",
        "base": "debian-12",
    }
    stage: dict[str, object] = {"run": ["true"], "artefacts": [{"from": "/a", "to": "/opt/a"}]}
    values: dict[str, dict[str, object]] = {
        "env": {"env": {"KEY": text}},
        "labels": {"labels": {"key": text}},
        "ini": {"ini": {"key": text}},
        "handler": {"handler": text},
        "run": {"build": {**stage, "run": [text]}},
        "to": {"files": [{"from": "ca.pem", "to": text}]},
        "from": {"build": {**stage, "artefacts": [{"from": text, "to": "/opt/a"}]}},
        "package": {"packages": {"debian-12": [text]}},
        "layer": {"layers": [{"image": text}]},
        "name": {"name": text},
        "summary": {"summary": text},
    }
    return json.dumps({**document, **values[key]}, ensure_ascii=False)


def read(folder: Path, text: str) -> tuple[Resolved | None, list[str]]:
    file = folder / "runtimes" / "own.yaml"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    examined = examine([file])
    assert all(
        (problem.line, problem.file.endswith("own.yaml")) >= (1, True) for problem in examined.problems
    )
    return (examined.resolved[0] if examined.resolved else None), [one.message for one in examined.problems]


def instructions(dockerfile: str) -> list[str]:
    """The Dockerfile's instructions by their first words, with continued lines joined."""
    found, whole = [], ""
    for line in dockerfile.split("\n"):
        if not whole and (line.startswith("#") or not line.strip()):
            continue
        whole += line.removesuffix("\\")
        if not line.endswith("\\"):
            found.append(whole.split()[0])
            whole = ""
    assert whole == "", "the last line is not continued"
    return found


@functools.cache
def templates() -> TemplateSet:
    return TemplateSet()


_plain: list[str] = []


def plain(base: BaseSpec) -> list[str]:
    """The instructions of the runtime without anything said; the same for every test."""
    if not _plain:
        (item,) = examine([Path("runtimes/plain.yaml")]).resolved
        _plain.extend(instructions(render_image(item.runtime, base, templates=templates()).dockerfile))
    return _plain


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "ca.pem").write_text("x")
    (tmp_path / "runtimes" / "plain.yaml").write_text(
        "schema: 1\nname: plain\nfamily: php\nversion: '8.2'\nvariant: function\nbase: debian-12\n"
    )
    return tmp_path


@pytest.mark.parametrize("key", KEYS)
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(text=ANY)
@example(text="$HOME \" ' \\ # `id` ${PATH}")
@example(text='"\nRUN id\n')
@example(text="a\\")
@example(text="--privileged")
@example(text="../../etc/passwd")
@example(text="/a/../../etc")
def test_a_value_is_refused_or_changes_nothing_but_its_own_place(project: Path, key: str, text: str) -> None:
    plain, _ = read(
        project, json.dumps({"schema": 1, "name": "own", "extends": "plain", "base": "debian-12"})
    )
    base = shipped_bases()["debian-12"]
    assert plain is not None
    expected = instructions(render_image(plain.runtime, base).dockerfile)
    found, problems = read(project, spec(key, text))
    if problems:
        return
    assert found is not None
    context = render_image(found.runtime, base, templates=templates())
    got = instructions(context.dockerfile)
    # What a key adds by itself, whatever its value is.
    own = {"handler": ["CMD"], "to": ["COPY"], "package": ["RUN"], "layer": ["COPY"]}
    stage = ["FROM", "RUN", "COPY"]
    added = list(got)
    for one in expected:
        added.remove(one)
    assert sorted(added) == sorted(stage if key in ("run", "from") else own.get(key, []))
    for file in context.files:
        assert not file.path.startswith("/")
        assert ".." not in file.path.split("/")
