"""The wheel carries what the tool ships: installed into an empty environment, it works in an empty folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from runtimebuilder.conformance.report.jsonlines import write_reports
from tests.unit.conformance import reports

ROOT = Path(__file__).resolve().parents[2]


def test_the_wheel_works_in_an_empty_environment_and_folder(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path / "dist", ROOT], check=True, cwd=tmp_path
    )
    (wheel,) = (tmp_path / "dist").glob("runtimebuilder-*.whl")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    installed = tmp_path / "venv" / "bin"
    subprocess.run(
        [installed / "python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install", wheel],
        check=True,
    )
    empty = tmp_path / "empty"
    empty.mkdir()

    listed = subprocess.run(
        [installed / "runtimebuilder", "list", "--json"],
        cwd=empty,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"php-82", "php-82-fpm", "php-82-console"} <= {
        runtime["name"] for runtime in json.loads(listed.stdout)["runtimes"]
    }

    rendered = subprocess.run(
        [installed / "runtimebuilder", "render", "php-82-fpm"],
        cwd=empty,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "FROM public.ecr.aws/lambda/provided:al2023" in rendered.stdout

    written = subprocess.run(
        [installed / "runtimebuilder", "render", "php-82-fpm", "--output", "context"],
        cwd=empty,
        capture_output=True,
        text=True,
        check=True,
    )
    assert written.stdout == ""
    bootstrap = empty / "context" / "rootfs" / "var" / "runtime" / "bootstrap"
    assert bootstrap.stat().st_mode & 0o111
    assert list(empty.iterdir()) == [empty / "context"]

    saved = tmp_path / "saved.jsonl"
    with saved.open("w", encoding="utf-8") as stream:
        write_reports(stream, [reports.report(reports.failed(), reports.passed())])
    page = tmp_path / "page.html"
    subprocess.run([installed / "runtimebuilder", "report", saved, "-o", page], cwd=empty, check=True)
    assert "closed by the runtime after 60.0 s" in page.read_text(encoding="utf-8")
