"""The Python probe: obeys commands `{"do": ...}`; whatever is not a command comes back as it is.

It is installed into the images of other people: standard library only, Python 3.6 and later.
"""

import ctypes
import importlib
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

try:
    hooks: Any = importlib.import_module("snapshot_restore_py")
except ImportError:  # a runtime without them
    hooks = None

_counter = itertools.count(1)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if hooks is not None:
    hooks.register_before_snapshot(_say, "probe: before the snapshot")
    hooks.register_after_restore(_say, "probe: after the restore")


def handler(event: Any, context: Any) -> Any:
    if not isinstance(event, dict) or "do" not in event:
        return event
    command = _COMMANDS.get(event["do"])
    if command is None:
        return {"unsupported": True}
    return command(event, context)


def _echo(event: Any, _context: Any) -> Any:
    return event["value"]


def _context(event: Any, context: Any) -> Any:
    time.sleep(event.get("seconds", 0))
    client_context = getattr(context, "client_context", None)
    identity = getattr(context, "identity", None)
    told = {
        "request_id": context.aws_request_id,
        "deadline_ms": getattr(context, "_epoch_deadline_time_in_ms", None),
        "remaining_ms": context.get_remaining_time_in_millis(),
        "function_arn": context.invoked_function_arn,
        "trace_id": os.environ.get("_X_AMZN_TRACE_ID"),
        "pid": os.getpid(),
        "client_context": getattr(client_context, "custom", client_context),
        "cognito_identity": getattr(identity, "cognito_identity_id", None),
        "tenant_id": getattr(context, "tenant_id", None),
    }
    if hasattr(context, "trace_id"):
        told["context_trace_id"] = context.trace_id
    if "value" in event:
        told["value"] = event["value"]
    return told


def _hooks(_event: Any, _context: Any) -> bool:
    return hooks is not None


def _log(event: Any, _context: Any) -> None:
    time.sleep(event.get("seconds", 0))
    logging.getLogger("probe").error(event["message"])


def _raise(event: Any, _context: Any) -> None:
    message = event.get("message", "") * event.get("times", 1)
    if "message_hex" in event:
        message = bytes.fromhex(event["message_hex"]).decode("utf-8", "surrogateescape")
    error = type(event.get("type", "ProbeError"), (Exception,), {})(message)
    raise error from (RuntimeError(event["cause"]) if "cause" in event else None)


def _raise_odd(event: Any, _context: Any) -> None:
    class OddError(BaseException):
        pass

    raise OddError("thrown text") if event["what"] == "text" else OddError


def _recurse(event: Any, context: Any) -> Any:
    return [_recurse(event, context)]


def _exit(event: Any, _context: Any) -> None:
    sys.exit(event.get("code", 0))


def _kill(event: Any, _context: Any) -> None:
    number = getattr(signal, event["signal"])
    if number == signal.SIGSEGV:
        # Process 1 of a container does not die of a signal it sends to itself, but it does of a real fault.
        ctypes.string_at(0)
    os.kill(os.getpid(), number)
    time.sleep(1)


def _allocate(event: Any, _context: Any) -> int:
    return len(bytearray(os.urandom(1024)) * (1024 * event["mb"]))


def _env(event: Any, _context: Any) -> Any:
    names = event.get("names")
    return {name: value for name, value in os.environ.items() if names is None or name in names}


def _child_env(event: Any, _context: Any) -> Any:
    script = "import json, os, sys; json.dump(dict(os.environ), sys.stdout)"
    seen = json.loads(subprocess.check_output([sys.executable, "-c", script]))
    return {name: value for name, value in seen.items() if name in event.get("names", seen)}


def _child_allocate(event: Any, _context: Any) -> int:
    script = f"import os; len(bytearray(os.urandom(1024)) * (1024 * {int(event['mb'])}))"
    code = subprocess.call([sys.executable, "-c", script])
    return code if code >= 0 else 128 - code


def _spawn(event: Any, _context: Any) -> int:
    codes = [subprocess.call(["/bin/sh", "-c", "exit 3"]) for _ in range(event["count"])]
    return codes.count(3)


def _daemon(event: Any, _context: Any) -> int:
    script = f"import time; time.sleep({float(event['seconds'])})"
    return os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-c", script])  # noqa: S606 - our own


def _background(event: Any, _context: Any) -> None:
    def work() -> None:
        time.sleep(event["seconds"])
        Path(event["path"]).write_text("done", encoding="utf-8")

    threading.Thread(target=work, daemon=True).start()


def _clock(_event: Any, _context: Any) -> Any:
    return {"utc_offset": time.localtime().tm_gmtoff}


def _cwd(_event: Any, _context: Any) -> str:
    return str(Path.cwd())


def _whoami(_event: Any, _context: Any) -> Any:
    return {"uid": os.getuid(), "gid": os.getgid(), "home": os.environ.get("HOME")}


def _write(event: Any, _context: Any) -> Any:
    try:
        Path(event["path"]).write_text(event["text"] * event.get("times", 1), encoding="utf-8")
    except OSError as problem:
        return {"ok": False, "error": str(problem)}
    return {"ok": True}


def _read(event: Any, _context: Any) -> Any:
    try:
        return Path(event["path"]).read_text(encoding="utf-8")
    except OSError:
        return None


def _print(event: Any, _context: Any) -> None:
    for stream, text in ((sys.stdout, event.get("stdout", "")), (sys.stderr, event.get("stderr", ""))):
        stream.write(text)
        stream.flush()


def _size(event: Any, _context: Any) -> str:
    return "x" * int(event["bytes"])


def _bytes(_event: Any, _context: Any) -> bytes:
    return b"\xff\xfe\x00\x80"


def _nothing(_event: Any, _context: Any) -> None:
    return None


def _count(_event: Any, _context: Any) -> int:
    return next(_counter)


def _sleep(event: Any, _context: Any) -> None:
    time.sleep(event["seconds"])


_COMMANDS = {
    "echo": _echo,
    "hooks": _hooks,
    "log": _log,
    "context": _context,
    "raise": _raise,
    "raise-odd": _raise_odd,
    "recurse": _recurse,
    "exit": _exit,
    "kill": _kill,
    "hang": _sleep,
    "sleep": _sleep,
    "allocate": _allocate,
    "env": _env,
    "child-env": _child_env,
    "child-allocate": _child_allocate,
    "spawn": _spawn,
    "daemon": _daemon,
    "background": _background,
    "clock": _clock,
    "cwd": _cwd,
    "whoami": _whoami,
    "write": _write,
    "read": _read,
    "print": _print,
    "size": _size,
    "bytes": _bytes,
    "nothing": _nothing,
    "counter": _count,
}
