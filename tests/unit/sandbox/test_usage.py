"""What processes use, tried on this one and on one that is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

from runtimebuilder.sandbox.usage import usage_of


def test_descriptors_and_threads_are_counted() -> None:
    before = usage_of([os.getpid()])
    reader, writer = os.pipe()
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        after = usage_of([os.getpid()])
    finally:
        done.set()
        thread.join()
        os.close(reader)
        os.close(writer)
    assert before is not None
    assert after is not None
    assert after.descriptors == before.descriptors + 2
    assert after.threads >= before.threads + 1
    assert after.resident > 1_000_000
    assert "file descriptors" in after.describe()


def test_computing_is_measured() -> None:
    before = usage_of([os.getpid()])
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    after = usage_of([os.getpid()])
    assert before is not None
    assert after is not None
    assert after.cpu > before.cpu


def test_processes_are_summed_and_those_that_are_gone_left_out() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        both = usage_of([os.getpid(), child.pid])
    finally:
        child.communicate(b"\n")
    assert both is not None
    assert both.processes == 2
    assert usage_of([child.pid]) is None
    assert usage_of([]) is None
