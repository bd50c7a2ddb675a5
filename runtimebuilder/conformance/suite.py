"""Running the suite's pytest in this process, away from anybody's pytest settings."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from runtimebuilder.conformance import plugin
from runtimebuilder.conformance.session import CASES, SuiteSession, activate

_SETTINGS = Path(__file__).resolve().parent / "verify.ini"
_FOREIGN = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")


def run_suite(session: SuiteSession, *more: object, own: Sequence[str] = ()) -> bool:
    """Run the cases, the suite's and those in the paths `own`; `more` are plug-ins. Whether it was interrupted.

    Nothing of the caller's pytest configuration, folder or environment takes part, but for a conftest.py in the
    folders of `own`. RuntimeError when pytest itself could not run.
    """
    code = _main([*_of_own(own), str(CASES), *own], _Quiet(session), *more)
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        raise RuntimeError(f"the suite itself could not run: pytest ended with {code}")
    # pytest ends with the same code when it is told to stop.
    return code == pytest.ExitCode.INTERRUPTED and not session.gave_up


def look_at(own: Sequence[str], *plugins: object) -> int:
    """Collect the cases and tests in these paths, and run nothing; `plugins` see what is found. pytest's code."""
    return _main([*_of_own(own), "--collect-only", *own], _Silent(), *plugins)


def _of_own(own: Sequence[str]) -> list[str]:
    """The options for whether there are tests of others: their asserts are worth a message, and their conftest.py."""
    if not own:
        return ["--noconftest", "--assert=plain"]
    folders = [path if path.is_dir() else path.parent for path in map(Path, own)]
    return [f"--confcutdir={os.path.commonpath(folders)}", "--assert=rewrite"]


def _main(arguments: Sequence[str], *plugins: object) -> int:
    given = [
        f"--config-file={_SETTINGS}",
        f"--rootdir={_SETTINGS.parent}",
        "--import-mode=importlib",
        "--capture=no",
        *(f"-pno:{name}" for name in ("cacheprovider", "logging", "faulthandler", "junitxml", "warnings")),
        *arguments,
    ]
    with _own_environment():
        # The entry point loads the plug-in unless loading is off, as it is here: name it.
        return int(pytest.main([*given, "-p", plugin.__name__], plugins=list(plugins)))


class _Silent:
    """Takes pytest's own reporter away."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            config.pluginmanager.unregister(terminal)


class _Quiet(_Silent):
    """Puts the session in as well."""

    def __init__(self, session: SuiteSession) -> None:
        self._session = session

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        super().pytest_configure(config)
        config.stash[plugin.ACTIVE] = True
        activate(config, self._session)


@contextlib.contextmanager
def _own_environment() -> Generator[None, None, None]:
    """Without the caller's pytest variables, and without the plug-ins of other packages."""
    kept = {name: os.environ.pop(name) for name in _FOREIGN if name in os.environ}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        os.environ.update(kept)
