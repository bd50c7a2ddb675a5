"""SnapStart in the miniature: the hooks of AWS's snapshot_restore_py, and the wait between them."""

import os
import sys
from collections.abc import Callable
from typing import Any

from mutation import broken

Hook = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]

before: list[Hook] = []
after: list[Hook] = []

sys.modules["snapshot_restore_py"] = sys.modules[__name__]  # what handlers import to register their hooks


def register_before_snapshot(function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    before.append((function, arguments, named))


def register_after_restore(function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    after.append((function, arguments, named))


def is_wanted() -> bool:
    """Whether a snapshot of this process is going to be taken."""
    if broken("restore-always"):
        return True
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


def wait_for_restore(connection: Any, fail: Callable[..., Any]) -> None:
    """Hooks, restore/next, hooks. `fail` reports what a hook raised, and ends the process."""
    if broken("needs-log-group"):
        os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
    hooks_before = list(reversed(before))
    if not broken("hooks-after-snapshot"):
        run(hooks_before, lambda problem: fail(connection, "Runtime.BeforeSnapshotError", problem))
    connection.request("GET", "/restore/next", {}, None)
    if broken("hooks-after-snapshot"):
        run(hooks_before, lambda problem: fail(connection, "Runtime.BeforeSnapshotError", problem))
    run(after, lambda problem: fail(connection, "Runtime.AfterRestoreError", problem, "/restore/error"))


def run(hooks: list[Hook], fail: Callable[[Exception], Any]) -> None:
    for function, arguments, named in hooks:
        try:
            function(*arguments, **named)
        except Exception as problem:  # noqa: BLE001 - whatever user code does
            if broken("before-hook-unreported") and hooks is not after:
                sys.exit(1)
            if broken("after-hook-unreported") and hooks is after:
                sys.exit(1)
            fail(problem)
