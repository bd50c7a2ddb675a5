"""`runtimebuilder version`."""

from __future__ import annotations

import platform
import sys
from typing import Annotated

import typer

import runtimebuilder


def version(
    short: Annotated[bool, typer.Option("--short", help="The number alone.")] = False,
) -> None:
    """Print the version of the tool and of what it runs on."""
    text = runtimebuilder.__version__
    if not short:
        text = f"runtimebuilder {text} (Python {platform.python_version()}, {platform.system()} {platform.machine()})"
    sys.stdout.write(text + "\n")
