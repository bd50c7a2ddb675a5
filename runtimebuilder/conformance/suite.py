"""Running the suite's pytest in this process, away from anybody's pytest settings."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path

import pytest

from runtimebuilder.conformance import plugin
from runtimebuilder.conformance.session import CASES, SuiteSession, activate

_SETTINGS = Path(__file__).resolve().parent / "verify.ini"
_FOREIGN = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")


def run_suite(session: SuiteSession, *more: object) -> bool:
    """Run the cases; `more` are plug-ins. Whether it was interrupted.

    Nothing of the caller's pytest configuration, folder or environment takes part. RuntimeError when pytest
    itself could not run.
    """
    arguments = [
        f"--config-file={_SETTINGS}",
        f"--rootdir={_SETTINGS.parent}",
        "--noconftest",
        "--import-mode=importlib",
        "--assert=plain",
        "--capture=no",
        *(f"-pno:{name}" for name in ("cacheprovider", "logging", "faulthandler", "junitxml", "warnings")),
        str(CASES),
    ]
    plugins: list[object] = [_Quiet(session), *more]
    with _own_environment():
        # The entry point loads the plug-in unless loading is off, as it is here: name it.
        code = pytest.main([*arguments, "-p", plugin.__name__], plugins=plugins)
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        raise RuntimeError(f"the suite itself could not run: pytest ended with {code}")
    # pytest ends with the same code when it is told to stop.
    return code == pytest.ExitCode.INTERRUPTED and not session.gave_up


class _Quiet:
    """Takes pytest's own reporter away and puts the session in."""

    def __init__(self, session: SuiteSession) -> None:
        self._session = session

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            config.pluginmanager.unregister(terminal)
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
