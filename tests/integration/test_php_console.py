"""The PHP console runtime with real commands: new processes, copies of a warm one, a shell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.testing import LambdaContainer

SCRIPT = """#!/usr/bin/env php
<?php

declare(strict_types=1);

$command = $argv[1] ?? '';
if ($command === 'exit') {
    fwrite(STDERR, 'failing');
    exit((int) $argv[2]);
}
if ($command === 'hang') {
    echo 'waiting';
    proc_open(['/bin/sleep', '60'], [], $pipes);
    sleep(60);
}
if ($command === 'die') {
    posix_kill(getmypid(), SIGKILL);
}
if ($command === 'kill-parent') {
    posix_kill(posix_getppid(), SIGKILL);
    usleep(50_000);
}
echo json_encode([
    'arguments' => array_slice($argv, 1),
    'script' => basename($_SERVER['SCRIPT_NAME']),
    'globals' => isset($GLOBALS['command'], $GLOBALS['argv']),
    'loaded' => class_exists('App\\\\Loaded', false),
    'request' => strlen((string) getenv('LAMBDA_REQUEST_ID')),
    'random' => mt_rand(),
]);
"""
AUTOLOAD = "<?php\n\nnamespace App;\n\nfinal class Loaded\n{\n}\n\nmt_rand();\n"


@pytest.fixture
def console(built: Callable[..., BuiltImage], tmp_path: Path) -> Callable[..., LambdaContainer]:
    (tmp_path / "console").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "load.php").write_text(AUTOLOAD, encoding="utf-8")
    image = built("php-82-console", base="debian-12").image_id

    def make(**env: str) -> LambdaContainer:
        return LambdaContainer(image, handler="console", code=tmp_path, timeout=20, env=env, memory_mb=256)

    return make


def test_a_copy_of_the_warm_process_is_the_command(console: Callable[..., LambdaContainer]) -> None:
    with console(RUNTIMEBUILDER_STATE="fork", RUNTIMEBUILDER_AUTOLOAD="load.php") as container:
        first = container.invoke(["a b", "$HOME"])
        second = container.invoke("'a b' --x")
        failed = container.invoke("exit 7")
        late = container.invoke("hang", timeout=2)
        killed = container.invoke("die")
        alone = container.invoke("kill-parent")
        after = container.invoke("after")
    outputs = [one.json()["output"] for one in (first, second, after)]
    assert (
        '"arguments":["a b","$HOME"],"script":"console","globals":true,"loaded":true,"request":36'
        in outputs[0]
    )
    assert '"arguments":["a b","--x"]' in outputs[1]
    assert '"arguments":["after"]' in outputs[2]
    assert outputs[0].rpartition('"random":')[2] != outputs[1].rpartition('"random":')[2]
    told = [one.error.message if one.error else "" for one in (failed, late, killed, alone)]
    assert told[0] == "the command ended with exit code 7:\nfailing"
    assert told[1].startswith("the command did not end within 1.")
    assert told[1].endswith(":\nwaiting")
    assert told[2].startswith("the command was ended by signal 9")
    assert told[3] != ""


def test_the_default_loads_nothing_and_a_shell_is_asked_for(console: Callable[..., LambdaContainer]) -> None:
    with console() as container:
        plain = container.invoke({"cli": "'a b' $TZ"}).json()["output"]
    with console(RUNTIMEBUILDER_SHELL="on") as container:
        shell = container.invoke({"cli": "'a b' $(echo c); echo end"}).json()["output"]
        listed = container.invoke({"argv": ["$(echo c)"]}).json()["output"]
    assert '"arguments":["a b","$TZ"],"script":"console","globals":true,"loaded":false' in plain
    assert '"arguments":["a b","c"]' in shell
    assert shell.endswith("}end\n")
    assert '"arguments":["$(echo c)"]' in listed


def test_an_autoloader_that_is_not_there_stops_the_start(console: Callable[..., LambdaContainer]) -> None:
    with console(RUNTIMEBUILDER_STATE="fork", RUNTIMEBUILDER_AUTOLOAD="nope.php") as container:
        answer = container.invoke("a")
    assert answer.error is not None
    assert answer.error.message == (
        "RUNTIMEBUILDER_AUTOLOAD is 'nope.php', and there is no file /var/task/nope.php"
    )
