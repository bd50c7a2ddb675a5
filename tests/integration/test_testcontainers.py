"""An application's own test, as docs/testing-an-application.md shows it: testcontainers runs the image, the emulator
is Lambda."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from testcontainers.core.container import DockerContainer

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.emulator import Emulator, Invocation

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing-an-application.md"


def test_an_application_is_tested_with_testcontainers_and_the_emulator(
    built: Callable[..., BuiltImage], tmp_path: Path
) -> None:
    image = built("php-82", base="debian-12").step.tags[0]
    (tmp_path / "index.php").write_text("<?php return fn (array $event) => ['hello' => $event['name']];\n")
    with Emulator() as lambda_side:
        container = (
            DockerContainer(image)
            .with_command("index.php")
            .with_env("AWS_LAMBDA_RUNTIME_API", lambda_side.endpoint)
            .with_volume_mapping(str(tmp_path), "/var/task", "ro")
            .with_kwargs(network_mode="host")
        )
        with container:
            greeting = Invocation.of({"name": "you"})
            lambda_side.queue(greeting)
            outcome = lambda_side.wait_outcome(greeting.request_id, timeout=10)
    assert outcome is not None
    assert outcome.json() == {"hello": "you"}


def test_the_page_shows_what_is_tested_here() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for line in (
        "with Emulator() as lambda_side:",
        '.with_kwargs(network_mode="host")',
        "lambda_side.queue(greeting)",
    ):
        assert line in code
        assert line in Path(__file__).read_text()
