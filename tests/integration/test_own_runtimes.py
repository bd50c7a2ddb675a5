"""A project's own runtimes, really built: a runtime without PHP, every kind of content, texts that try to break out."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtimebuilder.engine.docker import Engine

Cli = Callable[..., subprocess.CompletedProcess[str]]
ECHO = """\
#!/usr/bin/perl
# Answers each event with itself and the handler's name. Perl, for the base has it.
use strict; use warnings; use IO::Socket::INET;
my $api = $ENV{AWS_LAMBDA_RUNTIME_API};
sub ask {
    my ($head, $body) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $api) or die "no API: $!";
    my $fields = join("\\r\\n", "Host: $api", "Connection: close", "Content-Length: " . length($body));
    print $socket "$head HTTP/1.1\\r\\n$fields\\r\\n\\r\\n$body";
    local $/;
    return <$socket>;
}
while (1) {
    my ($head, $event) = split /\\r\\n\\r\\n/, ask("GET /2018-06-01/runtime/invocation/next", ""), 2;
    my ($id) = $head =~ /^Lambda-Runtime-Aws-Request-Id: *(\\S+)/mi;
    my $answer = qq({"handler": "$ENV{_HANDLER}", "event": $event});
    ask("POST /2018-06-01/runtime/invocation/$id/response", $answer);
}
"""
ODD = 'it\'s "odd" $HOME `id` \\ #x ${PATH} %d é'
STEP = "printf '%s' 'it'\\''s \"odd\" $HOME `id` \\ #x' > /src/out"
SPEC = f"""\
schema: 1
name: own-echo
family: perl
version: "5.36"
variant: function
kind: provided
base: debian-12
bootstrap: bin/bootstrap
handler: {json.dumps("a$HOME[0].main")}
env: {{ ODD: {json.dumps(ODD)} }}
labels: {{ odd: {json.dumps(ODD)} }}
files:
  - {{ from: conf, to: /etc/own }}
  - {{ from: secret.txt, to: {json.dumps("/etc/own/-a 'b' $HOME [c] *")}, mode: "0640" }}
layers: [{{ zip: layer.zip }}]
build:
  files: [{{ from: conf, to: /src }}]
  run:
    - {json.dumps(STEP)}
    - |
      cat <<END > /src/more
      $(cat /src/a.ini) <<NOT
      END
  artefacts:
    - {{ from: /src/out, to: /opt/out }}
    - {{ from: /src/more, to: /opt/more }}
