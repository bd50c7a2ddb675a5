"""How a process ended, and what an invocation came to, in the service's words (catalogue section 6.4)."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from typing import Any, Literal

from runtimebuilder.emulator.invocation import Outcome

# As the service says them, which are Go's names.
_SIGNAL_WORDS = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGKILL: "killed",
    signal.SIGUSR1: "user defined signal 1",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGUSR2: "user defined signal 2",
    signal.SIGPIPE: "broken pipe",
    signal.SIGTERM: "terminated",
    signal.SIGXCPU: "CPU time limit exceeded",
    signal.SIGSYS: "bad system call",
}


@dataclass(frozen=True)
class Exit:
    """The end of the box's first process.

    `code` as the engine tells it, 128 + number for a signal. Engines do not say which it was: 137 is read as
    SIGKILL though a program may return it. 142 is not read as SIGALRM: the entrypoint of AWS's base images
    returns it.
    """

    code: int
    signal: signal.Signals | None
    oom_killed: bool  # some process of the box was killed for want of memory
    start_error: str | None = None  # why it could not even be started
    started: str = ""  # RFC 3339
    finished: str = ""

    @classmethod
    def of(
        cls,
        code: int,
        *,
        oom_killed: bool = False,
        start_error: str | None = None,
        started: str = "",
        finished: str = "",
    ) -> Exit:
        """The exit for a code of the engine's."""
        named = next((one for one in _SIGNAL_WORDS if one + 128 == code), None)
        return cls(code, named, oom_killed, start_error, started, finished)

    @property
    def is_success(self) -> bool:
        """Exit status 0."""
        return self.code == 0 and self.start_error is None

    def describe(self) -> str:
        """`exit status 3` or `signal: killed`."""
        if self.start_error is not None:
            return f"could not be started: {self.start_error}"
        return f"signal: {_SIGNAL_WORDS[self.signal]}" if self.signal else f"exit status {self.code}"

    def error(self, request_id: str) -> bytes:
        """The payload that the caller of the function gets when the process ends like this meanwhile."""
        if self.start_error is not None:
            kind, text = "Runtime.InvalidEntrypoint", self.start_error
        elif self.code == 0:
            kind, text = "Runtime.ExitError", "Runtime exited without providing a reason"
        else:
            kind, text = "Runtime.ExitError", f"Runtime exited with error: {self.describe()}"
        return error_payload(kind, f"RequestId: {request_id} Error: {text}")


InvokeKind = Literal["response", "error", "exit", "timeout", "init_error", "too_large"]


@dataclass(frozen=True)
class InvokeResult:
    """What one invocation came to.

    `body` is what the caller gets: the runtime's bytes, or the service's error payload. `duration` is in
    seconds, from the event to the end. `exit` is there when the process ended with it or was killed for it.
    """

    kind: InvokeKind
    request_id: str
    body: bytes
    duration: float
    exit: Exit | None = None
    outcome: Outcome | None = None
    starts: int = 0  # how often the process was started for this invocation

    def json(self) -> Any:
        """The body as JSON. ValueError when it is none."""
        return json.loads(self.body)


def error_payload(kind: str, message: str) -> bytes:
    """The service's error document, in the order of its fields."""
    return json.dumps({"errorType": kind, "errorMessage": message}, separators=(",", ":")).encode()


def timeout_payload(seconds: float) -> bytes:
    """The payload for an invocation whose time is over."""
    return error_payload("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")
