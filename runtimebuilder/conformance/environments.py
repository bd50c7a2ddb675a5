"""Opening execution environments for cases, lending a warm one, and closing what was opened."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TypedDict

from runtimebuilder.conformance.diagnosis import why_not_started
from runtimebuilder.conformance.environment import Environment
from runtimebuilder.conformance.expectation import unsupported
from runtimebuilder.conformance.features import Features, declared_features
from runtimebuilder.conformance.patience import Patience
from runtimebuilder.conformance.probes.codec import codec_for
from runtimebuilder.conformance.probes.probe import Probe
from runtimebuilder.conformance.report.result import Evidence
from runtimebuilder.conformance.subject import Subject
from runtimebuilder.emulator.initialization import Initialization
from runtimebuilder.errors import SubjectFailedError
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.layer import LayerFile, put_layer
from runtimebuilder.sandbox.limits import Function, Limits

_AHEAD = 4  # boxes whose making starts before a case asks: as many as a burst of short cases uses up
_AHEAD_OF_ONE = 2  # the same for one of several processes
_LOG_TAIL = 2000  # characters of the container's log that a failure shows
_MANAGED_MEMORY = 2048  # MB, the least that a managed environment has
_MANAGED_FILES = 4096  # open files


class _Loan:
    """An environment that is lent to case after case while they leave it clean."""

    environment: Environment | None = None
    is_lent = False


class Environments:
    """All environments of a run. Cases run one after the other; boxes are made and removed beside them.

    A case opens as many as it likes; those end with it. The warm one is lent to cases that only watch an
    invoke of their own: it goes to the next case when it was left clean, and is thrown away otherwise.
    """

    def __init__(
        self,
        subject: Subject,
        probe: Probe | None,
        *,
        limits: Limits,
        env: Mapping[str, str],
        link: str,
        image: str | None = None,
    ) -> None:
        self._subject = subject
        self._probe = probe
        self._limits = limits
        self._env = dict(env)
        self._link = link
        self._patience = Patience()
        self._image = image
        self._ahead = _AHEAD if image is None else _AHEAD_OF_ONE
        self._open: list[Environment] = []
        self._warm = _Loan()
        self._managed = _Loan()
        self.features = Features(declared_features(subject.facts, probe))
        """What the runtime may have or not."""
        self._closer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="close-boxes")
        self._closing: list[Future[None]] = []
        self._opener = ThreadPoolExecutor(max_workers=1, thread_name_prefix="open-boxes")
        self._spare: Future[Environment] | None = None
        self._wanted = 0  # of the ordinary kind, by cases to come
        self._many = False
        self._image_lock = threading.Lock()

    @property
    def hopeless(self) -> str | None:
        """Why no case that takes an environment can pass any more, or None while one may."""
        return self._patience.hopeless

    def expect(self, number: int) -> None:
        """So many cases to come will take a fresh environment each: make the next one while a case runs."""
        self._wanted = number
        self._many = number > 1

    def fresh(self) -> Environment:
        """An ordinary environment of a case's own, started and ready."""
        spare, self._spare = self._spare, None
        made = spare.result() if spare is not None else self._make_ordinary(self._require_probe())
        self._open.append(made)
        self._wanted -= 1
        if self._wanted > 0:
            self._spare = self._opener.submit(self._make_ordinary, self._require_probe())
        return made.started_and_ready()

    def open(
        self,
        *,
        handler: str | None = None,
        elsewhere: bool = False,
        limits: Limits | None = None,
        env: Mapping[str, str | None] | None = None,
        answer_expect: bool = True,
        function: Function | None = None,
        files: Sequence[LayerFile] = (),
    ) -> Environment:
        """A new environment that is not started: script its emulator, then start it. It is closed with the
        case. A variable of `env` that is None is not set; `elsewhere`: the API is at no loopback address;
        `answer_expect`: the API sends `100 Continue`; `function`: another one than an ordinary, on-demand one.
        `files` are put on the image beside the probe's.

        Raises `EnvironmentProblemError` when the box cannot be made.
        """
        probe = self._require_probe()
        made = self._make(
            probe,
            handler=probe.handler if handler is None else handler,
            link=self._link_elsewhere() if elsewhere else self._link,
            limits=limits or self._limits,
            env={**self._env, **(env or {})},
            answer_expect=answer_expect,
            function=function,
            files=files,
        )
        self._open.append(made)
        return made

    def open_snap_start(
        self, *, handler: str | None = None, env: Mapping[str, str | None] | None = None
    ) -> Environment:
        """A new environment whose snapshot is going to be taken, of a published version. Not started."""
        function = Function(version="1", initialization=Initialization.SNAP_START)
        return self.open(handler=handler, env=env, function=function)

    def open_managed(
        self, max_concurrency: int, *, env: Mapping[str, str | None] | None = None
    ) -> Environment:
        """A new environment of Lambda Managed Instances, for so many events at once. Not started."""
        return self.open(env=env, **_managed(self._limits, max_concurrency))

    def managed(self, max_concurrency: int) -> Environment:
        """A managed environment that is started and may have served other cases before.

        All cases have to ask for the same number.
        """
        if self._managed.environment is None:
            self._managed.environment = self._make(
                self._require_probe(),
                handler=self._require_probe().handler,
                link=self._link,
                env=self._env,
                **_managed(self._limits, max_concurrency),
            )
            self._managed.is_lent = True
            self._managed.environment.start()
        return self._lend(self._managed, self._managed.environment)

    def warm(self) -> Environment:
        """An environment that is ready and may have served other cases before."""
        if self._warm.environment is None:
            self._warm.environment = self._make_ordinary(self._require_probe())
            self._warm.is_lent = True
            self._warm.environment.started_and_ready()
        return self._lend(self._warm, self._warm.environment)

    @staticmethod
    def _lend(loan: _Loan, environment: Environment) -> Environment:
        loan.is_lent = True
        environment.begin_case()
        return environment

    def wire(self) -> str:
        """What went over the wire of the running case's environments so far. Asks the engine for nothing."""
        return "\n\n".join(text for text in (one.transcript() for one in self._used()) if text)

    def evidence(self) -> Evidence:
        """What the running case's environments left behind so far."""
        logs = [text for text in (one.log().strip() for one in self._used()) if text]
        return Evidence(transcript=self.wire(), log="\n".join(text[-_LOG_TAIL:] for text in logs))

    def _used(self) -> list[Environment]:
        lent = [one.environment for one in self._loans if one.is_lent and one.environment is not None]
        return [*self._open, *lent]

    def end_case(self, *, passed: bool) -> None:
        """Close what the case opened; keep the warm environment only when it was left clean."""
        while self._open:
            self._close(self._open.pop())
        for loan in self._loans:
            if loan.environment is not None and loan.is_lent:
                loan.is_lent = False
                if not passed or not loan.environment.is_clean():
                    self._take_back(loan)

    def close(self) -> None:
        """Close everything and wait for it. Raises what closing raised, after all of it was tried."""
        self.end_case(passed=False)
        for loan in self._loans:
            self._take_back(loan)
        self._opener.shutdown(wait=True)
        if self._spare is not None and self._spare.exception() is None:
            self._close(self._spare.result())
        self._spare = None
        self._closer.shutdown(wait=True)
        closing, self._closing = self._closing, []
        for each in closing:
            each.result()

    @property
    def _loans(self) -> tuple[_Loan, ...]:
        return (self._warm, self._managed)

    def _take_back(self, loan: _Loan) -> None:
        if loan.environment is not None:
            self._close(loan.environment)
            loan.environment = None

    def _require_probe(self) -> Probe:
        if self._probe is None:
            unsupported("there is no probe for this image (--probe none)")
        return self._probe

    def _link_elsewhere(self) -> str:
        wanted = self._subject.run.link(self._link).name
        return "gateway" if wanted == "namespace" else wanted

    def _make_ordinary(self, probe: Probe) -> Environment:
        return self._make(probe, handler=probe.handler, link=self._link, limits=self._limits, env=self._env)

    def _make(
        self,
        probe: Probe,
        *,
        handler: str,
        link: str,
        limits: Limits,
        env: Mapping[str, str | None],
        answer_expect: bool = True,
        function: Function | None = None,
        files: Sequence[LayerFile] = (),
    ) -> Environment:
        if self._many:
            self._subject.run.make_ahead(self._limits.tmp_mb, self._link, self._ahead, reuse=True)
        with self._image_lock:
            if self._image is None:
                try:
                    self._image = self._subject.with_files(probe.layer())
                except SubjectFailedError:  # there is nothing to start
                    self._patience.learn_refused()
                    raise
        box = Box(
            self._subject.run,
            put_layer(self._subject.run, self._image, files) if files else self._image,
            limits=limits,
            handler=handler,
            env=env,
            link=link,
            answer_expect=answer_expect,
            function=function,
        )
        box.open()
        return Environment(box, codec_for(probe.form), self._patience, self._why_not_started)

    @functools.cached_property
    def _diagnosis(self) -> str | None:
        return why_not_started(self._subject)

    def _why_not_started(self) -> str | None:
        return self._diagnosis

    def _close(self, environment: Environment) -> None:
        self._closing.append(self._closer.submit(environment.box.close))


class _Managed(TypedDict):
    limits: Limits
    function: Function


def _managed(limits: Limits, max_concurrency: int) -> _Managed:
    function = Function(initialization=Initialization.MANAGED, max_concurrency=max_concurrency)
    memory = max(limits.memory_mb, _MANAGED_MEMORY)
    return {
        "limits": replace(limits, memory_mb=memory, nofile=_MANAGED_FILES),
        "function": function,
    }
