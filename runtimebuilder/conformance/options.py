"""What a person may say about how images are judged."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from runtimebuilder.conformance.case import Level
from runtimebuilder.conformance.probes.choice import AUTO
from runtimebuilder.conformance.selection import Selection
from runtimebuilder.sandbox.limits import Limits
from runtimebuilder.spec.contents import VerifySettings


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """How to judge. `known_failing`: a file, see `read_known_failing`; `jobs`: cases that may run at the same time.

    `own`: folders and files with cases and tests of the person's own, which run besides the suite's.
    `suites`: files of tests that are run in place of the cases, `tasks` the folder of their functions.
    `env`: variables of the function, on top of the service's own; `memory` in MB; `timeout`: the
    function's, in seconds, where a test invokes the box.
    """

    cases: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    soak: bool = False
    known_failing: Path | None = None
    own: tuple[Path, ...] = ()
    strict: bool = False
    jobs: int = 1
    probe: str = AUTO
    link: str = AUTO
    memory: int | None = None
    timeout: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    suites: tuple[Path, ...] = ()
    tasks: Path | None = None

    def with_settings(self, settings: VerifySettings, root: Path) -> VerifyOptions:
        """These options, and where they say nothing, what a spec's `verify:` says; `root`: the spec's project."""
        narrowed = self.cases or self.sections or self.levels
        return replace(
            self,
            levels=self.levels if narrowed else tuple(Level(word) for word in settings.level or ()),
            strict=self.strict or bool(settings.strict),
            memory=self.memory if self.memory is not None else settings.memory,
            timeout=self.timeout if self.timeout is not None else settings.timeout,
            probe=_probe(settings.probe, root) if self.probe == AUTO else self.probe,
            known_failing=self.known_failing
            or (root / settings.known_failing if settings.known_failing else None),
        )

    @property
    def selection(self) -> Selection:
        """The cases that these options ask for."""
        return Selection(self.cases, self.sections, self.levels, soak=self.soak)

    @property
    def limits(self) -> Limits:
        """The box's limits."""
        limits = Limits()
        if self.memory is not None:
            limits = replace(limits, memory_mb=self.memory)
        return limits if self.timeout is None else replace(limits, timeout_s=float(self.timeout))

    def arguments(self) -> tuple[str, ...]:
        """The command line's options that judging a single case again needs as well."""
        given: list[str] = []
        given += ["--probe", self.probe] if self.probe != AUTO else []
        given += ["--link", self.link] if self.link != AUTO else []
        for path in self.own:
            given += ["--cases", str(path)]
        given += ["--memory", str(self.memory)] if self.memory is not None else []
        given += ["--timeout", str(self.timeout)] if self.timeout is not None else []
        for name, value in self.env.items():
            given += ["--env", f"{name}={value}"]
        for suite in self.suites:
            given += ["--suite", str(suite)]
        given += ["--tasks", str(self.tasks)] if self.tasks is not None else []
        return tuple(given)


def jobs_here() -> int:
    """How many cases may run at the same time on this machine.

    A case mostly waits, and what it waits for is the engine, which works on the same processors.
    """
    return min(6, (os.cpu_count() or 1) + 2)


def _probe(said: str | None, root: Path) -> str:
    """What a spec's `probe` means: a folder of its project where there is one, else a name."""
    if said is None:
        return AUTO
    return str(root / said) if (root / said).is_dir() else said
