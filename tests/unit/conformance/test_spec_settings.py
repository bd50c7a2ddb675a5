"""What a spec's `verify:` says counts where the command line says nothing."""

from __future__ import annotations

from pathlib import Path

from runtimebuilder.conformance.case import Level
from runtimebuilder.conformance.options import VerifyOptions
from runtimebuilder.spec.contents import VerifySettings

SAID = VerifySettings.model_validate(
    {"level": ["MUST"], "strict": True, "memory": 512, "timeout": 20, "known-failing": "known.txt"}
)


def test_the_spec_counts_where_nothing_is_said() -> None:
    options = VerifyOptions().with_settings(SAID, Path("/project"))
    assert options.levels == (Level.MUST,)
    assert options.strict
    assert (options.limits.memory_mb, options.limits.timeout_s) == (512, 20.0)
    assert options.known_failing == Path("/project/known.txt")
    assert options.arguments() == ("--memory", "512", "--timeout", "20")


def test_the_command_line_comes_before_it() -> None:
    said = VerifyOptions(cases=("RT-001*",), memory=256, timeout=5, known_failing=Path("mine.txt"))
    options = said.with_settings(SAID, Path("/project"))
    assert options.levels == (), "cases by name are of every level"
    assert (options.limits.memory_mb, options.limits.timeout_s) == (256, 5.0)
    assert options.known_failing == Path("mine.txt")


def test_a_spec_that_says_nothing_changes_nothing() -> None:
    assert VerifyOptions().with_settings(VerifySettings(), Path()) == VerifyOptions()
