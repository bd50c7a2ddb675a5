"""Which cases each mutant fails: its own has to be among them, and no MUST that has nothing to do with the mistake.

`python -m tests.integration.conformance.kill_matrix` judges every mutant with the MUST cases of its own section and
a few of every other one, keeps what it found in a file, goes on where it stopped, and writes
docs/kill-matrix.md. It takes a mutant half a minute, so it is no part of the tests; those judge a dozen.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib
import inspect
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import zip_longest
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from runtimebuilder.conformance.case import Case, Level, builtin_cases
from runtimebuilder.conformance.report.result import State
from runtimebuilder.conformance.run import VerifyOptions, verify
from runtimebuilder.engine.bases import make_present
from runtimebuilder.engine.docker import Engine
from runtimebuilder.spec.catalog import Catalog
from tests.integration.conformance import bench
from tests.integration.conformance.conftest import DOCKERFILE, build
from tests.integration.conformance.mutants import IMAGES, MUTATIONS
from tests.integration.conformance.mutants.related import FATAL, RELATED

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "kill-matrix.md"
OTHERS = 3  # quick MUST cases of each section that is not the mutant's own


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake. `mistake`: a value of MUTATION, or Dockerfile lines when `is_image`."""

    case: str
    mistake: str
    is_image: bool = False


@dataclass(frozen=True, slots=True)
class Kill:
    """What became of the cases that a mutant was judged with, by their numbers."""

    case: str
    mistake: str
    ran: tuple[str, ...]
    failed: tuple[str, ...]
    errored: tuple[str, ...]
    unreached: tuple[str, ...]
    seconds: float

    @property
    def is_found(self) -> bool:
        """Whether the mutant's own case failed."""
        return self.case in self.failed

    def related(self) -> Mapping[str, str]:
        """Cases that may fail as well, with the reason."""
        same = {
            case: "the same mistake is this case's own"
            for case, mistake in {**MUTATIONS, **IMAGES}.items()
            if mistake == self.mistake
        }
        return {**same, **RELATED.get(self.case, {})}

    def unrelated(self, musts: Iterable[str]) -> tuple[str, ...]:
        """MUST cases that failed, or could not be reached, and that nobody expected to."""
        wrong = {*self.failed, *self.unreached} & set(musts)
        return tuple(sorted(wrong - {self.case} - self.related().keys())) if not self.is_fatal else ()

    @property
    def is_fatal(self) -> bool:
        """Whether it is known that nothing works with this mistake."""
        return self.case in FATAL


def all_mutants() -> tuple[Mutant, ...]:
    """Every mutant that is an image or a mutation; section by section in turn, so that a short run is a fair one."""
    section = {one.number: one.section for one in builtin_cases()}
    by_section: dict[str, list[Mutant]] = {}
    for one in builtin_cases():
        if one.slow is None and (one.number in MUTATIONS or one.number in IMAGES):
            is_image = one.number in IMAGES
            mistake = IMAGES[one.number] if is_image else MUTATIONS[one.number]
            mutant = Mutant(one.number, mistake, is_image)
            by_section.setdefault(section[one.number], []).append(mutant)
    turns = zip_longest(*by_section.values())
    return tuple(mutant for turn in turns for mutant in turn if mutant is not None)


def cases_for(case: str, known: Sequence[Case]) -> tuple[str, ...]:
    """The case itself, the MUST cases of its section, and a few quick ones of every other section."""
    own = next(one.section for one in known if one.number == case)
    musts: dict[str, list[Case]] = {}
    for one in known:
        if one.level is Level.MUST and one.slow is None:
            musts.setdefault(one.section, []).append(one)
    chosen = [case]
    for title, found in musts.items():
        chosen += [one.number for one in (found if title == own else list(filter(is_quick, found))[:OTHERS])]
    return tuple(dict.fromkeys(chosen))


def is_quick(one: Case) -> bool:
    """Whether the case shares the warm environment."""
    function = getattr(importlib.import_module(one.module), one.function)
    return "warm" in inspect.signature(function).parameters


def judge(image: str, mutant: Mutant, cases: Sequence[str]) -> Kill:
    """Judge a mutant with these cases. In a worker of `bench`, whose run is used."""
    run = bench.current_run()
    begun = time.monotonic()
    subject, env = image, {"MUTATION": mutant.mistake}
    if mutant.is_image:
        subject, env = build(run.engine, "mutant", f"FROM {image}\n{mutant.mistake}\n"), {}
    results = list(verify(run.engine, subject, VerifyOptions(cases=tuple(cases), env=env), run=run).results)
    if any(one.case.number == mutant.case and one.state is State.SKIPPED for one in results):
        # Nothing works with this mistake, so the suite stopped before it came to the case: ask it alone.
        alone = verify(run.engine, subject, VerifyOptions(cases=(mutant.case,), env=env), run=run).results
        results = [one for one in results if one.case.number != mutant.case] + list(alone)
    if mutant.is_image:
        run.engine.remove_image(subject, force=True)

    def numbers(state: State) -> tuple[str, ...]:
        return tuple(result.case.number for result in results if result.state is state)

    failed = numbers(State.FAILED)
    ran = tuple(sorted((*numbers(State.PASSED), *failed)))
    seconds = round(time.monotonic() - begun, 1)
    return Kill(
        mutant.case, mutant.mistake, ran, failed, numbers(State.ERRORED), numbers(State.SKIPPED), seconds
    )


def read(path: Path) -> dict[str, Kill]:
    """What an earlier run found, by case; the last line of a case counts."""
    if not path.exists():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        values: dict[str, Any] = json.loads(line)
        values |= {name: tuple(values[name]) for name in ("ran", "failed", "errored", "unreached")}
        kill = Kill(**values)
        found[kill.case] = kill
    return found


