"""A handler whose hook fails after the restore."""

import importlib

probe = importlib.import_module("probe")

MESSAGE = "the probe's hook fails after the restore"


def fail() -> None:
    print(MESSAGE, flush=True)  # noqa: T201 - the log is where it is looked for
    raise RuntimeError(MESSAGE)


if probe.hooks is not None:
    probe.hooks.register_after_restore(fail)

handler = probe.handler
