"""Mistakes that a runtime makes with what is around it: its variables, its files, its processes."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from mutation import broken

kept: list[Any] = []  # what only has to stay open


def at_start() -> None:
    """Mistakes of a start."""
    if broken("overwrites-variables"):
        os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "miniature"
    if broken("children-without-region"):
        os.unsetenv("AWS_REGION")  # of the process; what Python shows of it stays
    if broken("time-zone-of-its-own"):
        os.environ["TZ"] = "XXX-2"
        time.tzset()
    if broken("path-without-layers"):
        os.environ["PATH"] = "/usr/local/bin:/usr/bin:/bin"
    if broken("listens-on-9001"):
        kept.append(socket.create_server(("", 9001)))
    if broken("uses-shared-memory"):
        Path("/dev/shm/miniature").touch()
    if broken("socket-in-tmp"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("/tmp/miniature.sock")
        kept.append(listener)
    if broken("starts-200-threads"):
        for _ in range(200):
            threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    if broken("computes-while-waiting"):
        threading.Thread(target=compute, daemon=True).start()


def compute() -> None:
    while True:
        pass


def user_agent() -> str:
    """The name by which the API knows this runtime."""
    return f"miniature/{time.time_ns()}" if broken("differs-by-start") else "miniature/1"


def within_limits(handler: Callable[[Any, Any], Any], event: Any, context: Any) -> Any:
    """Call the handler, but for one mistake about how it ends."""
    if broken("leaks-descriptors"):
        kept.append(os.dup(2))
    if broken("gives-up-at-once"):
        signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
    if broken("death-of-child-unnoticed"):
        child = os.fork()
        if child == 0:
            handler(event, context)
            os._exit(0)
        if os.waitpid(child, 0)[1] != 0:
            time.sleep(600)
    result = handler(event, context)
    if broken("waits-for-background"):
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join()
    return result


def give_up(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError("the handler takes long")


def xray_cause(kind: str, message: str) -> str:
    """The cause of an error as X-Ray takes it, for a header."""
    if broken("xray-cause-as-text"):
        return f"{kind}: {message!a}"
    exceptions = [{"type": kind, "message": message[:1000], "stack": []}]
    return json.dumps({"working_directory": str(Path.cwd()), "exceptions": exceptions, "paths": []})
