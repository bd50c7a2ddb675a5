"""What a run says to its worker processes, and what they say to it: values that are pickled between the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runtimebuilder.conformance.case import Case
from runtimebuilder.conformance.probes.probe import Probe
from runtimebuilder.conformance.report.result import CaseResult
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.errors import UserError
from runtimebuilder.sandbox.limits import Limits


@dataclass(frozen=True, slots=True)
class Task:
    """The first message to a worker: what it works on. `run_id` is for what it makes in the engine.

    `image` is the subject with the probe's files in it, None when the worker has to make that itself; `own` are
    paths with cases of the person's own.
    """

    run_id: str
    reference: str
    facts: ImageFacts
    image: str | None
    probe: Probe | None
    limits: Limits
    env: Mapping[str, str]
    link: str
    own: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """Another first message: only tell which cases and tests are in these paths, with a `Found`."""

    own: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What is in the paths of a `Look`; the worker ends with it."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """The next case, by its id, and how many are still to come, for whichever worker."""

    case: str
    to_come: int


@dataclass(frozen=True, slots=True)
class Idle:
    """The worker can take a case."""


@dataclass(frozen=True, slots=True)
class Started:
    """A case starts."""

    case: Case


@dataclass(frozen=True, slots=True)
class Finished:
    """A case ended."""

    result: CaseResult


@dataclass(frozen=True, slots=True)
class Ended:
    """The worker is done, and has removed what it made."""

    left_out: bool = False
    gave_up: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """The worker could not go on: a problem of the person's, or in words a defect of ours."""

    problem: UserError | str
