"""Workers come from a process that has loaded everything; how they end is known all the same."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from runtimebuilder.conformance.work import Found, Look
from runtimebuilder.conformance.worker_process import Nursery, WorkerProcess
from runtimebuilder.errors import EnvironmentProblemError

CASE = """
def test_nothing():
    pass
"""


def _look(worker: WorkerProcess, folder: Path) -> object:
    path = folder / "test_one.py"
    path.write_text(CASE, encoding="utf-8")
    worker.send(Look((str(path),)))
    return worker.receive()


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_workers_are_processes_of_their_own(tmp_path: Path) -> None:
    with Nursery() as nursery:
        workers = [nursery.worker() for _ in range(3)]
        pids = {one.pid for one in workers}
        assert len(pids) == 3
        assert os.getpid() not in pids
        assert all(isinstance(_look(one, tmp_path), Found) for one in workers)
        assert [one.close(ended=True) for one in workers] == [True] * 3
        assert not any(_is_there(pid) for pid in pids)


def test_the_end_of_a_worker_is_told() -> None:
    with Nursery() as nursery:
        killed, told = nursery.worker(), nursery.worker()
        killed.kill()
        assert killed.ending() == "was killed by signal 9"
        assert not killed.close(ended=False)
        told.terminate()
        with pytest.raises(EOFError):
            told.receive()
        assert told.ending() == "was killed by signal 15"
        told.close(ended=False)


def test_a_signal_reaches_nobody_after_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Nursery() as nursery:
        worker = nursery.worker()
        _look(worker, tmp_path)
        while _is_there(worker.pid):
            time.sleep(0.01)
        sent: list[int] = []
        monkeypatch.setattr(os, "kill", lambda pid, _number: sent.append(pid))
        worker.terminate()
        worker.kill()
        worker.close(ended=True)
        worker.kill()
    assert sent == []


def test_workers_end_with_the_run_and_the_nursery_after_them() -> None:
    nursery = Nursery()
    worker = nursery.worker()
    worker.hang_up()
    end = time.monotonic() + 20
    while _is_there(worker.pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert not _is_there(worker.pid)
    with nursery:
        pass
    assert nursery.pid is not None
    assert not _is_there(nursery.pid)
    worker.close(ended=True)


def _worker_of_a_dead(nursery: Nursery) -> None:
    for _ in range(100):  # the kernel may take the first request before the process is gone
        worker = nursery.worker()
        assert not worker.close(ended=True)
        assert worker.pid == 0
        time.sleep(0.01)


def test_a_nursery_that_is_gone() -> None:
    nursery = Nursery()
    os.kill(nursery.pid, signal.SIGKILL)
    with nursery, pytest.raises(EnvironmentProblemError, match="no process can be made that runs cases"):
        _worker_of_a_dead(nursery)
