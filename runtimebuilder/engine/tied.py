"""Runs a program that is interrupted when whoever started this ends: `tied.py PID PROGRAM [ARGUMENT...]`.

A program between, run by itself without the package: code between fork and exec of a process with threads may hang.
Linux alone has it.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):  # it has ended already
        sys.exit(130)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 -- no shell is meant
