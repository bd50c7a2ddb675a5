"""The probes that come with the tool, and which one fits an image."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

from runtimebuilder.conformance.case import Need
from runtimebuilder.conformance.probes.folder import read_probe
from runtimebuilder.conformance.probes.probe import SLOW_LOAD_SECONDS, Form, Probe
from runtimebuilder.errors import SpecError

PROBE_LABEL = "dev.runtimebuilder.probe"
"""The label by which an image says which probe fits it."""

THROWN_AT_LOAD = "the probe fails while it is loaded"
"""The message of what a throws-at-load handler raises."""

FAILS_BEFORE_SNAPSHOT = "the probe's hook fails before the snapshot"
FAILS_AFTER_RESTORE = "the probe's hook fails after the restore"
"""What the hooks of before-snapshot-fails and after-restore-fails print, and the message of what they raise."""

_HERE = Path(__file__).resolve().parent
_PAGE = "a page's script ends with its request, not with the runtime's process"
_HTTP_500 = "an uncaught exception of a page is an HTTP 500 answer, which is right for the web"
_COMMAND = "a command runs in a process of its own"
NO_STREAM: Mapping[Need, str] = dict.fromkeys(
    (Need.STREAM, Need.HTTP_STREAM), "the runtime posts a response when it is complete, it does not stream"
)


def python_probe() -> Probe:
    """For runtimes that call handlers as AWS's Python client does: `module.function`, `(event, context)`."""
    folder = _HERE / "python"
    names = (
        "probe.py",
        "throws_at_load.py",
        "exits_at_load.py",
        "slow_load.py",
        "fails_before_snapshot.py",
        "fails_after_restore.py",
    )
    files = {name: (folder / name).read_bytes() for name in names}
    files["broken_syntax.py"] = (folder / "broken_syntax.py.txt").read_bytes()
    return Probe(
        name="python",
        language="Python",
        form=Form.DIRECT,
        files=files,
        handler="probe.handler",
        missing_handler="nope.handler",
        faulty={
            Need.MISSING_SYMBOL: "probe.nope",
            Need.SYNTAX_ERROR: "broken_syntax.handler",
            Need.THROWS_AT_LOAD: "throws_at_load.handler",
            Need.EXITS_AT_LOAD: "exits_at_load.handler",
            Need.SLOW_LOAD: "slow_load.handler",
            Need.BEFORE_SNAPSHOT_FAILS: "fails_before_snapshot.handler",
            Need.AFTER_RESTORE_FAILS: "fails_after_restore.handler",
        },
        lacking=NO_STREAM,
    )


def python_streaming_probe() -> Probe:
    """For Python runtimes that stream what a handler gives as an iterator of bytes."""
    plain = python_probe()
    streaming = (_HERE / "python" / "streaming_probe.py").read_bytes()
    return dataclasses.replace(
        plain,
        name="python-streaming",
        files={**plain.files, "streaming_probe.py": streaming},
        handler="streaming_probe.handler",
        lacking={need: why for need, why in plain.lacking.items() if need not in NO_STREAM},
    )


def php_function_probe() -> Probe:
    """For event handlers in PHP: a file that returns a callable."""
    files = _php_files()
    return Probe(
        name="php-function",
        language="PHP",
        form=Form.DIRECT,
        files=files | {"slow-load.php": _slow_php("function.php")},
        handler="function.php",
        missing_handler="nope.php",
        faulty={
            Need.MISSING_SYMBOL: "returns-nothing.php",
            Need.SYNTAX_ERROR: "broken-syntax.php",
            Need.THROWS_AT_LOAD: "throws-at-load.php",
            Need.EXITS_AT_LOAD: "exits-at-load.php",
            Need.SLOW_LOAD: "slow-load.php",
        },
        lacking=NO_STREAM,
    )


def php_fpm_probe() -> Probe:
    """For web applications behind PHP-FPM: a front controller."""
    loaded = "a page is loaded with each request, not at the start"
    return Probe(
        name="php-fpm",
        language="PHP",
        form=Form.HTTP,
        files=_php_files(),
        handler="http.php",
        missing_handler="nope.php",
        faulty={},
        lacking={
            **NO_STREAM,
            Need.RAISE: _HTTP_500,
            Need.TYPED_RAISE: _HTTP_500,
            Need.EXIT: _PAGE,
            Need.ANY_EVENT: "a web application takes HTTP events only",
            Need.RAW_EVENT: "the command is text inside an HTTP event, which the runtime does not read",
            Need.PRINT: "what a page prints is its response",
            Need.PROCESS: _PAGE,
            Need.MISSING_SYMBOL: "a page has no function to be found",
            Need.SYNTAX_ERROR: loaded,
            Need.THROWS_AT_LOAD: loaded,
            Need.EXITS_AT_LOAD: loaded,
            Need.SLOW_LOAD: loaded,
        },
    )


def php_console_probe() -> Probe:
    """For console commands in PHP."""
    loaded = "a command is loaded with each event, not at the start"
    return Probe(
        name="php-console",
        language="PHP",
        form=Form.CONSOLE,
        files=_php_files(),
        handler="console.php",
        missing_handler="nope.php",
        faulty={},
        lacking={
            **NO_STREAM,
            Need.EXIT: _COMMAND,
            Need.TYPED_RAISE: "a command fails with its exit code and output, it has no error type",
            Need.ANY_EVENT: "a console takes command lines only",
            Need.LARGE_EVENT: "Linux passes at most 128 KB in one argument of a command",
            Need.LARGE: "a console returns the end of the output, at most 5 MB",
            Need.RAW_EVENT: "the command is text inside a command line, which the runtime does not read",
            Need.PRINT: "what a command prints is its result",
            Need.PROCESS: _COMMAND,
            Need.MISSING_SYMBOL: "a command has no function to be found",
            Need.SYNTAX_ERROR: loaded,
            Need.THROWS_AT_LOAD: loaded,
            Need.EXITS_AT_LOAD: loaded,
            Need.SLOW_LOAD: loaded,
        },
    )


def node_probe() -> Probe:
    """For runtimes that call handlers as AWS's Node.js client does: `file.function`, `(event, context)`."""
    return read_probe(_HERE / "node")


def shell_probe() -> Probe:
    """For shell runtimes that call handlers as AWS's tutorial does: `file.function`, the event as its argument."""
    return read_probe(_HERE / "shell")


_MAKERS: Mapping[str, Callable[[], Probe]] = {
    "node": node_probe,
    "php-console": php_console_probe,
    "php-fpm": php_fpm_probe,
    "php-function": php_function_probe,
    "python": python_probe,
    "shell": shell_probe,
    "python-streaming": python_streaming_probe,
}


def probe_names() -> tuple[str, ...]:
    """The names `--probe` takes, sorted."""
    return tuple(sorted(_MAKERS))


def probe_named(name: str) -> Probe:
    """The probe of this name; raises `SpecError` with a suggestion."""
    maker = _MAKERS.get(name)
    if maker is None:
        near = difflib.get_close_matches(name, _MAKERS, n=1)
        meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(probe_names())}"
        raise SpecError(f"unknown probe {name!r}", hint=f"{meant} ('none' verifies the image alone)")
    return maker()


def _php_files() -> dict[str, bytes]:
    folder = _HERE / "php"
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.php"))}


def _slow_php(real: str) -> bytes:
    micro = int(SLOW_LOAD_SECONDS * 1_000_000)
    return f"<?php\n\nusleep({micro});\n\nreturn require __DIR__ . '/{real}';\n".encode()
