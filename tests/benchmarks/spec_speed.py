"""How long it takes to validate, resolve and render many runtimes, on one core, and how it grows with their number.

    python -m tests.benchmarks.spec_speed [--rounds N] [--json FILE]

Twenty runtimes are four files: two families of three versions in three variants, and two that extend one of theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (250, 500, 1000)
_PER_FAMILY = 10  # nine runtimes, and the one that extends one of them
_FAMILY = """\
schema: 1
family: team{number}
summary: PHP {{{{ version }}}} of team {number}
template: php
versions: ["8.2", "8.3", "8.4"]
variants:
  function: {{ name: "team{number}-{{{{ xy }}}}" }}
  console: {{ name: "team{number}-{{{{ xy }}}}-console" }}
  fpm: {{ name: "team{number}-{{{{ xy }}}}-fpm", ini: {{ max_execution_time: 0 }} }}
base: al2023
extensions: [bcmath, curl, intl, mbstring, opcache, pdo_mysql, soap, zip]
ini:
  memory_limit: {number}M  # what this team needs
  display_errors: off
env: {{ TEAM: "{number}" }}
labels: {{ team: "{number}" }}
"""
_HEIR = """\
schema: 1
name: team{number}-shop
extends: team{number}-82-fpm
extensions: [+redis, -soap]
ini: {{ memory_limit: 512M }}
"""
_WORK = """\
import sys, time
from pathlib import Path
started = time.perf_counter()
from runtimebuilder.render.environment import TemplateSet
from runtimebuilder.render.image import render_image
from runtimebuilder.spec.catalog import Catalog
imported = time.perf_counter()
catalog = Catalog.load([Path("runtimes")])
loaded = time.perf_counter()
templates = TemplateSet()
contexts = [render_image(one, catalog.base(one.base), templates=templates) for one in catalog.runtimes.values()]
total = sum(len(context.files) for context in contexts)
ended = time.perf_counter()
assert total > 40 * len(catalog.runtimes)
print(len(catalog.runtimes), imported - started, loaded - imported, ended - loaded)
"""


def _measure(runtimes: int) -> tuple[float, float, float]:
    """Seconds of one process for importing, loading (validating and resolving) and rendering."""
    with tempfile.TemporaryDirectory() as folder:
        specs = Path(folder) / "runtimes"
        specs.mkdir()
        for number in range(runtimes // _PER_FAMILY):
            (specs / f"team{number}.yaml").write_text(_FAMILY.format(number=number))
            (specs / f"team{number}-shop.yaml").write_text(_HEIR.format(number=number))
        answer = subprocess.run(
            [sys.executable, "-c", _WORK], cwd=folder, capture_output=True, text=True, check=True
        )
    count, *seconds = answer.stdout.split()
    if int(count) != runtimes:
        raise RuntimeError(f"{count} runtimes, not {runtimes}")
    imported, loaded, rendered = map(float, seconds)
    return imported, loaded, rendered


def main() -> None:
    """Measure, print a table, and write the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    found: dict[int, list[tuple[float, float, float]]] = {size: [] for size in SIZES}
    started = time.monotonic()
    for _ in range(options.rounds):
        for size in SIZES:
            found[size].append(_measure(size))
    medians = {
        size: [statistics.median(part) for part in zip(*rounds, strict=True)]
        for size, rounds in found.items()
    }
    print("runtimes   import     load   render    total   a runtime")
    for size, (imported, loaded, rendered) in medians.items():
        total = imported + loaded + rendered
        print(
            f"{size:8}  {imported:6.2f} s {loaded:6.2f} s {rendered:6.2f} s {total:6.2f} s   "
            f"{(loaded + rendered) / size * 1000:.2f} ms"
        )
    print(f"medians of {options.rounds} rounds, one core; {time.monotonic() - started:.0f} s in all")
    if options.json:
        options.json.write_text(
            json.dumps({str(size): rounds for size, rounds in found.items()}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
