"""A handler whose hook fails before the snapshot."""

import importlib

probe = importlib.import_module("probe")

MESSAGE = "the probe's hook fails before the snapshot"


def fail() -> None:
    print(MESSAGE, flush=True)  # noqa: T201 - the log is where it is looked for
    raise RuntimeError(MESSAGE)


if probe.hooks is not None:
    probe.hooks.register_before_snapshot(fail)

handler = probe.handler
