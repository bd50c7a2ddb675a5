"""Each probe on a small runtime of its language: what it can show passes, what its runtime does wrong is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runtimebuilder.conformance.report.result import State
from runtimebuilder.engine.docker import Engine
from tests.integration.conformance.conftest import Judge
from tests.integration.conformance.images import build_image

RUNTIMES = Path(__file__).resolve().parents[2] / "fixtures" / "runtimes"
