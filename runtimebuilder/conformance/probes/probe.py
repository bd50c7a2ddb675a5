"""What a probe is: a small handler that the suite installs into the subject and gives commands to."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from runtimebuilder.conformance.case import Need
from runtimebuilder.sandbox.layer import LayerFile

LAYER_FILE = LayerFile("/opt/probe/layer.txt", b"a file of a layer")
"""What is always there with a probe, as if a layer held it."""

SLOW_LOAD_SECONDS = 3.0
"""How long a probe's slow-load handler sleeps while it is loaded."""


BEFORE_SNAPSHOT_MARK = "probe: before the snapshot"
"""What the hook of a probe prints that runs before the snapshot."""

AFTER_RESTORE_MARK = "probe: after the restore"
"""What the hook of a probe prints that runs after the restore."""


class Form(enum.StrEnum):
    """How commands travel to the handler and results back."""

    DIRECT = "direct"  # the event is the command, the result is the result
    HTTP = (
        "http"  # the command is the body of an HTTP API event (payload 2.0), the result that of the response
    )
    CONSOLE = "console"  # the event is a list of one string, the command as JSON; the result is the output


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe. Handlers and needs a probe does not offer are in `lacking`, each with a reason for people.

    `files` are put on the subject under /var/task; `handler` answers commands; `faulty` are handler strings
    for starts that go wrong, by what goes wrong; `missing_handler` names a file that does not exist; `programs`
    are those of `files` that can be executed.
    """

    name: str
    language: str
    form: Form
    files: Mapping[str, bytes]
    handler: str
    missing_handler: str
    faulty: Mapping[Need, str]
    lacking: Mapping[Need, str]
    features: tuple[Need, ...] = ()  # what the runtime behind this probe has, see `conformance.features`
    programs: frozenset[str] = frozenset()

    def layer(self) -> tuple[LayerFile, ...]:
        """The files as they are put on the subject, and LAYER_FILE beside them."""
        files = (
            LayerFile(f"/var/task/{name}", content, 0o755 if name in self.programs else 0o644)
            for name, content in self.files.items()
        )
        return (*files, LAYER_FILE)

    def lacks(self, needs: tuple[Need, ...]) -> str | None:
        """Why this probe cannot serve a case with these needs, or None when it can."""
        for need in needs:
            if need in self.lacking:
                return self.lacking[need]
            if need in _START_FAULTS and need not in self.faulty:
                return f"the probe {self.name} has no handler for {need}"
        return None


_START_FAULTS = frozenset(
    (
        Need.MISSING_SYMBOL,
        Need.SYNTAX_ERROR,
        Need.THROWS_AT_LOAD,
        Need.EXITS_AT_LOAD,
        Need.SLOW_LOAD,
        Need.BEFORE_SNAPSHOT_FAILS,
        Need.AFTER_RESTORE_FAILS,
    )
)
