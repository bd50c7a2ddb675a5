"""The conformance suite as a pytest plug-in.

Every pytest run on a machine where the tool is installed loads this module, so it imports next to nothing
and does nothing until an image is given: `pytest --pyargs runtimebuilder.conformance --image X`.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

_CASES = Path(__file__).resolve().parent / "cases"
ACTIVE = pytest.StashKey[bool]()
"""Where the configuration says that this run is a run of the suite."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options; one whose name is taken by another plug-in is left to that plug-in."""
    group = parser.getgroup("runtimebuilder", "conformance of Lambda images (runtimebuilder)")
    options: tuple[tuple[str, dict[str, object]], ...] = (
        (
            "--image",
            {"metavar": "REFERENCE", "help": "the image to judge; without it the suite does nothing"},
        ),
        (
            "--case",
            {"action": "append", "default": [], "metavar": "ID", "help": "an id or a glob; may be repeated"},
        ),
        (
            "--section",
            {"action": "append", "default": [], "metavar": "TITLE", "help": "part of a section's title"},
        ),
        (
            "--level",
            {
                "action": "append",
                "default": [],
                "choices": ("MUST", "SHOULD", "MAY"),
                "help": "only cases of this level; may be repeated",
            },
        ),
        ("--probe", {"default": "auto", "metavar": "NAME", "help": "auto, none, a name, or a folder"}),
        ("--soak", {"action": "store_true", "help": "also the cases that take long"}),
        (
            "--link",
            {"default": "auto", "help": "how the box reaches the API: auto, namespace, gateway, host"},
        ),
        (
            "--known-failing",
            {"metavar": "FILE", "help": "cases that must still fail: `ID  # reason`, one on a line"},
        ),
        ("--strict-should", {"action": "store_true", "help": "a SHOULD that is not met fails the run too"}),
    )
    for name, settings in options:
        with contextlib.suppress(ValueError):
            group.addoption(name, dest=_destination(name), **settings)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begin a run of the suite when an image was given on pytest's command line."""
    reference = config.getoption(_destination("--image"), None)
    if not reference:
        return
    from runtimebuilder.conformance import command_line  # noqa: PLC0415 - only a run of the suite pays for it

    command_line.begin(config, str(reference))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Collect the suite's own cases, whose files are not named test_*.py."""
    if file_path.parent != _CASES or file_path.suffix != ".py" or file_path.name == "__init__.py":
        return None
    if not parent.config.stash.get(ACTIVE, False):
        raise pytest.UsageError("the conformance suite needs an image: pytest ... --image REFERENCE")
    if parent.session.isinitpath(file_path):
        return None  # pytest collects a file that was named itself
    module: pytest.Module = pytest.Module.from_parent(parent, path=file_path)
    return module


def _destination(option: str) -> str:
    return "runtimebuilder_" + option.removeprefix("--").replace("-", "_")
