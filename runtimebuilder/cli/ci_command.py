"""`runtimebuilder ci`: what a CI system asks."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from runtimebuilder.ci.matrix import Format, Plan, choose, jobs, parse_runners, parse_shard
from runtimebuilder.ci.pipelines import github_output, matrix_text
from runtimebuilder.cli import console
from runtimebuilder.cli.options import variable
from runtimebuilder.cli.selection import ChangedSince, Exclude, Family, Names, Own, Variant, select
from runtimebuilder.errors import SpecError
from runtimebuilder.spec.catalog import Catalog

ci = typer.Typer(
    name="ci",
    help="What a CI system asks: which jobs there are.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@ci.callback()
def _group() -> None:
    """What a CI system asks: which jobs there are."""


@ci.command("matrix", short_help="What has to be built, as the jobs of a matrix.")
def matrix(
    names: Names = None,
    family: Family = None,
    variant: Variant = None,
    exclude: Exclude = None,
    own: Own = False,
    changed_since: ChangedSince = None,
    kind: Annotated[
        str,
        typer.Option(
            "--format", metavar="github|gitlab|buildkite|json", help="For which system.", **variable("format")
        ),
    ] = "github",
    shard: Annotated[
        str, typer.Option("--shard", metavar="I/N", help="Only the I-th of N parts.", **variable("shard"))
    ] = "1/1",
    split: Annotated[
        str,
        typer.Option(
            "--split",
            metavar="arch|none",
            help="A job for each platform, or one for all.",
            **variable("split"),
        ),
    ] = "arch",
    group: Annotated[
        bool,
        typer.Option("--group", help="One job for the runtimes of a family's version.", **variable("group")),
    ] = False,
    max_jobs: Annotated[
        int | None,
        typer.Option("--max-jobs", metavar="N", min=1, help="At most so many jobs.", **variable("max-jobs")),
    ] = None,
    runner: Annotated[
        list[str] | None,
        typer.Option(
            "--runner",
            metavar="PLATFORM=LABEL",
            help="Which runner a platform's jobs take. Repeatable.",
            **variable("runner"),
        ),
    ] = None,
    platform: Annotated[
        list[str] | None,
        typer.Option(
            "--platform", metavar="OS/ARCH", help="Only this platform. Repeatable.", **variable("platform")
        ),
    ] = None,
    output: Annotated[
        bool,
        typer.Option(
            "--github-output",
            help="Write matrix, count and any to the file that GITHUB_OUTPUT names as well.",
        ),
    ] = False,
) -> None:
    """Print what has to be built as the jobs of a matrix; with --changed-since only what is different.

    Without anything to build the matrix is empty, and the exit code is 0.
    """
    if kind not in list(Format):
        raise SpecError(f"--format {kind!r} is not one of {', '.join(Format)}")
    if split not in {"arch", "none"}:
        raise SpecError(f"--split {split!r} is neither arch nor none")
    target = os.environ.get("GITHUB_OUTPUT")
    if output and not target:
        raise SpecError(
            "--github-output: the variable GITHUB_OUTPUT is not set", hint="it is in a job of GitHub's"
        )
    plan = Plan(
        format=Format(kind),
        by_platform=split == "arch",
        by_version=group,
        max_jobs=max_jobs,
        runners=parse_runners(runner or ()),
        shard=parse_shard(shard),
        platforms=tuple(platform or ()),
    )
    catalog = Catalog.load()
    runtimes = select(catalog, names, family, variant, exclude, own=own)
    chosen, problem = choose(catalog, runtimes, changed_since)
    if problem:
        console.say(f"WARNING: all are selected, for they cannot be compared: {problem}")
    found = jobs(chosen, plan)
    sys.stdout.write(matrix_text(found, plan.format))
    if output and target:
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(github_output(found))
    built = len({name for job in found for name in job.runtimes})
    console.say(f"{len(found)} jobs, {built} of {len(runtimes)} runtimes")
