"""Where workers come from: one process that has loaded everything, and makes each of them by a fork.

`python -m runtimebuilder.conformance.nursery FD`; FD is one end of a socket pair. For each worker the run sends one
byte with two descriptors: the worker's line to the run, and where its pid is told, and, when it has ended, its exit
status. Loading takes longer than many a case; that it is done once, and while the run looks at the images, is all the
reason for this process. It has no threads and runs no case, so a fork of it is as good as a new process.

When the run goes away, killed perhaps, the workers see that on their own lines; this process ends after the last.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys

from runtimebuilder.conformance.case import builtin_cases
from runtimebuilder.conformance.worker import main as work


class _Nursery:
    """The workers that live, by pid, each with the descriptor where its end is told."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._live: dict[int, int] = {}
        self._woken, self._wake = os.pipe()
        for descriptor in (self._woken, self._wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def serve(self) -> int | None:
        """Make workers until the run is gone and all have ended. In a worker, at once: its line to the run."""
        watched: list[int] = [self._woken, self._control.fileno()]
        while self._live or self._control.fileno() in watched:
            ready, _, _ = select.select(watched, [], [])
            if self._woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._woken, 4096)
            self._reap()
            if self._control.fileno() in ready:
                asked, descriptors, _, _ = socket.recv_fds(self._control, 1, 2)
                if not asked:
                    watched.remove(self._control.fileno())
                    continue
                line, told = descriptors
                if self._fork(told):
                    return line
                os.close(line)
        return None

    def _fork(self, told: int) -> bool:
        """Whether this is the new process."""
        pid = os.fork()
        if pid:
            self._live[pid] = told
            _tell(told, pid)
            return False
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in (told, self._woken, self._wake, *self._live.values()):
            os.close(descriptor)
        self._control.close()
        os.setsid()
        return True

    def _reap(self) -> None:
        for pid, told in list(self._live.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._live[pid]
                _tell(told, os.waitstatus_to_exitcode(status))
                os.close(told)


def _tell(told: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # the run is gone
        os.write(told, b"%d\n" % number)


def main() -> int:
    """Serve; in a worker, work. The exit code."""
    os.dup2(2, 1)  # what a case prints is talk
    builtin_cases()
    line = _Nursery(socket.socket(fileno=int(sys.argv[1]))).serve()
    return 0 if line is None else work(line)


if __name__ == "__main__":
    sys.exit(main())
