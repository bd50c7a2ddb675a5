"""`python -m runtimebuilder`."""

from runtimebuilder.cli.main import run

run()