"""


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> Iterator[Path]:
    """A project with one runtime of everything; its image is removed."""
    texts = {
        "bin/bootstrap": ECHO,
        "conf/a.ini": "a=1\n",
        "secret.txt": "s\n",
        "runtimes/own-echo.yaml": SPEC,
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with zipfile.ZipFile(tmp_path / "layer.zip", "w") as archive:
        archive.writestr("lib/x.so.1", "x")
        link = zipfile.ZipInfo("lib/x.so")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "x.so.1")
    yield tmp_path
    for tag in ("debian-12", "latest"):
        engine.remove_image(f"own-echo:{tag}", force=True)


def inside(script: str) -> str:
    done = subprocess.run(
        [
            "docker",
            "run",
            "--rm",
            "--network=none",
            "--entrypoint=/bin/sh",
            "own-echo:debian-12",
            "-ec",
            script,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("debian12_image")
@pytest.mark.parametrize("builder", ["classic", "buildx"])
def test_everything_arrives_as_it_was_said(
    cli: Cli, engine: Engine, project: Path, builder: str, buildx_config: Path
) -> None:
    env = {"DOCKER_CONFIG": str(buildx_config)} if builder == "buildx" else None
    done = cli("build", "own-echo", "--builder", builder, cwd=project, env=env)
    assert done.returncode == 0, done.stderr
    facts = engine.image("own-echo:debian-12")
    assert facts is not None
    assert facts.env["ODD"] == ODD
    assert facts.labels["odd"] == ODD
    assert facts.cmd == ("a$HOME[0].main",)
    listed = inside(
        "stat -c '%a %u %n' /etc/own/* /var/runtime/bootstrap; readlink /opt/lib/x.so; cat /opt/lib/x.so"
    )
    assert listed.splitlines() == [
        "640 0 /etc/own/-a 'b' $HOME [c] *",
        "644 0 /etc/own/a.ini",
        "755 0 /var/runtime/bootstrap",
        "x.so.1",
        "x",
    ]
    assert inside("cat /opt/out") == 'it\'s "odd" $HOME `id` \\ #x'
    assert inside("cat /opt/more") == "a=1 <<NOT\n"
    done = cli("invoke", "own-echo", "--event", '{"a": 1}', cwd=project)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"handler": "a$HOME[0].main", "event": {"a": 1}}


@pytest.mark.usefixtures("debian12_image")
def test_a_secret_reaches_its_step_and_neither_image_nor_log(
    cli: Cli, project: Path, buildx_config: Path
) -> None:
    given = ["--secret", "id=token,env=T"]
    value = f"hidden-value-{os.getpid():09}"
    spec = project / "runtimes" / "own-echo.yaml"
    spec.write_text(
        "schema: 1\nname: own-echo\nfamily: bash\nversion: '5.2'\nvariant: function\nkind: provided\nbase: debian-12\n"
        "bootstrap: bin/bootstrap\nsecrets: [token]\n"
        # A step of its own for each run: BuildKit does not run one again when only the secret is another.
        f"build:\n  run: [': {value[-9:]}; wc -c < /run/secrets/token > /out']\n"
        "  artefacts: [{ from: /out, to: /opt/out }]\n"
    )
    without = cli("build", "own-echo", cwd=project)
    assert without.returncode == 2
    assert "own-echo needs the secret 'token'" in without.stderr
    classic = cli(
        "build",
        "own-echo",
        "--builder",
        "classic",
        "--secret",
        "id=token,env=T",
        cwd=project,
        env={"T": value},
    )
    assert classic.returncode == 4
    assert "which the classic builder does not know" in classic.stderr
    env = {"DOCKER_CONFIG": str(buildx_config), "T": value}
    done = cli("build", "own-echo", "-v", "--builder", "buildx", *given, cwd=project, env=env)
    assert done.returncode == 0, done.stderr
    assert int(inside("cat /opt/out")) == len(value)
    history = subprocess.run(
        ["docker", "history", "--no-trunc", "own-echo:debian-12"], capture_output=True, text=True, check=True
    )
    saved = subprocess.run(["docker", "save", "own-echo:debian-12"], capture_output=True, check=True)
    assert value not in done.stdout + done.stderr + history.stdout
    assert value.encode() not in saved.stdout


@pytest.mark.usefixtures("debian12_image")
def test_an_image_over_its_limit_gets_no_name(cli: Cli, engine: Engine, project: Path) -> None:
    spec = project / "runtimes" / "own-echo.yaml"
    spec.write_text(
        "schema: 1\nname: own-echo\nfamily: bash\nversion: '5.2'\nvariant: function\nkind: provided\nbase: debian-12\n"
        "bootstrap: bin/bootstrap\nlimits: { size: 1 MB }\n"
    )
    done = cli("build", "own-echo", cwd=project)
    assert done.returncode == 1
    assert "and its limit is 1.0 MB" in done.stderr
    assert engine.image("own-echo:debian-12") is None
    spec.write_text(spec.read_text().replace("1 MB", "1 GB"))
    assert cli("build", "own-echo", cwd=project).returncode == 0
    ran = cli("plan", "own-echo", "--against", "own-echo:debian-12", "--json", cwd=project)
    assert json.loads(ran.stdout)["runtimes"][0]["what"] == "unchanged"
    (project / "bin" / "bootstrap").write_text("#!/bin/bash\n")
    ran = cli("plan", "own-echo", "--against", "own-echo:debian-12", "--json", cwd=project)
    assert json.loads(ran.stdout)["runtimes"][0] == {
        "runtime": "own-echo",
        "base": "debian-12",
        "what": "changed",
        "why": ["template or file changed"],
    }


@pytest.mark.usefixtures("debian12_image")
def test_a_new_project_builds_and_conforms_at_once(cli: Cli, engine: Engine, tmp_path: Path) -> None:
    assert cli("init", "shop", "--name", "own-shop", "--extends", "php-82", cwd=tmp_path).returncode == 0
    spec = tmp_path / "shop" / "runtimes" / "own-shop.yaml"
    spec.write_text(
        spec.read_text() + 'tags: ["{{ php }}-{{ base }}", "{{ git_sha }}", "{{ variant }}.{{ date }}"]\n'
    )
    commit = [
        "git",
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.com",
        "commit",
        "-q",
        "-m",
        "x",
        "--allow-empty",
    ]
    for command in (["git", "init", "-q"], commit):
        subprocess.run(command, check=True, cwd=tmp_path / "shop")
    done = cli("build", "own-shop", "--base", "debian-12", "--json", cwd=tmp_path / "shop")
    assert done.returncode == 0, done.stderr
    (image,) = json.loads(done.stdout)["images"]
    assert all(engine.image(tag) is not None for tag in image["tags"])
    shapes = (r"debian-12", r"8\.2\.\d+-debian-12", r"[0-9a-f]{12}-dirty", r"function\.\d{8}")
    for tag, shape in zip(image["tags"], shapes, strict=True):
        assert re.fullmatch(f"own-shop:{shape}", tag), image["tags"]
    try:
        done = cli(
            "verify",
            "own-*",
            "--base",
            "debian-12",
            "--case",
            "test_*",
            "--case",
            "RT-001",
            cwd=tmp_path / "shop",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "all 2 passed" in done.stdout
    finally:
        for tag in image["tags"]:
            engine.remove_image(tag)
