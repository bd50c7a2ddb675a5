"""The same image from both builders and from two engines; what is not reproducible is named."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.normalise import Normalisation, Normaliser
from tests.integration.registry import Registry

Cli = Callable[..., subprocess.CompletedProcess[str]]
# Everything in which builders and engines differ: folders touched, replaced and removed, links, modes, a file that is
# written again as it was.
CHANGES = """\
#!/bin/sh
set -eu
cp -a /etc/apt /made && cd /made && echo x > apt.new && ln apt.new hard && ln -s apt.new soft && chmod 4755 apt.new
"""
SPEC = """\
schema: 1
name: {name}
family: again
version: "1.0"
variant: function
kind: provided
base: debian-12
bootstrap: bootstrap
files:
  - {{ from: changes.sh, to: /opt/etc/changes.sh }}
  - {{ from: bootstrap, to: /usr/share/base-files/motd }}
build:
  run: ["{run}"]
  artefacts:
    - {{ from: /made, to: /opt/made }}
    - {{ from: /etc/issue, to: /etc/issue }}
"""


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> Iterator[Path]:
    """Two runtimes: one whose stage makes the same each time, and one whose stage does not."""
    (tmp_path / "runtimes").mkdir()
    for name, text in (("bootstrap", "#!/bin/sh\nexit 3\n"), ("changes.sh", CHANGES)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    made = "mkdir /made; cp -a /etc/apt /made/; echo x > /made/f; ln /made/f /made/g; chmod 4755 /made/f"
    for name, run in (("again-same", made), ("again-dated", f"{made}; date +%N > /made/now")):
        (tmp_path / "runtimes" / f"{name}.yaml").write_text(SPEC.format(name=name, run=run))
    yield tmp_path
    for facts in reversed(engine.images_with_label("dev.runtimebuilder.family=again")):
        engine.remove_image(facts.id, force=True)


def config_digest(image: str, address: str | None = None) -> str:
    """SHA-256 of the image's configuration, which names its layers: what every kind of engine agrees on."""
    env = {**os.environ, **({"DOCKER_HOST": address} if address else {})}
    saved = subprocess.run(
        ["docker", "save", image], capture_output=True, check=True, env=env, timeout=60
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        manifest = archive.extractfile("manifest.json")
        assert manifest is not None
        (listed,) = json.load(manifest)
        config = archive.extractfile(listed["Config"])
        assert config is not None
        return hashlib.sha256(config.read()).hexdigest()


def files(image: str) -> dict[str, tuple[object, ...]]:
    """Everything in the image but times: mode, owner, kind, link or content, by path."""
    command = ["docker", "create", "--entrypoint=/bin/true", image]
    container = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    exported = subprocess.run(["docker", "export", container], capture_output=True, check=True).stdout
    subprocess.run(["docker", "rm", container], capture_output=True, check=True)
    found: dict[str, tuple[object, ...]] = {}
    with tarfile.open(fileobj=io.BytesIO(exported)) as archive:
        for entry in archive:
            content = archive.extractfile(entry) if entry.isfile() or entry.islnk() else None
            data = hashlib.sha256(content.read()).hexdigest() if content else entry.linkname
            kind = tarfile.REGTYPE if content else entry.type
            found[entry.name] = (entry.mode & 0o7777, entry.uid, entry.gid, kind, data)
    return found


def test_two_builders_and_two_engines_give_one_image_with_the_very_files_of_the_build(
    project: Path, cli: Cli, engine: Engine, buildx_config: Path, debian12_image: str, newer_engine: str
) -> None:
    assert debian12_image
    carried = "docker save runtimebuilder/provided:debian-12 | DOCKER_HOST=$0 docker load"
    subprocess.run(["/bin/sh", "-c", carried, newer_engine], check=True, capture_output=True)
    config = {"DOCKER_CONFIG": str(buildx_config)}
    plain = cli("build", "again-same", "--no-cache", cwd=project, env=config)
    assert plain.returncode == 0, plain.stderr
    before = files("again-same:debian-12")
    digests = []
    for builder in ("buildx", "classic"):
        for host in ({}, {"DOCKER_HOST": newer_engine}):
            env = {**config, **host, "RUNTIMEBUILDER_BUILDER": builder, "RUNTIMEBUILDER_REPRODUCIBLE": "1"}
            done = cli("build", "again-same", "--no-cache", cwd=project, env=env)
            assert done.returncode == 0, done.stderr
            digests.append(config_digest("again-same:debian-12", host.get("DOCKER_HOST")))
    assert len(set(digests)) == 1, digests
    assert files("again-same:debian-12") == before
    facts = engine.image("again-same:debian-12")
    assert facts is not None
    assert facts.id == f"sha256:{digests[0]}"
    assert facts.created.startswith("1980-01-01T00:00:00")
    assert cli("build", "again-same", "--reproducible", cwd=project, env=config).stdout.startswith(
        "1 unchanged"
    )
    dated = cli("build", "again-same", cwd=project, env={**config, "SOURCE_DATE_EPOCH": "1700000000"})
    assert dated.stdout.startswith("1 built"), dated.stderr
    later = engine.image("again-same:debian-12")
    assert later is not None
    assert later.created.startswith("2023-11-14T22:13:20")


def test_what_differs_between_two_builds_is_named(
    project: Path, cli: Cli, engine: Engine, buildx_config: Path, debian12_image: str
) -> None:
    assert debian12_image
    env = {"DOCKER_CONFIG": str(buildx_config)}
    before = {image["Id"] for image in engine.api.images(all=True)}
    done = cli("build", "again-same", "again-dated", "--check-reproducible", cwd=project, env=env)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("1 built, 0 unchanged, 1 failed in ")
    assert "error: again-dated is not reproducible: layer 2 (COPY --from=build-0 /made" in done.stderr
    assert "/opt/made/now: its content differs" in done.stderr
    assert "again-same is not" not in done.stderr
    new = {image["Id"] for image in engine.api.images(all=True)} - before
    named = [engine.image(f"{name}:debian-12") for name in ("again-same", "again-dated")]
    assert new == {facts.id for facts in named if facts}


def test_a_base_from_a_registry_stays_as_it_is_on_both_engines(
    engine: Engine, newer_engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An engine with containerd's store gives the pulled layer out compressed.
    made = {}
    (tmp_path / "file").write_text("base\n" * 1000)
    with Registry(docker.DockerClient(base_url=engine.address)) as registry:
        base = f"{registry.host}/again-base:1"
        for host in (engine.address, newer_engine):
            monkeypatch.setenv("DOCKER_HOST", host)
            monkeypatch.setenv("DOCKER_BUILDKIT", "0")
            if host == engine.address:
                docker_build(base, tmp_path, "FROM scratch\nCOPY file /base\n")
                subprocess.run(["docker", "push", "-q", base], check=True, capture_output=True)
            else:
                subprocess.run(["docker", "pull", "-q", base], check=True, capture_output=True)
            docker_build("again-above:1", tmp_path, f"FROM {base}\nCOPY file /above\n")
            one, normal = Engine.connect(), ""
            try:
                below, before = one.image(base), one.image("again-above:1")
                assert below is not None
                assert before is not None
                how = Normalisation(epoch=0, base_layers=1, steps=("COPY file /above",))
                normal = Normaliser(one, tmp_path).normalise(before.id, how)
                after = one.image(normal)
                assert after is not None
                assert after.diff_ids[:1] == below.diff_ids
                assert len(after.diff_ids) == 2
                made[host] = config_digest(normal, host)
            finally:
                for name in filter(None, (normal, "again-above:1", base)):
                    one.remove_image(name, force=True)
                one.close()
    assert len(set(made.values())) == 1, made


def docker_build(name: str, folder: Path, dockerfile: str) -> None:
    (folder / "Dockerfile").write_text(dockerfile)
    subprocess.run(["docker", "build", "-q", "-t", name, str(folder)], check=True, capture_output=True)
