"""What a CI system has to build, as jobs: which runtimes, for which platform, on which kind of runner, and why."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from runtimebuilder.ci import revision
from runtimebuilder.ci.changes import What, compare
from runtimebuilder.errors import SpecError
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.model import RuntimeSpec


class Format(enum.StrEnum):
    """For which system the jobs are written."""

    GITHUB = "github"
    GITLAB = "gitlab"
    BUILDKITE = "buildkite"
    JSON = "json"


# How many jobs one matrix may have (https://docs.github.com/actions/reference/limits, GitLab's parallel:matrix).
LIMITS: Mapping[Format, int] = {
    Format.GITHUB: 256,
    Format.GITLAB: 200,
    Format.BUILDKITE: 500,
    Format.JSON: 256,
}
_RUNNERS: Mapping[Format, Mapping[str, str]] = {
    Format.GITHUB: {"linux/amd64": "ubuntu-24.04", "linux/arm64": "ubuntu-24.04-arm"},
    Format.GITLAB: {"linux/amd64": "saas-linux-small-amd64", "linux/arm64": "saas-linux-small-arm64"},
    Format.BUILDKITE: {"linux/amd64": "linux-amd64", "linux/arm64": "linux-arm64"},
    Format.JSON: {"linux/amd64": "amd64", "linux/arm64": "arm64"},
}
ALL = "all are built"


@dataclass(frozen=True)
class Chosen:
    """A runtime that is to be built, and why: `spec changed`, `new`."""

    runtime: RuntimeSpec
    reason: str


@dataclass(frozen=True, order=True)
class Job:
    """One job. `runtimes` are sorted, and of one platform, or of all that are asked for (comma-separated)."""

    runtimes: tuple[str, ...]
    platform: str
    runner: str
    base: str
    reason: str = field(compare=False)

    @property
    def name(self) -> str:
        """For people: the runtimes, or how many there are, and the platform."""
        more = f" and {len(self.runtimes) - 1} more" if len(self.runtimes) > 1 else ""
        return f"{self.runtimes[0]}{more} ({self.platform})"


@dataclass(frozen=True)
class Plan:
    """How jobs are cut. `runners`: a platform's runner, over the format's own; `shard`: (which, of how many)."""

    format: Format = Format.GITHUB
    by_platform: bool = True
    by_version: bool = False  # one job for all runtimes of a family's version, which share their layers
    max_jobs: int | None = None  # None: the format's own limit
    runners: Mapping[str, str] = field(default_factory=dict)
    shard: tuple[int, int] = (1, 1)
    platforms: tuple[str, ...] = ()  # of each runtime's own; (): all


def parse_shard(text: str) -> tuple[int, int]:
    """`2/5` as (2, 5). Raises `SpecError` (exit 2) for anything else."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise SpecError(f"--shard {text!r} is not I/N, with I from 1 to N", hint="for example --shard 1/4")
    return int(match[1]), int(match[2])


def parse_runners(texts: Sequence[str]) -> Mapping[str, str]:
    """`linux/arm64=my-label` by platform. Raises `SpecError` (exit 2) for anything else."""
    found = {}
    for text in texts:
        platform, equals, label = text.partition("=")
        if not equals or not label or "/" not in platform:
            raise SpecError(
                f"--runner {text!r} is not PLATFORM=LABEL", hint="for example --runner linux/arm64=graviton"
            )
        found[platform] = label
    return found


def choose(
    catalog: Catalog, runtimes: Sequence[RuntimeSpec], since: str | None
) -> tuple[tuple[Chosen, ...], str | None]:
    """What of `runtimes` is not as at revision `since`, with the reason; all when there is none.

    When the comparison cannot be made all are chosen, and the second value says why in a sentence.
    """
    if since is None:
        return tuple(Chosen(runtime, ALL) for runtime in runtimes), None
    try:
        with revision.at(since) as before:
            changes = compare(before, revision.here(catalog), runtimes)
    except revision.RevisionError as error:
        reason = "cannot be compared"
        return tuple(Chosen(runtime, reason) for runtime in runtimes), error.message
    by_name = {runtime.name: runtime for runtime in runtimes}
    return tuple(
        Chosen(by_name[change.name], _reason(change.what, change.why))
        for change in changes
        if change.what is not What.UNCHANGED
    ), None


_KINDS = {
    "spec": "spec changed",
    "file": "file changed",
    "template": "template changed",
    "lock": "lock changed",
}


def _reason(what: What, why: Sequence[str]) -> str:
    if what is What.NEW:
        return "new"
    kinds = dict.fromkeys(_KINDS.get(one.partition(":")[0], "changed") for one in why)
    return ", ".join(kinds) or "changed"


def jobs(chosen: Sequence[Chosen], plan: Plan) -> tuple[Job, ...]:
    """The jobs of the plan's shard, sorted.

    When there are too many, runtimes that share layers become one job, and when that is not enough, neighbours do.
    Every choice is in exactly one job of exactly one shard, once a platform.
    """
    limit = plan.max_jobs if plan.max_jobs is not None else LIMITS[plan.format]
    found = _cut(chosen, plan)
    which, of = plan.shard
    if -(-len(found) // of) > limit:
        found = _cut(chosen, replace(plan, by_version=True))
    if -(-len(found) // of) > limit:
        found = _merged(found, limit * of)
    return tuple(found[which - 1 :: of])


def _cut(chosen: Sequence[Chosen], plan: Plan) -> list[Job]:
    groups: dict[tuple[str, ...], list[tuple[Chosen, str]]] = {}
    for one in chosen:
        runtime = one.runtime
        platforms = [name for name in runtime.platforms if not plan.platforms or name in plan.platforms]
        if not platforms:
            continue
        shared = (runtime.family, runtime.version) if plan.by_version else (runtime.name,)
        for platform in platforms if plan.by_platform else [",".join(platforms)]:
            groups.setdefault((*shared, runtime.base, platform), []).append((one, platform))
    found = []
    for (*_, base, platform), members in sorted(groups.items()):
        names = tuple(sorted(one.runtime.name for one, _ in members))
        reasons = dict.fromkeys(one.reason for one, _ in members)
        found.append(Job(names, platform, _runner(plan, platform), base, ", ".join(reasons)))
    return sorted(found)


def _runner(plan: Plan, platform: str) -> str:
    first = platform.split(",", maxsplit=1)[0]
    label = plan.runners.get(first) or _RUNNERS[plan.format].get(first)
    if label is None:
        raise SpecError(f"there is no runner for {first}", hint=f"say --runner {first}=LABEL")
    return label


def _merged(found: Sequence[Job], limit: int) -> list[Job]:
    """At most `limit` jobs: neighbours of one platform and base together, as evenly as it goes."""
    kinds: dict[tuple[str, str, str], list[Job]] = {}
    for job in found:
        kinds.setdefault((job.platform, job.base, job.runner), []).append(job)
    if len(kinds) > limit:
        raise SpecError(
            f"at most {limit} jobs cannot be met: there are {len(kinds)} platforms and bases",
            hint="raise --max-jobs, or take more shards",
        )
    merged = []
    size = 1
    while sum(-(-len(members) // size) for members in kinds.values()) > limit:
        size += 1
    for members in kinds.values():
        for at in range(0, len(members), size):
            part = members[at : at + size]
            names = tuple(sorted(name for job in part for name in job.runtimes))
            reasons = dict.fromkeys(reason for job in part for reason in job.reason.split(", "))
            merged.append(replace(part[0], runtimes=names, reason=", ".join(reasons)))
    return sorted(merged)
