"""Values that pass validation are in the built image exactly: variables, labels, ini settings, files. By hypothesis."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runtimebuilder.engine.docker import Engine
from runtimebuilder.spec.library import examine

Cli = Callable[..., subprocess.CompletedProcess[str]]
SIGNS = list("ab01 $`'\"\\#;:=,|&<>(){}[]*?!%@~^/-_.\té€😀\u2028")
TEXT = st.one_of(
    st.text(alphabet=st.sampled_from(SIGNS), max_size=14),
    st.text(alphabet=st.characters(blacklist_categories=["Cc", "Cs"]), max_size=8),
)
NAMES = st.text(
    alphabet=st.sampled_from([sign for sign in SIGNS if sign != "/"]), min_size=1, max_size=10
).filter(lambda name: name not in (".", ".."))


def numbered(prefix: str, values: list[str]) -> dict[str, str]:
    return {f"{prefix}{number}": value for number, value in enumerate(values)}


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> Iterator[Path]:
    (tmp_path / "runtimes").mkdir()
    yield tmp_path
    for tag in ("debian-12", "latest"):
        engine.remove_image(f"own-exact:{tag}", force=True)


def said(image: str, script: str) -> bytes:
    return subprocess.run(
        ["docker", "run", "--rm", "--network=none", "--entrypoint=/bin/sh", image, "-c", script],
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout


@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.generate],
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(values=st.lists(TEXT, min_size=60, max_size=60), names=st.sets(NAMES, min_size=15, max_size=15))
def test_what_passes_validation_is_what_is_built(
    cli: Cli, engine: Engine, project: Path, values: list[str], names: set[str]
) -> None:
    (project / "runtimes" / "exact.yaml").write_text(
        json.dumps(
            document := {
                "schema": 1,
                "name": "own-exact",
                "extends": "php-82",
                "base": "debian-12",
                "env": numbered("ENV_", values),
                "labels": numbered(
                    "label", [value.replace("{{", "{").replace("}}", "}") for value in values]
                ),
                "ini": numbered("own.setting", values),
                "files": [{"from": "odd", "to": "/etc/odd"}],
            },
            ensure_ascii=False,
        )
    )
    shutil.rmtree(project / "odd", ignore_errors=True)
    (project / "odd").mkdir()
    for name in names:
        (project / "odd" / name).write_text(name)
    # What cannot be written in an ini file is told at its place; all the rest has to arrive.
    problems = examine([project / "runtimes" / "exact.yaml"]).problems
    assert all("php.ini has no way" in problem.message for problem in problems)
    refused = {problem.message.split(": ")[1] for problem in problems}
    ini = {key: value for key, value in dict(document["ini"]).items() if key not in refused}  # type: ignore[call-overload]
    assert len(ini) > len(values) // 2
    document["ini"] = ini
    (project / "runtimes" / "exact.yaml").write_text(json.dumps(document, ensure_ascii=False))
    done = cli("build", "own-exact", cwd=project)
    assert done.returncode == 0, done.stderr

    facts = engine.image("own-exact:debian-12")
    assert facts is not None
    assert {key: facts.env[key] for key in document["env"]} == document["env"]  # type: ignore[attr-defined]
    assert {key: facts.labels[key] for key in document["labels"]} == document["labels"]  # type: ignore[attr-defined]
    one = '[ ! -e "$file" ] || { printf %s "$file" | base64 -w0; echo; }'
    found = said("own-exact:debian-12", f"cd /etc/odd && for file in * .[!.]* ..?*; do {one}; done")
    listed = {base64.b64decode(line).decode() for line in found.splitlines()}
    assert listed == names
    code = 'foreach (array_slice($argv, 1) as $key) echo base64_encode((string) get_cfg_var($key)), "\\n";'
    read = said("own-exact:debian-12", f"php8.2 -r '{code}' -- {' '.join(ini)}").decode().split("\n")[:-1]
    assert dict(zip(ini, (base64.b64decode(line).decode() for line in read), strict=True)) == ini
