"""The suite is worth what it finds: for every case there is a subject with one mistake, and the case finds it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest

from runtimebuilder.conformance.case import builtin_cases
from runtimebuilder.conformance.report.result import CaseResult, Report, State
from runtimebuilder.conformance.run import VerifyOptions, verify
from runtimebuilder.engine.docker import Engine, ImageFacts
from tests.integration.conformance.bench import Bench
from tests.integration.conformance.conftest import Judge
from tests.integration.conformance.mutants import DESCRIPTIONS, IMAGES, MUTATIONS
from tests.miniatures import mutation as miniature_mutation


def only(report: Report) -> CaseResult:
    (result,) = report.results
    return result


def test_every_case_has_a_mutant() -> None:
    covered = [*MUTATIONS, *IMAGES, *DESCRIPTIONS]
    assert sorted(covered) == sorted(one.number for one in builtin_cases())


def test_every_mutation_is_used_and_known() -> None:
    used = {
        *MUTATIONS.values(),
        *(line.split("MUTATION=")[1] for line in IMAGES.values() if "MUTATION=" in line),
    }
    assert used == miniature_mutation.known_mutations()


@pytest.fixture(scope="module")
def bench(request: pytest.FixtureRequest, miniature: str) -> Iterator[Bench]:
    """All mutations that this run of the tests asks for, judged beside each other."""
    parameters = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = [each.params for each in parameters if each is not None and "mutation" in each.params]
    bench = Bench(miniature, ((each["case"], each["mutation"]) for each in wanted))
    yield bench
    bench.close()


@pytest.mark.parametrize(("case", "mutation"), MUTATIONS.items())
def test_a_mutation_is_found(bench: Bench, case: str, mutation: str) -> None:
    result = bench.verdict(case, mutation)
    assert result.state is State.FAILED, f"{result.state} {result.reason or ''}"
    assert result.expected
    assert result.seen


@pytest.mark.parametrize(("case", "lines"), IMAGES.items())
def test_a_broken_image_is_found(judge: Judge, variant: Callable[[str], str], case: str, lines: str) -> None:
    result = only(judge(variant(lines), case))
    assert result.state is State.FAILED, f"{result.state} {result.reason or ''}"


@pytest.mark.parametrize(("case", "change"), DESCRIPTIONS.items())
def test_a_falsified_description_is_found(
    engine: Engine, miniature: str, monkeypatch: pytest.MonkeyPatch, case: str, change: dict[str, object]
) -> None:
    real = engine.image

    def falsified(ref: str) -> ImageFacts | None:
        facts = real(ref)
        return dataclasses.replace(facts, **change) if facts else None  # type: ignore[arg-type] # any field

    monkeypatch.setattr(engine, "image", falsified)
    result = only(verify(engine, miniature, VerifyOptions(cases=(case,))))
    assert result.state is State.FAILED, f"{result.state} {result.reason or ''}"
