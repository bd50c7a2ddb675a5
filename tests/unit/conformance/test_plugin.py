"""The plug-in in other people's pytest runs, where it has to be as good as absent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_loading_it_imports_nothing_of_the_suite_or_the_engine(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(
        "import sys\n\n\ndef test_modules():\n"
        "    assert 'runtimebuilder.conformance.plugin' in sys.modules\n"
        "    heavy = {'docker', 'pydantic', 'h11', 'rich', 'runtimebuilder.conformance.session'}\n"
        "    assert not heavy & set(sys.modules)\n",
        encoding="utf-8",
    )
    done = run_pytest(tmp_path, "-q")
    assert done.returncode == 0, done.stdout


def test_its_fixtures_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text("def test_x(box):\n    pass\n", encoding="utf-8")
    assert "fixture 'box' not found" in run_pytest(tmp_path).stdout


def test_their_own_option_of_the_same_name_stays_theirs(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "def pytest_addoption(parser):\n    parser.addoption('--their-image')\n", encoding="utf-8"
    )
    (tmp_path / "test_theirs.py").write_text(
        "def test_x(request):\n    assert request.config.getoption('--their-image') == 'x'\n",
        encoding="utf-8",
    )
    assert run_pytest(tmp_path, "--their-image", "x").returncode == 0


@pytest.mark.parametrize("arguments", [("--pyargs", "runtimebuilder.conformance")])
def test_the_suite_without_an_image_says_what_it_needs(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run_pytest(tmp_path, *arguments)
    assert done.returncode != 0
    assert "the conformance suite needs an image: pytest ... --image REFERENCE" in done.stdout + done.stderr
