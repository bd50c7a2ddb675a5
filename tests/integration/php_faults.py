"""What PHP-FPM survives: each fault in a running function, how many requests fail, how long until it is healthy.

`python -m tests.integration.php_faults` prints the table of docs/php-faults.md; the tests hold what it says.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runtimebuilder.testing import LambdaContainer

PAGE = """<?php

declare(strict_types=1);

$do = $_GET['do'] ?? '';
if ($do === 'flood') {
    // 200 MB for the log, in lines of 1 KB.
    $line = str_repeat('x', 1023) . "\\n";
    $log = fopen('php://stderr', 'wb');
    for ($i = 0; $i < 200 * 1024; $i++) {
        fwrite($log, $line);
    }
}
if ($do === 'error-log') {
    for ($i = 0; $i < 2_000; $i++) {
        error_log(str_repeat('y', 10_000));
    }
}
if ($do === 'segfault') {
    $deep = [];
    for ($level = 0; $level < 300_000; $level++) {
        $deep = [$deep];
    }
    unset($deep);
    posix_kill(getmypid(), SIGSEGV);
}
if ($do === 'memory') {
    ini_set('memory_limit', '-1');
    for ($all = []; ;) {
        $all[] = random_bytes(1 << 20);
    }
}
if ($do === 'fill') {
    $file = fopen('/tmp/full', 'wb');
    while (@fwrite($file, str_repeat("\\0", 1 << 20)) === 1 << 20) {
    }
}
if ($do === 'hang') {
    sleep(60);
}
if ($do === 'exit') {
    exit;
}
if ($do === 'session') {
    session_start();
}
echo 'well';
"""


@dataclass(frozen=True)
class Fault:
    """`name` for the table. `cause`: brings it about, outside of any request; `request`: the one that does, or None."""

    name: str
    cause: Callable[[LambdaContainer], object] | None = None
    request: str | None = None
    timeout: float = 30.0


def _pids(container: LambdaContainer, title: str) -> list[str]:
    cmdline = "tr '\\0' ' ' < $p/cmdline"
    script = f"for p in /proc/[0-9]*; do {cmdline} | grep -q '^php-fpm: {title}' && echo ${{p#/proc/}}; done"
    return str(container.exec(["sh", "-c", script]).output.decode()).split()


def _kill(title: str, signal: str) -> Callable[[LambdaContainer], object]:
    def kill(container: LambdaContainer) -> None:
        pids = _pids(container, title)
        assert pids, f"no php-fpm: {title}"
        container.exec(["sh", "-c", f"kill -s {signal} {' '.join(pids)}"])

    return kill


def _run(script: str) -> Callable[[LambdaContainer], object]:
    return lambda container: container.exec(["sh", "-c", script])


FAULTS = (
    Fault("master killed (SIGKILL), between two requests", cause=_kill("master", "KILL")),
    Fault("master ended (SIGTERM), between two requests", cause=_kill("master", "TERM")),
    Fault("worker killed (SIGKILL), between two requests", cause=_kill("pool", "KILL")),
    Fault("worker dies of SIGSEGV in a request", request="segfault"),
    Fault("worker runs out of memory in a request", request="memory"),
    Fault("a request that outlasts the function's timeout", request="hang", timeout=3),
    Fault("the socket's file is removed", cause=_run("rm /tmp/.runtimebuilder/php-fpm.sock")),
    Fault(
        "the socket's file is removed and the worker killed",
        cause=lambda c: (_run("rm /tmp/.runtimebuilder/php-fpm.sock")(c), _kill("pool", "KILL")(c)),
    ),
    Fault("all of /tmp/.runtimebuilder is removed", cause=_run("rm -r /tmp/.runtimebuilder")),
    Fault("/tmp is full", request="fill"),
    Fault(
        "master killed while /tmp is full",
        cause=lambda c: (_run("cat /dev/zero > /tmp/full")(c), _kill("master", "KILL")(c)),
    ),
    Fault("200 MB to stderr in a request", request="flood", timeout=120),
    Fault("20 MB through error_log() in a request", request="error-log"),
    Fault("exit() in a request", request="exit"),
)


@dataclass(frozen=True)
class Seen:
    """`failed`: requests without the page, of all that were sent; `seconds` from the fault to the first good page."""

    fault: Fault
    failed: int
    seconds: float
    told: str


def observe(image: str, code: Path, fault: Fault) -> Seen:
    """One fault in an environment of its own, which has served a request before."""
    with LambdaContainer(
        image, handler="index.php", code=code, timeout=fault.timeout, memory_mb=256, tmp_mb=64
    ) as container:
        assert _is_well(container), "not well before the fault"
        failed, told = 0, ""
        began = time.monotonic()
        if fault.cause is not None:
            fault.cause(container)
        if fault.request is not None:
            answer = container.invoke(_event(fault.request))
            if answer.error is not None:
                failed, told = 1, answer.error.message
            began += answer.duration if fault.request in {"hang", "flood", "error-log", "fill"} else 0
        for _ in range(5):
            answer = container.invoke(_event(""))
            if answer.error is None and b"well" in answer.body:
                break
            failed += 1
            told = told or (answer.error.message if answer.error else answer.text)
        else:
            return Seen(fault, failed, float("inf"), told)
        seconds = time.monotonic() - began
        assert all(_is_well(container) for _ in range(3)), "not well for long"
        return Seen(fault, failed, seconds, told)


def _event(do: str) -> dict[str, object]:
    return {
        "version": "2.0",
        "rawPath": "/",
        "rawQueryString": f"do={do}",
        "requestContext": {"http": {"method": "GET", "path": "/"}},
    }


def _is_well(container: LambdaContainer) -> bool:
    answer = container.invoke(_event(""))
    return answer.error is None and b"well" in answer.body


def table(seen: Iterator[Seen]) -> str:
    """Markdown."""
    lines = [
        "| what happens | requests that fail | healthy again after | what the caller of the failed one is told |",
        "|---|---|---|---|",
    ]
    for one in seen:
        told = one.told.replace("\n", " ").replace("|", "\\|")
        told = told if len(told) < 130 else told[:127] + "..."
        lines.append(
            f"| {one.fault.name} | {one.failed} | {one.seconds * 1000:.0f} ms | {told or 'nobody failed'} |"
        )
    return "\n".join(lines)


def main() -> None:
    """The table for an image (argument)."""
    image = sys.argv[1] if len(sys.argv) > 1 else "php-82-fpm:debian-12"
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder)
        (code / "index.php").write_text(PAGE, encoding="utf-8")
        sys.stdout.write(table(observe(image, code, fault) for fault in FAULTS) + "\n")


if __name__ == "__main__":
    main()
