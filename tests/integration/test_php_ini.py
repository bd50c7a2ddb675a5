"""PHP's settings from the image, from layers and from the application, in the order in which they win; preloading."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.testing import LambdaContainer

SHOWN = """
$seen = [
    'loaded' => class_exists('App\\Preloaded', false),
    'classes' => opcache_get_status()['preload_statistics']['classes'] ?? [],
    'image' => ini_get('expose_php'),
    'layer' => ini_get('arg_separator.output'),
    'application' => ini_get('date.timezone'),
];
"""


@pytest.fixture
def application(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    (folder / "php" / "conf.d").mkdir(parents=True)
    (folder / "php" / "conf.d" / "app.ini").write_text(
        "opcache.preload = /var/task/preload.php\ndate.timezone = Asia/Tokyo\n"
    )
    (folder / "preload.php").write_text("<?php\n\nnamespace App;\n\nfinal class Preloaded\n{\n}\n")
    (folder / "index.php").write_text(f"<?php\n\nreturn static function () {{{SHOWN}return $seen;\n}};\n")
    (folder / "page.php").write_text(f"<?php\n{SHOWN}echo json_encode($seen);\n")
    return folder


@pytest.mark.parametrize(("name", "handler"), [("php-82", "index.php"), ("php-82-fpm", "page.php")])
def test_what_wins_and_what_is_preloaded(
    built: Callable[..., BuiltImage], application: Path, name: str, handler: str
) -> None:
    container = LambdaContainer(
        built(name, base="debian-12").image_id, handler=handler, code=application, timeout=20
    )
    layers = {
        "/opt/php/conf.d/layer.ini": b"arg_separator.output = ';'\ndate.timezone = Europe/Paris\n",
        "/opt/bref/etc/php/conf.d/bref.ini": b"arg_separator.output = '|'\n",
    }
    for path, content in layers.items():
        container = container.with_copy_into_container(content, path)
    with container:
        seen = (
            json.loads(container.request("GET /").body)
            if handler == "page.php"
            else container.invoke({}).json()
        )
    assert seen.pop("image") in {"", "0"}  # expose_php is off
    assert seen == {
        "loaded": True,
        "classes": [r"App\Preloaded"],
        "layer": ";",
        "application": "Asia/Tokyo",
    }
