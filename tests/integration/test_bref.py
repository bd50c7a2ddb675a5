"""Applications of Bref on our images: with bref/bref in their vendor folder its client runs, otherwise ours.

Composer's registry is not asked: the vendor folder is a stand-in with Bref's entry points, written for this test
(tests/fixtures/bref-application), which relies on the same files and variables of the image.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.testing import LambdaContainer

APPLICATION = Path(__file__).resolve().parents[1] / "fixtures" / "bref-application"
Start = Callable[..., LambdaContainer]


@pytest.fixture
def start(built: Callable[..., BuiltImage]) -> Start:
    def make(name: str, handler: str, code: Path = APPLICATION, **env: str) -> LambdaContainer:
        image = built(name, base="debian-12").image_id
        return LambdaContainer(image, handler=handler, code=code, timeout=20, env=env, memory_mb=512)

    return make


def _events(container: LambdaContainer, *events: object) -> list[Any]:
    return [container.invoke(event).json() for event in events]


def test_a_function_has_a_new_process_for_each_event(start: Start) -> None:
    with start("php-82", "index.php") as container:
        first, second = _events(container, {}, {})
        failed = container.invoke("fail")
        (after,) = _events(container, {})
        ended = container.invoke("exit")
    assert [first["events"], second["events"], after["events"]] == [1, 1, 1]
    assert first["bref"] is True
    assert len({first["process"], second["process"], after["process"]}) == 3
    assert failed.error is not None
    assert (failed.error.type, failed.error.message) == ("LogicException", "as asked")
    # Not 0: the bootstrap ends with it, and Lambda starts a new one.
    assert ended.kind == "exit"
    assert ended.error is not None
    assert ended.error.message.endswith("exit status 3")


def test_a_process_may_serve_more_events(start: Start) -> None:
    with start("php-82", "index.php", BREF_LOOP_MAX="2") as container:
        seen = [one["events"] for one in _events(container, {}, {}, {})]
    assert seen == [1, 2, 1]


def test_a_web_application(start: Start) -> None:
    with start("php-82-fpm", "public/index.php") as container:
        answer = container.request("GET /orders")
    assert json.loads(answer.body) == ["/orders", "bref", "512M"]
    assert dict(answer.headers)["X-By"] == "bref"


def test_a_command(start: Start) -> None:
    with start("php-82-console", "bin/console") as container:
        ran = container.invoke({"cli": "a 'b c'"})
        failed = container.invoke("fail")
    assert ran.json() == {"exitCode": 0, "output": "a|b c console"}
    assert failed.error is not None
    assert failed.error.message == "fail console"


def test_the_function_chooses_the_runtime_and_the_autoloader(start: Start, tmp_path: Path) -> None:
    moved = tmp_path / "app"
    shutil.copytree(APPLICATION, moved)
    shutil.copytree(moved / "vendor", moved / "lib" / "vendor")
    (moved / "vendor" / "autoload.php").unlink()
    env = {"BREF_RUNTIME": "console", "BREF_AUTOLOAD_PATH": "/var/task/lib/vendor/autoload.php"}
    with start("php-82", "bin/console", moved, **env) as container:
        ran = container.invoke("a")
    with start("php-82", "index.php", moved) as container:
        lost = container.invoke({})
    with start("php-82", "index.php", BREF_RUNTIME=r"App\Other") as container:
        unknown = container.invoke({})
    assert ran.json()["output"] == "a console"
    assert lost.error is not None
    assert lost.error.type == "Runtime.BrefNotFound"
    assert "there is no /var/task/vendor/autoload.php" in lost.error.message
    assert unknown.error is not None
    assert r"knows no class App\Other" in unknown.error.message


def test_ours_runs_where_it_is_asked_for(start: Start) -> None:
    with start("php-82", "index.php", RUNTIMEBUILDER_CLIENT="runtimebuilder") as container:
        first, second = _events(container, {}, {})
    assert (first["events"], second["events"], first["bref"]) == (1, 2, False)
    with start("php-82", "index.php", RUNTIMEBUILDER_CLIENT="brev") as container:
        wrong = container.invoke({})
    assert wrong.error is not None
    assert wrong.error.message == (
        "RUNTIMEBUILDER_CLIENT is 'brev'; it takes one of: auto, bref, runtimebuilder"
    )


def test_ours_takes_brefs_variables(start: Start, tmp_path: Path) -> None:
    plain = tmp_path / "app"
    shutil.copytree(APPLICATION, plain, ignore=shutil.ignore_patterns("vendor"))
    with start("php-82-fpm", "bin/console", plain, BREF_RUNTIME="console") as container:
        ran = container.invoke("a")
    with start("php-82", "public/index.php", plain, BREF_RUNTIME="fpm") as container:
        refused = container.invoke({})
    with start("php-82-fpm", "public/index.php", plain, BREF_BINARY_RESPONSES="1") as container:
        raw = container.invoke(json.loads(_event()))
    assert ran.json()["output"] == "a console"
    assert refused.error is not None
    assert "this image has no PHP-FPM" in refused.error.message
    assert raw.json()["isBase64Encoded"] is True


def test_the_paths_of_brefs_images(start: Start) -> None:
    with start("php-82-fpm", "public/index.php") as container:
        php = container.exec(["/opt/bin/php", "-r", "echo ini_get('memory_limit'), ' ', PHP_SAPI;"])
        fpm = container.exec(["/opt/bin/php-fpm", "-v"])
        certificates = container.exec(["head", "-c", "10", "/opt/bref/ssl/cert.pem"])
    assert php.output == b"512M cli"
    assert b"fpm-fcgi" in fpm.output
    assert certificates.output == b"-----BEGIN"


def _event() -> str:
    return json.dumps({"version": "2.0", "rawPath": "/", "requestContext": {"http": {"method": "GET"}}})
