"""Judging images with several processes: pytest runs one case at a time in a process, and a case mostly waits."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence

from runtimebuilder.conformance.judgement import Judgement
from runtimebuilder.conformance.report.result import Report
from runtimebuilder.conformance.schedule import Queue, Schedule
from runtimebuilder.conformance.work import Assignment, Broken, Ended, Finished, Idle, Started, Task
from runtimebuilder.conformance.worker_process import Nursery, WorkerProcess
from runtimebuilder.errors import EnvironmentProblemError, SubjectFailedError
from runtimebuilder.sandbox.interrupt import uninterrupted
from runtimebuilder.sandbox.run import sweep_late

_PATIENCE = 60.0  # seconds for workers that were told to stop; what they made is removed by then, or by us


class ParallelRun:
    """As many processes as `jobs`, each with one image at a time; when that has no more cases, with the next.

    Each is served by a thread here. The workers' processes are in sessions of their own: Ctrl-C reaches this
    process, which tells them.
    """

    def __init__(self, judgements: Sequence[Judgement], jobs: int, nursery: Nursery) -> None:
        self._nursery = nursery
        self._queues = {Queue(one.selected): one for one in judgements}
        self._schedule = Schedule(tuple(self._queues))
        self._jobs = min(jobs, sum(len(queue.cases) for queue in self._queues))
        self._lock = threading.RLock()  # of all that follows, and of what judgements and reporters know
        self._live: dict[int, WorkerProcess] = {}
        self._images: dict[str, str | None] = {}
        self._number = 0
        self._reports: dict[Judgement, Report] = {}
        self._problem: BaseException | None = None

    def run(self) -> list[Report]:
        """Run all cases; the reports in the order of the judgements, each ended as soon as its image has no more cases.

        Raises KeyboardInterrupt after Ctrl-C, when all is removed and every report has ended, and what a worker raised.
        """
        threads = [
            threading.Thread(target=self._serve, name=f"worker-{number}", daemon=True)
            for number in range(self._jobs)
        ]
        interrupted = False
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            interrupted = True
            with contextlib.suppress(KeyboardInterrupt), uninterrupted():
                self._stop(threads)
        finally:
            for worker in list(self._live.values()):
                worker.kill()
        for judgement in self._queues.values():
            if judgement not in self._reports:
                self._reports[judgement] = judgement.end(interrupted=interrupted)
        if interrupted:
            raise KeyboardInterrupt
        if self._problem is not None:
            raise self._problem
        return [self._reports[judgement] for judgement in self._queues.values()]

    def _stop(self, threads: Sequence[threading.Thread]) -> None:
        self._schedule.stop()
        with self._lock:
            for worker in self._live.values():
                worker.terminate()
        end = time.monotonic() + _PATIENCE
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, end - time.monotonic()))

    def _serve(self) -> None:
        """One place for a worker: a process for each image that has cases left."""
        try:
            while (queue := self._schedule.join()) is not None:
                judgement = self._queues[queue]
                try:
                    self._work(queue, judgement)
                finally:
                    last = self._schedule.leave(queue)
                if last:
                    with self._lock:
                        self._reports[judgement] = judgement.end(interrupted=False)
        except BaseException as problem:  # noqa: BLE001 - raised again in the thread that waits
            with self._lock:
                self._problem = self._problem or problem
            self._schedule.stop()

    def _work(self, queue: Queue, judgement: Judgement) -> None:
        worker = self._nursery.worker()
        with self._lock:
            self._number += 1
            run_id = f"{judgement.setting.subject.run.id}-w{self._number}"
            self._live[id(worker)] = worker
        ended = False
        try:
            worker.send(self._task(judgement, run_id))
            while not ended:
                message = worker.receive()
                if isinstance(message, Idle):
                    taken = self._schedule.take(queue)
                    worker.send(Assignment(taken[0].id, taken[1]) if taken else None)
                else:
                    ended = self._hear(message, queue, judgement)
        except EOFError:
            if worker.was_told_to_stop:
                return
            raise EnvironmentProblemError(
                f"a process that runs cases {worker.ending()}", hint="run it again, with --jobs 1"
            ) from None
        finally:
            clean = worker.close(ended=ended)
            with self._lock:
                del self._live[id(worker)]
            if not (clean and ended):
                sweep_late(judgement.setting.subject.run.engine, run_id)

    def _hear(self, message: object, queue: Queue, judgement: Judgement) -> bool:
        """Take note of what a worker says. Whether it was its last word."""
        with self._lock:
            if isinstance(message, Started):
                judgement.started(message.case)
            elif isinstance(message, Finished):
                judgement.finished(message.result)
            elif isinstance(message, Ended):
                judgement.left_out |= message.left_out
                if message.gave_up:
                    self._schedule.abandon(queue)
                return True
            elif isinstance(message, Broken):
                problem = message.problem
                raise RuntimeError(problem) if isinstance(problem, str) else problem
        return False

    def _task(self, judgement: Judgement, run_id: str) -> Task:
        setting = judgement.setting
        return Task(
            run_id=run_id,
            reference=setting.subject.reference,
            facts=setting.subject.facts,
            image=self._image(judgement),
            probe=setting.probe,
            limits=setting.limits,
            env=dict(setting.env),
            link=setting.link,
            own=judgement.own,
        )

    def _image(self, judgement: Judgement) -> str | None:
        """The subject with the probe in it, made once for all workers; None: cases shall come across the reason."""
        subject, probe = judgement.setting.subject, judgement.setting.probe
        if probe is None:
            return None
        with self._lock:
            if subject.facts.id not in self._images:
                files = probe.layer()
                try:
                    self._images[subject.facts.id] = subject.with_files(files)
                except SubjectFailedError:
                    self._images[subject.facts.id] = None
            return self._images[subject.facts.id]
