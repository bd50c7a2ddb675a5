"""PHP-FPM is killed, starved and flooded: at most one request fails, then the function is healthy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.build.execute import BuiltImage
from tests.integration.php_faults import FAULTS, PAGE, Fault, observe

# The others are like one of these: they stand in the table of docs/php-faults.md.
TESTED = ("master killed (SIGKILL), b", "worker dies of SIGSEGV", "worker runs out", "a request that outlasts",
          "the socket's file is removed and", "master killed while", "200 MB")  # fmt: skip


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if fault.name.startswith(TESTED)], ids=lambda fault: fault.name
)
def test_a_fault_costs_one_request_at_most(
    built: Callable[..., BuiltImage], tmp_path: Path, fault: Fault
) -> None:
    (tmp_path / "index.php").write_text(PAGE, encoding="utf-8")
    seen = observe(built("php-82-fpm", base="debian-12").image_id, tmp_path, fault)
    dies = fault.request in {"segfault", "memory", "hang"}
    assert seen.failed == int(dies), seen.told
    assert seen.seconds < 15


def test_every_fault_that_is_tested_is_there() -> None:
    assert len([fault for fault in FAULTS if fault.name.startswith(TESTED)]) == len(TESTED)
