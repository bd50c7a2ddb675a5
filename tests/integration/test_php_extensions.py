"""What no package has: compiled from an archive with a known checksum, and loaded in a real function."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.engine.docker import Engine
from runtimebuilder.testing import LambdaContainer

Project = Callable[..., Path]
Cli = Callable[..., subprocess.CompletedProcess[str]]

# As PECL has them: package.xml beside the folder with the sources.
SOURCES = {
    "package.xml": "<package/>\n",
    "answer-1.0/config.m4": """\
PHP_ARG_WITH([question],[],[AS_HELP_STRING([--with-question=TEXT],[what was asked])])
AC_DEFINE_UNQUOTED([THE_QUESTION], ["$PHP_QUESTION"], [what was asked])
PHP_NEW_EXTENSION(answer, answer.c, $ext_shared)
""",
    "answer-1.0/answer.c": """\
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "php.h"

ZEND_BEGIN_ARG_INFO(nothing, 0)
ZEND_END_ARG_INFO()

PHP_FUNCTION(answer)
{
    ZEND_PARSE_PARAMETERS_NONE();
    RETURN_STRING(THE_QUESTION ": 42");
}

static const zend_function_entry functions[] = { PHP_FE(answer, nothing) PHP_FE_END };

zend_module_entry answer_module_entry = {
    STANDARD_MODULE_HEADER, "answer", functions, NULL, NULL, NULL, NULL, NULL, "1.0", STANDARD_MODULE_PROPERTIES
};

#ifdef COMPILE_DL_ANSWER
ZEND_GET_MODULE(answer)
#endif
""",
}

SOURCE_SPEC = """\
schema: 1
name: answering
family: php
version: "8.4"
variant: console
base: debian-12
source: {{version: "8.4.2", sha256: {checksum}, url: "{url}"}}
extensions: []
"""

SPEC = """\
schema: 1
name: answering
family: php
version: "8.2"
variant: function
base: debian-12
extensions: [answer, curl, opcache]
builds:
  answer:
    version: "1.0"
    sha256: {checksum}
    url: {url}
    configure: ["--with-question=six  by nine"]
"""


def _packed(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            entry.mode = 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


# A variable that nothing defines: a function would be missed only when it is called.
UNLOADABLE = SOURCES["answer-1.0/answer.c"].replace(
    "RETURN_STRING(", "extern int gone; if (gone) RETURN_STRING("
)
ARCHIVES = {
    "answer-1.0.tgz": _packed(SOURCES),
    "wrong.tgz": _packed({**SOURCES, "answer-1.0/answer.c": "#error on purpose\n"}),
    "unloadable.tgz": _packed({**SOURCES, "answer-1.0/answer.c": UNLOADABLE}),
    "empty.tgz": _packed({"answer-1.0/README": "nothing"}),
    "other-release.tgz": _packed(
        {"php/configure": "#!/bin/sh\n", "php/main/php_version.h": '#define PHP_VERSION "8.4.1"\n'}
    ),
    "no-release.tgz": _packed({"php/README": "nothing"}),
}


def _checksum(archive: str) -> str:
    return hashlib.sha256(ARCHIVES[archive]).hexdigest()


@pytest.fixture(scope="module")
def address(built: Callable[..., BuiltImage]) -> Iterator[str]:
    """Where build containers find the archives: a web server in a container beside them."""
    client = docker.from_env()
    serving = client.containers.create(
        built("php-82", base="debian-12").image_id,
        entrypoint=["/usr/bin/php8.2", "-S", "0.0.0.0:8000", "-t", "/srv"],
        labels={"dev.runtimebuilder.ephemeral": "archives"},
    )
    try:
        serving.put_archive("/srv", _tar(ARCHIVES))
        serving.start()
        serving.reload()
        yield f"http://{serving.attrs['NetworkSettings']['IPAddress']}:8000"
    finally:
        serving.remove(force=True)
        client.close()


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@pytest.fixture
def project(tmp_path: Path, engine: Engine) -> Iterator[Project]:
    """A project with the spec of one runtime."""

    def make(url: str, checksum: str, spec: str = SPEC) -> Path:
        (tmp_path / "runtimes").mkdir(exist_ok=True)
        (tmp_path / "runtimes" / "answering.yaml").write_text(
            spec.format(url=url, checksum=checksum), encoding="utf-8"
        )
        return tmp_path

    yield make
    client = docker.from_env()
    if engine.image("answering:debian-12") is not None:
        client.images.remove("answering:debian-12", force=True)
    client.close()


def test_a_function_has_the_extension_and_the_image_nothing_else_of_it(
    cli: Cli, address: str, project: Project, tmp_path: Path
) -> None:
    # Slim: the compiled file goes into an image of single files.
    spec = f"{SPEC}slim: true\n"
    folder = project(f"{address}/answer-1.0.tgz", _checksum("answer-1.0.tgz"), spec)
    done = cli("build", "answering", "--builder", "classic", cwd=folder)
    assert done.returncode == 0, done.stderr
    code = tmp_path / "code"
    code.mkdir()
    (code / "index.php").write_text(
        """<?php
return static fn () => [
    answer(),
    array_filter(['/build', '/built', '/slim', '/usr/bin/gcc', '/usr/bin/phpize8.2'], 'file_exists'),
];
"""
    )
    with LambdaContainer("answering:debian-12", handler="index.php", code=code, timeout=20) as container:
        answer, left = container.invoke({}).json()
    assert answer == "six  by nine: 42"
    assert left == []


@pytest.mark.parametrize(
    ("archive", "told"),
    [
        ("gone.tgz", "/gone.tgz cannot be fetched"),
        ("wrong.tgz", "#error on purpose"),
        ("empty.tgz", "answer: the archive has no config.m4: it is no extension of PHP"),
        ("unloadable.tgz", "PHP does not start cleanly: "),
    ],
)
def test_what_cannot_be_compiled_or_loaded_fails_the_build(
    engine: Engine, cli: Cli, address: str, project: Project, archive: str, told: str
) -> None:
    checksum = _checksum(archive) if archive in ARCHIVES else "0" * 64
    done = cli("build", "answering", "--builder", "classic", cwd=project(f"{address}/{archive}", checksum))
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert engine.image("answering:debian-12") is None


def test_an_archive_with_another_checksum_is_not_unpacked(cli: Cli, address: str, project: Project) -> None:
    folder = project(f"{address}/answer-1.0.tgz", "0" * 64)
    done = cli("build", "answering", "--builder", "classic", cwd=folder)
    assert done.returncode == 1
    found = _checksum("answer-1.0.tgz")
    told = f"answer: the archive is another one: its checksum is {found}, the spec says {'0' * 64}"
    assert told in done.stderr


@pytest.mark.parametrize(
    ("archive", "checksum", "told"),
    [
        ("gone.tgz", "0" * 64, "/gone.tgz cannot be fetched"),
        ("no-release.tgz", "0" * 64, "PHP 8.4.2: the archive is another one: its checksum is "),
        ("no-release.tgz", "", "PHP 8.4.2: the archive has no configure: it is no release of PHP"),
        ("other-release.tgz", "", "PHP 8.4.2: the archive is another release, 8.4.1"),
    ],
)
def test_an_archive_that_is_not_the_release_is_not_compiled(
    engine: Engine, cli: Cli, address: str, project: Project, archive: str, checksum: str, told: str
) -> None:
    folder = project(f"{address}/{archive}", checksum or _checksum(archive), SOURCE_SPEC)
    done = cli("build", "answering", "--builder", "classic", cwd=folder)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert engine.image("answering:debian-12") is None
