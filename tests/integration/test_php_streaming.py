"""Response streaming of the PHP runtimes, judged by the suite and used as an application does."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.testing import LambdaContainer

CODE = """<?php

declare(strict_types=1);

return static function (): Generator {
    yield 'one';
    yield 'two';
};
"""


@pytest.mark.parametrize(
    ("name", "env", "told"),
    [
        ("php-82", ("RUNTIMEBUILDER_STREAMING=on",), "all 20 passed"),
        ("php-82", ("RUNTIMEBUILDER_STREAMING=on", "RUNTIMEBUILDER_STATE=fork"), "all 20 passed"),
        ("php-82-fpm", ("RUNTIMEBUILDER_STREAMING=on",), "all 16 passed"),
    ],
)
def test_every_case_of_streaming_is_green(
    built: Callable[..., BuiltImage],
    cli: Callable[..., subprocess.CompletedProcess[str]],
    name: str,
    env: tuple[str, ...],
    told: str,
) -> None:
    built(name, base="debian-12")
    settings = [word for one in env for word in ("--env", one)]
    done = cli("verify", name, "--base", "debian-12", "--strict", "--case", "ST-*", *settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert told in done.stdout + done.stderr


def test_a_generator_is_streamed_only_where_the_function_says_so(
    built: Callable[..., BuiltImage], tmp_path: Path
) -> None:
    (tmp_path / "index.php").write_text(CODE, encoding="utf-8")
    image = built("php-82", base="debian-12").image_id
    with LambdaContainer(image, handler="index.php", code=tmp_path, timeout=20) as container:
        refused = container.invoke()
    env = {"RUNTIMEBUILDER_STREAMING": "on"}
    with LambdaContainer(image, handler="index.php", code=tmp_path, timeout=20, env=env) as container:
        streamed = container.invoke()
    assert refused.error is not None
    assert refused.error.type == "Runtime.StreamingNotEnabled"
    assert "RUNTIMEBUILDER_STREAMING=on" in refused.error.message
    assert streamed.text == "onetwo"