def page(kills: Iterable[Kill], known: Sequence[Case]) -> str:
    """The page: what was run, what came of it, a line for each mutant."""
    musts = [one.number for one in known if one.level is Level.MUST]
    by_case = {kill.case: kill for kill in kills}
    ordered = [(one, by_case[one.number]) for one in known if one.number in by_case]
    alone = sum(kill.is_found and not (set(kill.failed) & set(musts)) - {kill.case} for _, kill in ordered)
    missed = [one.number for one, kill in ordered if not kill.is_found]
    wrong = [one.number for one, kill in ordered if kill.unrelated(musts)]
    return "\n".join(_page(known, ordered, alone, missed, wrong)) + "\n"


def _page(
    known: Sequence[Case],
    ordered: Sequence[tuple[Case, Kill]],
    alone: int,
    missed: list[str],
    wrong: list[str],
) -> Iterator[str]:
    total = len(all_mutants())
    yield "# Mutants and the cases that find them"
    yield ""
    yield "Made by `python -m tests.integration.conformance.kill_matrix`. A mutant is the miniature runtime of the"
    yield "tests with one mistake, or its image with one change. Each was judged with its own case, the MUST cases of"
    yield "that case's section, and some quick MUST cases of every other section. Its own case has to fail,"
    yield "and no MUST that has nothing to do with the mistake."
    yield ""
    yield f"- judged: {len(ordered)} of {total} mutants (those of cases that take a minute are not among them)"
    yield f"- found by their own case: {len(ordered) - len(missed)}" + (
        f"; not: {', '.join(missed)}" if missed else ""
    )
    yield f"- failing no other MUST that was run: {alone}"
    yield f"- failing a MUST that nobody expected: {len(wrong)}" + (f" ({', '.join(wrong)})" if wrong else "")
    yield ""
    yield "| Case | Level | Mistake | Found | Cases run | Other MUST cases that fail |"
    yield "|---|---|---|---|---|---|"
    for one, kill in ordered:
        yield _row(one, kill, [each.number for each in known if each.level is Level.MUST])


def _row(one: Case, kill: Kill, musts: Sequence[str]) -> str:
    related, unrelated = kill.related(), kill.unrelated(musts)
    fell = [number for number in (*kill.failed, *kill.unreached) if number in musts and number != kill.case]
    expected: dict[str, list[str]] = {}
    for number in fell:
        if number in related:
            expected.setdefault(related[number], []).append(number)
    told = [f"{', '.join(numbers)}: {reason}" for reason, numbers in expected.items()]
    if kill.is_fatal and fell:
        told = [f"all that start it: {FATAL[kill.case]}"]
    told += [f"**unexpected: {', '.join(unrelated)}**"] if unrelated else []
    told += [f"**errored: {', '.join(kill.errored)}**"] if kill.errored else []
    mistake = kill.mistake.replace("\n", "; ").replace("|", "\\|")
    found = "yes" if kill.is_found else "**no**"
    return f"| {one.id} | {one.shown_level} | `{mistake}` | {found} | {len(kill.ran)} | {'; '.join(told)} |"


def main() -> int:
    """Judge what is not in the file of results yet; write the page after each mutant. 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--results", type=Path, default=ROOT / "kill-matrix.jsonl", help="found so far, and from now on"
    )
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time")
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="CASE", help="only the mutants of these cases, again"
    )
    parser.add_argument(
        "--page-only", action="store_true", help="write the page from what was found; judge nothing"
    )
    options = parser.parse_args()
    known = builtin_cases()
    found = read(options.results)
    if not options.page_only:
        mutants = [one for one in all_mutants() if not options.only or one.case in options.only]
        _judge_all(mutants, found, known, options)
    PAGE.write_text(page(found.values(), known), encoding="utf-8")
    musts = [one.number for one in known if one.level is Level.MUST]
    bad = [kill.case for kill in found.values() if not kill.is_found or kill.unrelated(musts)]
    sys.stderr.write(f"{len(found)} mutants judged, {len(bad)} with something unexpected; {PAGE}\n")
    return 1 if bad else 0


def _judge_all(
    mutants: Sequence[Mutant], found: dict[str, Kill], known: Sequence[Case], options: argparse.Namespace
) -> None:
    engine = Engine.connect()
    base = make_present(engine, Catalog.load([ROOT / "runtimes"]).base("debian-12"), (), print).reference
    image = build(engine, "miniature", DOCKERFILE.format(base=base))
    engine.close()
    todo = [
        one
        for one in mutants
        if options.only or one.case not in found or found[one.case].mistake != one.mistake
    ]
    context = get_context("spawn")
    with (
        options.results.open("a", encoding="utf-8") as file,
        ProcessPoolExecutor(options.jobs, mp_context=context, initializer=bench.begin) as pool,
        contextlib.ExitStack() as stack,
    ):
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        begun = [pool.submit(judge, image, one, cases_for(one.case, known)) for one in todo]
        for future in as_completed(begun):
            kill = future.result()
            found[kill.case] = kill
            file.write(json.dumps(dataclasses.asdict(kill)) + "\n")
            file.flush()
            others = [number for number in kill.failed if number != kill.case]
            sys.stderr.write(
                f"{kill.case} {kill.mistake!r}: {'found' if kill.is_found else 'NOT FOUND'} in {kill.seconds:.0f} s, "
                f"failed too: {', '.join(others) or 'none'}"
                + (f"; {len(kill.unreached)} not reached" if kill.unreached else "")
                + (f"; errored: {', '.join(kill.errored)}" if kill.errored else "")
                + "\n"
            )


if __name__ == "__main__":
    sys.exit(main())
