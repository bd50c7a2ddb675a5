"""Lambda's limits and environment, as data.

Numbers: quotas page (`gettingstarted-limits`); ids: default least-privilege user (FS-02); variables: the
catalogue's section 4.1, column "container image".
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

INIT_LIMIT = 10.0
"""Seconds that the Init phase of an on-demand environment may take (LC-02)."""


@dataclass(frozen=True)
class Limits:
    """What one execution environment may use."""

    memory_mb: int = 128
    tmp_mb: int = 512
    uid: int = 993
    gid: int = 990
    pids: int = 1024
    nofile: int = 1024
    read_only: bool = True
    timeout_s: float = 3.0  # of the function

    @property
    def user(self) -> str:
        """As the engine takes it: "993:990"."""
        return f"{self.uid}:{self.gid}"


@dataclass(frozen=True)
class Function:
    """The function's identity, as its environment shows it."""

    name: str = "probe"
    version: str = "$LATEST"
    region: str = "eu-west-1"
    log_stream: str = field(default_factory=lambda: _log_stream("$LATEST"))


def service_environment(limits: Limits, api: str, function: Function) -> dict[str, str]:
    """The variables that the service sets for a function from a container image; `api` is "host:port".

    Sorted. `_HANDLER` is not among them (the handler comes as an argument), nor are PATH, LANG, TZ and
    LD_LIBRARY_PATH (they are the image's). The metadata endpoint's two are left out: none here could answer.
    """
    daemon = "169.254.79.129"
    variables = {
        "AWS_ACCESS_KEY": "AKIAIOSFODNN7EXAMPLE",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": "AWS_Lambda_Image",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(limits.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": function.log_stream,
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_REGION": function.region,
        # The documentation's own example credentials: they open nothing.
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_SESSION_TOKEN": "example-session-token",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": f"{daemon}:2000",
        "HOME": "/home/sbx_user1051",  # which does not exist (EV-05)
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": "/var/task",
        "_AWS_XRAY_DAEMON_ADDRESS": daemon,
        "_AWS_XRAY_DAEMON_PORT": "2000",
    }
    return dict(sorted(variables.items()))


def box_environment(
    limits: Limits, api: str, function: Function, user: Mapping[str, str | None]
) -> dict[str, str | None]:
    """What the process in the box is given: the service's, the user's over them, none of the engine's."""
    return {"HOSTNAME": None, **service_environment(limits, api, function), **dict(sorted(user.items()))}


def _log_stream(version: str) -> str:
    return f"{datetime.now(UTC):%Y/%m/%d}/[{version}]{uuid.uuid4().hex}"
