"""Files, layers, stages, secrets, bootstrap and handler of a spec: taken as they are, or refused at their place."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.errors import SpecError
from runtimebuilder.render.context import BuildContext
from runtimebuilder.render.image import render_image
from runtimebuilder.spec.bases import shipped_bases
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.library import examine, spec_files
from runtimebuilder.spec.zipped_layer import layer_files

Write = Callable[..., Path]
TOOL = """\
schema: 1
name: tool
family: go
version: "1.0"
variant: function
kind: provided
base: debian-12
bootstrap: bin/tool
"""


@pytest.fixture
def project(write: Write) -> Path:
    """A project with some files; the working directory."""
    write()
    root = Path.cwd()
    for name, text in (
        ("bin/tool", "#!"),
        ("conf/-a b$.ini", "x"),
        ("conf/deep/[c]*.txt", "y"),
        ("ca.pem", "z"),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "bin/tool").chmod(0o744)
    return root


def spec(project: Path, text: str) -> Path:
    file = project / "runtimes" / "tool.yaml"
    file.write_text(text)
    return file


def mistakes(project: Path, text: str) -> list[tuple[str, str]]:
    spec(project, text)
    return [(f"{p.line}:{p.column}", p.message) for p in examine(spec_files([project / "runtimes"])).problems]


def context(project: Path, text: str) -> BuildContext:
    spec(project, text)
    runtime = Catalog.load([project / "runtimes"]).runtimes["tool"]
    return render_image(runtime, shipped_bases()[runtime.base])


def placed(built: BuildContext) -> dict[str, tuple[str, bytes]]:
    return {file.path: (f"{file.mode:o}", file.data) for file in built.files if file.path != "Dockerfile"}


def test_files_go_where_they_shall_under_any_name(project: Path) -> None:
    built = context(
        project,
        TOOL
        + "files:\n  - { from: conf, to: /etc/tool }\n  - { from: ca.pem, to: /etc/certs/, mode: '0640' }\n"
        + "  - { from: ./ca.pem, to: '/etc/with space/-x $HOME' }\n",
    )
    assert placed(built) == {
        "files/etc/certs/ca.pem": ("640", b"z"),
        "files/etc/tool/-a b$.ini": ("644", b"x"),
        "files/etc/tool/deep/[c]*.txt": ("644", b"y"),
        "files/etc/with space/-x $HOME": ("644", b"z"),
        "files/var/runtime/bootstrap": ("755", b"#!"),
    }
    assert "COPY files/ /" in built.dockerfile
    assert "$HOME" not in built.dockerfile


def test_a_later_entry_wins_and_an_heir_changes_single_files(project: Path) -> None:
    spec(project, TOOL + "files:\n  - { from: ca.pem, to: /etc/a }\n  - { from: conf, to: /etc/b }\n")
    (project / "runtimes" / "heir.yaml").write_text(
        "schema: 1\nname: heir\nextends: tool\nfiles:\n  - { from: bin/tool, to: /etc/a, mode: '0600' }\n"
    )
    runtime = Catalog.load([project / "runtimes"]).runtimes["heir"]
    found = placed(render_image(runtime, shipped_bases()["debian-12"]))
    assert found["files/etc/a"] == ("600", b"#!")
    assert "files/etc/b/-a b$.ini" in found


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("files: [{ from: gone, to: /a }]", "9:17", "'gone' is not there; looked in {root}"),
        ("files: [{ from: ../x, to: /a }]", "9:17", "files: from: '../x' is not a path in the project"),
        (
            "files: [{ from: /etc/passwd, to: /a }]",
            "9:17",
            "files: from: '/etc/passwd' is not a path in the project",
        ),
        ("files: [{ from: ca.pem, to: a }]", "9:29", "files: to: 'a' is not an absolute path"),
        (
            "files: [{ from: ca.pem, to: /a/../b }]",
            "9:29",
            "files: to: '/a/../b' is not an absolute path without ..",
        ),
        ("files: [{ from: ca.pem, to: / }]", "9:29", "files: to: '/' is not a place for a file"),
        (
            "files: [{ from: ca.pem, to: /lib/a }]",
            "9:29",
            "files: to: /lib is a link in every base; write /usr/lib/a",
        ),
        (
            "files: [{ from: ca.pem, to: /var/run/a }]",
            "9:29",
            "files: to: /var/run is a link in every base; write /run/a",
        ),
        ("files: [{ from: ca.pem, to: /a, mode: 644 }]", "9:39", "files: mode: '644' is not a mode"),
        ("files: [{ from: ca.pem, to: /a, mode: '4755' }]", "9:39", "files: mode: '4755' is not a mode"),
        ("files: [{ from: out, to: /a }]", "9:17", "'out' is a link out of the project"),
        ("files: [{ from: inside, to: /a }]", "9:17", "'inside/out' is a link out of the project"),
        ("files: [{ from: nothing, to: /a }]", "9:17", "'nothing' is not there"),
        ("files: [{ from: round, to: /a }]", "9:17", "'self' is a link to a folder that holds it"),
        ("files: [{ from: pipe, to: /a }]", "9:17", "'pipe' is neither a file nor a folder"),
        ("layers: [{ zip: a.zip, image: b }]", "9:10", "layers: a layer is either zip: FILE or image: NAME"),
        ("layers: [{ zip: ca.pem }]", "9:17", "'ca.pem' is not a zip file"),
        ("layers: [{ zip: conf }]", "9:17", "'conf' is a folder, a file is wanted here"),
        ("layers: [{ image: '--x' }]", "9:19", "layers: image: '--x' is not the name of an image"),
        ("handler: a b", "9:10", "handler: a handler is a text without spaces"),
        ("secrets: [a-b]", "9:11", "secrets: 'a-b' is not the name of a secret"),
        ("build: { run: [make] }", "9:1", "build: the key 'artefacts' is missing"),
        (
            "build: { artefacts: [{ from: /a b, to: /c }] }",
            "9:30",
            "build: artefacts: from: '/a b' has more than",
        ),
        (
            "build: { artefacts: [{ from: /a, to: /c }], files: [{ from: gone, to: /a }] }",
            "9:61",
            "'gone' is not",
        ),
        (
            "build: { packages: { al2023: [a] }, artefacts: [{ from: /a, to: /c }] }",
            "9:10",
            "build: packages says",
        ),
        ("extensions: [curl]", "9:14", "extensions is for PHP, and this runtime is of the kind 'provided'"),
        ("ini: { a: b }", "9:8", "ini is for PHP, and this runtime is of the kind 'provided'"),
        ("verify: { memory: 1 }", "9:19", "verify: memory: at least 128 is wanted here"),
        ("tags: ['{{ php }}']", "9:8", "tags: unknown placeholder 'php'"),
        ("tags: ['a b']", "9:8", "tags: 'a b' gives 'a b', which cannot be a tag"),
        (
            "tags: ['{{ version }}/{{ date }}']",
            "9:8",
            "tags: '{{{{ version }}}}/{{{{ date }}}}' gives '1.0/20261127', which",
        ),
        ("tags: [a, a]", "9:11", "tags: 'a' stands here twice"),
        ("limits: { size: 250 }", "9:17", "limits: size: '250' is not a size; write it as 250 MB"),
        ("limits: { size: 0 MB }", "9:17", "limits: size: '0 MB' is not a size; write it as 250 MB"),
        ("verify: { timeout: 901 }", "9:20", "verify: timeout: at most 900 is wanted here"),
        ("verify: { known-failing: gone }", "9:26", "'gone' is not there"),
    ],
)
def test_what_cannot_be_meant_is_told_at_its_place(
    project: Path, text: str, place: str, message: str
) -> None:
    (project / "out").symlink_to("/etc/passwd")
    (project / "inside").mkdir()
    (project / "inside" / "out").symlink_to("../../..")
    (project / "nothing").symlink_to("nowhere")
    (project / "round").mkdir()
    (project / "round" / "self").symlink_to(".")
    os.mkfifo(project / "pipe")
    ((where, told),) = mistakes(project, TOOL + text + "\n")
    assert (where, told[: len(message.format(root=project))]) == (place, message.format(root=project))


def test_a_link_within_the_project_is_followed(project: Path) -> None:
    (project / "linked").symlink_to("conf/deep")
    built = context(project, TOOL + "files: [{ from: linked, to: /etc/x }]\n")
    assert placed(built)["files/etc/x/[c]*.txt"] == ("644", b"y")


def test_a_file_cannot_lie_in_a_file(project: Path) -> None:
    with pytest.raises(SpecError, match="/etc/a is to be a file, and /etc/a/b lies in it"):
        context(project, TOOL + "files: [{ from: ca.pem, to: /etc/a }, { from: ca.pem, to: /etc/a/b }]\n")


def test_a_runtime_without_php_needs_a_bootstrap(project: Path) -> None:
    ((place, message),) = mistakes(project, TOOL.replace("bootstrap: bin/tool\n", ""))
    assert (place, message[:63]) == ("6:7", "a runtime of the kind 'provided' brings its own bootstrap: boot")
    for other in (
        "files: [{ from: bin/tool, to: /var/runtime/bootstrap }]",
        "build: { run: [make], artefacts: [{ from: /x, to: /var/runtime/bootstrap }] }",
    ):
        assert mistakes(project, TOOL.replace("bootstrap: bin/tool", other)) == []
    assert mistakes(project, "schema: 1\nname: tool\nextends: php-82\nbootstrap: bin/tool\n") == [
        ("4:12", "a PHP runtime has its own bootstrap; leave it out, or say kind: provided")
    ]


def test_a_stage_gets_its_files_and_its_steps_as_they_stand(project: Path) -> None:
    built = context(
        project,
        TOOL
        + "secrets: [token]\nhandler: main\n"
        + "build:\n  packages: { debian-12: [gcc] }\n  files: [{ from: conf, to: /src }]\n"
        + '  run: ["echo \\"a\\" \'$b\' \\\\\\nc <<EOF"]\n'
        + "  artefacts: [{ from: /src/out, to: /opt/out }]\n",
    )
    lines = built.dockerfile.splitlines()
    assert "FROM runtimebuilder/provided:debian-12 AS build-0" in lines
    assert "      gcc \\" in lines
    assert "COPY stages/0/ /" in lines
    assert (
        'RUN --mount=type=secret,id=token,required=true ["/bin/sh", "-euc", "echo \\"a\\" \'$b\' \\\\\\nc <<EOF"]'
        in lines
    )
    assert "COPY --from=build-0 /src/out /opt/out" in lines
    assert 'CMD ["main"]' in lines
    assert placed(built)["stages/0/src/-a b$.ini"] == ("644", b"x")


# --- layers -----------------------------------------------------------


def zipped(project: Path, *entries: tuple[str, bytes, int]) -> Path:
    """A zip file with entries (name, content, mode with its kind)."""
    file = project / "layer.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name, data, mode in entries:
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = mode << 16
            archive.writestr(info, data)
    return file


LINK = stat.S_IFLNK | 0o777
FILE = stat.S_IFREG | 0o600


def test_a_layer_goes_into_opt_with_its_links(project: Path) -> None:
    zipped(
        project,
        ("lib/a.so.1", b"x", FILE),
        ("lib/a.so", b"a.so.1", LINK),
        ("bin/run", b"#!", stat.S_IFREG | 0o700),
    )
    built = context(project, TOOL + "layers: [{ zip: layer.zip }, { image: 'example.com/l:1' }]\n")
    found = {file.path: file for file in built.files}
    assert (found["layers/0/lib/a.so.1"].mode, found["layers/0/bin/run"].mode) == (0o644, 0o755)
    assert (found["layers/0/lib/a.so"].is_link, found["layers/0/lib/a.so"].data) == (True, b"a.so.1")
    lines = [line for line in built.dockerfile.splitlines() if "/opt/" in line]
    assert lines == ["COPY layers/0/ /opt/", "COPY --from=example.com/l:1 /opt/ /opt/"]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([("/etc/passwd", b"", FILE)], "holds '/etc/passwd', which is no plain path below /opt"),
        ([("a/../../etc/x", b"", FILE)], "holds 'a/../../etc/x', which is no plain path below /opt"),
        ([("a\\b", b"", FILE)], "which is no plain path below /opt"),
        ([("a\nb", b"", FILE)], "which is no plain path below /opt"),
        ([("a", b"../etc", LINK)], "holds a link out of /opt: 'a' → '../etc'"),
        ([("a", b"/etc", LINK)], "holds a link out of /opt: 'a' → '/etc'"),
        ([("d", b"lib", LINK), ("d/x", b"", FILE)], "holds 'd/x' behind the link 'd'"),
        ([("d", b"x", FILE), ("./d", b"", FILE)], "holds './d' twice"),
        ([("l", b"x" * 5000, LINK)], "holds a link of 5000 bytes: 'l'"),
    ],
)
def test_a_layer_that_leads_out_is_refused(
    project: Path, entries: list[tuple[str, bytes, int]], message: str
) -> None:
    zipped(project, *entries)
    ((place, told),) = mistakes(project, TOOL + "layers: [{ zip: layer.zip }]\n")
    assert place == "9:17"
    assert told.startswith("'layer.zip' ")
    assert message in told


def test_a_layer_that_grows_beyond_lambdas_limit_is_refused_unread(project: Path) -> None:
    file = project / "layer.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"zeros-{number}", bytes(100_000_000))
    assert file.stat().st_size < 1_000_000
    assert mistakes(project, TOOL + "layers: [{ zip: layer.zip }]\n") == [
        ("9:17", "'layer.zip' is larger than 250 MB when unpacked, which Lambda refuses")
    ]


def test_a_damaged_layer_is_no_traceback(project: Path) -> None:
    file = zipped(project, ("a", b"content" * 100, FILE))
    data = bytearray(file.read_bytes())
    data[60] ^= 0xFF
    file.write_bytes(bytes(data))
    with pytest.raises(SpecError, match=r"'layer\.zip' is damaged: Bad CRC-32"):
        context(project, TOOL + "layers: [{ zip: layer.zip }]\n")


def test_five_layers_and_not_one_more(project: Path) -> None:
    zipped(project, ("a", b"", FILE))
    layers = ", ".join(["{ zip: layer.zip }"] * 6)
    assert mistakes(project, TOOL + f"layers: [{layers}]\n") == [
        ("9:110", "layers: Lambda knows 5 layers at most")
    ]
    spec(project, TOOL + "layers: [{ zip: layer.zip }, { zip: layer.zip }, { zip: layer.zip }]\n")
    (project / "runtimes" / "heir.yaml").write_text(
        "schema: 1\nname: heir\nextends: tool\nlayers: [{ zip: layer.zip }, { zip: layer.zip }, { zip: layer.zip }]\n"
    )
    (problem,) = examine(spec_files([project / "runtimes"])).problems
    assert (problem.line, problem.message) == (
        4,
        "with those of what is extended, this is layer 6; Lambda knows 5",
    )


def test_an_empty_layer_copies_nothing(project: Path) -> None:
    file = zipped(project)
    assert layer_files(file) == ()
    assert "/opt/" not in context(project, TOOL + "layers: [{ zip: layer.zip }]\n").dockerfile
