"""`runtimebuilder serve`: a web application on php-82-fpm in a real browser, and what HTTP clients get."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.engine.containers import containers_with_label
from runtimebuilder.engine.docker import Engine
from runtimebuilder.sandbox.run import LABEL
from tests.browser.chromium import browser

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = ROOT / "docs" / "examples" / "php-notes"
COMMAND = Path(sys.executable).parent / "runtimebuilder"


@contextlib.contextmanager
def served(image: str, code: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The command in a process of its own; ended as a person ends it."""
    process = subprocess.Popen(
        [COMMAND, "serve", image, "--code", str(code), "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), process.communicate(timeout=60)
        yield url, process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
        process.stdout.close()
        if process.stderr is not None:
            process.stderr.close()


def ask(
    url: str, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    with contextlib.closing(connection):
        connection.request(
            method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def picture(width: int, height: int) -> bytes:
    """A blue PNG."""

    def part(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    head = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\x00\x00\x00"
    rows = (b"\x00" + b"\x20\x60\xc0" * width) * height
    begin = b"\x89PNG\r\n\x1a\n"
    return begin + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


@pytest.fixture
def fpm(built: Callable[..., BuiltImage]) -> str:
    return built("php-82-fpm", base="debian-12").image_id


def test_an_application_in_a_browser(fpm: str, tmp_path: Path) -> None:
    upload = tmp_path / "blue.png"
    upload.write_bytes(picture(320, 120))
    with served(fpm, APPLICATION, "--env", "RUNTIMEBUILDER_STATIC=public") as (url, _), browser() as page:
        page.go(f"{url}/", width=1280)
        assert page.run("document.querySelector('.empty').textContent") == "Nothing noted yet."
        # A form with a file, a redirect, and the session that keeps it.
        page.run("document.querySelector('textarea').value = 'Grüße <b>\\nzwei'")
        page.choose_file("input[type=file]", upload)
        page.follow("document.querySelector('button').click()")
        assert page.run("location.pathname") == "/"
        assert page.run("document.querySelector('li p').innerText") == "Grüße <b>\nzwei"
        assert page.run("document.querySelector('li img').naturalWidth") == 320
        # The binary download, byte for byte.
        size = "fetch('/pictures/0').then(a => a.arrayBuffer()).then(b => b.byteLength)"
        assert page.run(size) == upload.stat().st_size
        # A cookie that a script may read, and what it changes.
        page.follow("document.getElementById('theme').click()")
        assert page.run("document.cookie") == "theme=dark"
        assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(28, 28, 30)"
        assert page.run("document.querySelectorAll('li').length") == 1
        assert page.run("fetch('/nope').then(a => a.status)") == 404
        assert [line for line in page.complaints if "404" not in line] == []
        folder = os.environ.get("RUNTIMEBUILDER_SCREENSHOTS")
        for width in (360, 1280) if folder else ():
            page.go(f"{url}/", width=width)
            page.screenshot(Path(str(folder)) / f"notes-{width}.png")


def test_what_a_client_gets(fpm: str, tmp_path: Path, engine: Engine) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "index.php").write_text(
        "<?php\n"
        "if (isset($_GET['die'])) { posix_kill(getmypid(), 9); }\n"
        "header('X-Tag: é'); setcookie('a', '1'); setcookie('b', '2');\n"
        "echo json_encode([$_SERVER['REQUEST_METHOD'], $_SERVER['HTTP_HOST'], $_SERVER['REMOTE_ADDR'],"
        " $_SERVER['SERVER_PORT'], $_COOKIE, strlen(file_get_contents('php://input'))]);\n"
    )
    with served(fpm, tmp_path) as (url, process):
        port = url.rpartition(":")[2]
        _, headers, body = ask(url, "POST", "/?x=1", b"\xff" * 1000, Cookie="c=3; d=4")
        text = body.decode()
        assert text == f'["POST","127.0.0.1:{port}","127.0.0.1","{port}",{{"c":"3","d":"4"}},1000]'
        assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        assert headers["X-Tag"] == "Ã©"  # UTF-8, read as the standard library reads headers
        assert ask(url, "HEAD", "/")[2] == b""
        status, _, body = ask(url, "GET", "/?die")
        assert (status, body) == (502, b'{"message":"Internal Server Error"}')
        assert ask(url, "GET", "/")[0] == 200
        assert ask(url, "POST", "/", Content_Length="7000000")[0] == 413
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "200 POST /?x=1" in log
    assert "the PHP-FPM worker ended in the middle of the request" in log
    assert log.endswith("ended\n")
    left = [
        one
        for one, _ in containers_with_label(engine, LABEL)
        if str(process.pid) in str(one.inspect()["Config"]["Labels"])
    ]
    assert left == []


def test_a_port_that_is_taken_is_told(fpm: str, cli: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    with served(fpm, APPLICATION) as (url, _):
        done = cli("serve", fpm, "--code", str(APPLICATION), "--port", url.rpartition(":")[2])
    assert done.returncode == 4
    assert "cannot be listened on: Address already in use\n  -> give another one with --port" in done.stderr
