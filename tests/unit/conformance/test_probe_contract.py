"""docs/probe-contract.md and the probes say the same: every command is documented, and known or left out on purpose."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.conformance.case import Need
from runtimebuilder.conformance.probes.python import probe as python_probe

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "probe-contract.md").read_text(encoding="utf-8")
PROBES = ROOT / "runtimebuilder" / "conformance" / "probes"

# How each probe's source names the commands that it knows.
PATTERNS = {
    "php/probe.php": r"case '([a-z-]+)':",
    "node/probe.js": r"^  '?([a-z-]+)'?(?:: (?:async )?\(|,$)",
    "shell/probe.sh": r"^    ([a-z-]+(?: \| [a-z-]+)*)\)",
}
NATIVE = ROOT / "tests" / "fixtures" / "runtimes" / "native" / "probe.c"

_NO_HOOKS = "its runtimes have no hooks"
_NO_LOGGER = "its runtimes give no logger"
_WEB = "the form http only: http.php"
_STREAMS = "a probe that streams only: python-streaming"
_SUBSHELL = "a handler is a subshell"

# Probe -> what it leaves out, and why. A new command goes into the page, and into each probe or in here.
LEFT_OUT = {
    "python": {"request": _WEB, "stream": _STREAMS},
    "php/probe.php": {"request": _WEB, "stream": _STREAMS, "hooks": _NO_HOOKS, "log": _NO_LOGGER},
    "node/probe.js": {
        "bytes": "what a handler returns is sent as JSON",
        "hooks": _NO_HOOKS,
        "request": _WEB,
        "stream": _STREAMS,
    },
    "shell/probe.sh": {
        "counter": _SUBSHELL,
        "exit": _SUBSHELL,
        "hooks": _NO_HOOKS,
        "log": _NO_LOGGER,
        "print": "what a handler prints is its result",
        "raise-odd": "a function fails with a number and nothing else",
        "request": _WEB,
        "stream": _STREAMS,
    },
    "native": {
        "hooks": _NO_HOOKS,
        "log": _NO_LOGGER,
        "raise-odd": "C has no exceptions",
        "request": _WEB,
        "stream": _STREAMS,
    },
}


Ask = Callable[[object], object]


def documented() -> set[str]:
    return set(re.findall(r'\{"do":"([a-z-]+)"', PAGE))


def known(probe: str) -> set[str]:
    if probe == "python":
        return set(python_probe._COMMANDS)
    if probe == "native":
        return set(re.findall(r'IS\("([a-z-]+)"\)', NATIVE.read_text(encoding="utf-8")))
    source = (PROBES / probe).read_text(encoding="utf-8")
    return {
        name for found in re.findall(PATTERNS[probe], source, re.MULTILINE) for name in found.split(" | ")
    }


@pytest.mark.parametrize("probe", LEFT_OUT)
def test_a_probe_knows_every_command_or_leaves_it_out_on_purpose(probe: str) -> None:
    assert known(probe) - documented() == set(), "docs/probe-contract.md does not know these"
    assert documented() - known(probe) == set(LEFT_OUT[probe]), (
        "add it to the probe, or to LEFT_OUT with a reason"
    )


def test_every_need_is_on_the_page() -> None:
    assert [need for need in Need if f"`{need}`" not in PAGE and f"\n  {need}: " not in PAGE] == []


def ask_python(command: object) -> object:
    return python_probe.handler(command, None)


def ask_shell(command: object) -> object:
    script = '. "$0"; handler "$1"'
    text = json.dumps(command, ensure_ascii=False, separators=(",", ":"))
    done = subprocess.run(
        ["sh", "-c", script, PROBES / "shell" / "probe.sh", text],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("ask", [ask_python, ask_shell])
def test_a_probe_refuses_what_it_does_not_know(ask: Ask) -> None:
    assert ask({"do": "no-such-command"}) == {"unsupported": True}


@pytest.mark.parametrize("ask", [ask_python, ask_shell])
@pytest.mark.parametrize("event", ["text", 1, None, [1, {"a": "b"}], {}, {"a": {"do": "echo"}}])
def test_what_is_no_command_comes_back(ask: Ask, event: object) -> None:
    assert ask(event) == event
