"""Mistakes of the miniature at its start, at its end, in the freezer, and with processes of its own."""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from mutation import broken

STARTING = Path("/tmp/miniature.starting")
ENDED = Path("/tmp/miniature.ended")

answered: dict[str, Any] = {}  # the last answer: when, and how to send it again


def begin() -> None:
    """Before anything else happens."""
    if broken("starts-slowly"):
        time.sleep(6)
    if broken("lock-while-starting"):
        if STARTING.exists():
            sys.exit("another start is under way")
        STARTING.touch()
        time.sleep(3)
        STARTING.unlink()
    if broken("ends-for-good"):
        if ENDED.exists():
            sys.exit("this environment has ended")
        signal.signal(signal.SIGTERM, say_goodbye)
    if broken("goodbye-in-3-s"):
        signal.signal(signal.SIGTERM, lambda *_: end_in(3))
    if broken("goodbye-in-400-ms"):
        signal.signal(signal.SIGTERM, lambda *_: end_in(0.4))
    if broken("watchdog-by-clock"):
        threading.Thread(target=watch, daemon=True).start()
    if broken("helper-as-daemon"):
        start_daemon()
    if broken("kills-strangers"):
        for number in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
            if number not in (1, os.getpid()):
                os.kill(number, signal.SIGKILL)


def end_in(seconds: float) -> None:
    time.sleep(seconds)
    sys.exit(0)


def start_daemon() -> None:
    child = os.fork()
    if child > 0:
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)


def say_goodbye(*_: Any) -> None:
    ENDED.touch()
    sys.exit(0)


def watch() -> None:
    """Complains when it was not woken in time."""
    while True:
        before = time.monotonic()
        time.sleep(0.1)
        late = time.monotonic() - before - 0.1
        if late > 1:
            sys.stderr.write(f"the runtime was stuck for {late:.1f} s\n")
            sys.stderr.flush()


def event_came() -> None:
    """With each event, before the handler has it."""
    if broken("children-not-reaped") and os.fork() == 0:
        os._exit(0)
    if broken("sends-again-after-a-pause") and time.time() - answered.get("when", time.time()) > 0.8:
        answered["send"]()


def handler_begins(post: Any) -> None:
    """`post` answers this event with a result."""
    if broken("answers-on-sigterm"):

        def answer(*_: Any) -> None:
            post(b"null")
            sys.exit(0)

        signal.signal(signal.SIGTERM, answer)


def answer_sent(send: Any) -> None:
    """`send` would send the same again."""
    answered.update(when=time.time(), send=send)
