"""Lambda's limits and environment, as data.

Numbers: quotas page (`gettingstarted-limits`); ids: default least-privilege user (FS-02); variables: the
catalogue's section 4.1, column "container image".
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from runtimebuilder.emulator.initialization import Initialization
from runtimebuilder.emulator.restore import CREDENTIALS, CREDENTIALS_TOKEN
from runtimebuilder.emulator.routes import CREDENTIALS_PATH

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
    shared_memory: bool = True  # whether there is a /dev/shm
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
    initialization: Initialization = Initialization.ON_DEMAND
    max_concurrency: int | None = None  # invocations at once, of a managed environment

    @property
    def is_killed_at_deadline(self) -> bool:
        """Whether the service ends the process of an invocation whose time is over (MI-06)."""
        return self.initialization is not Initialization.MANAGED


def service_environment(limits: Limits, api: str, function: Function) -> dict[str, str]:
    """The variables that the service sets for a function from a container image; `api` is "host:port".

    Sorted, and as the function's initialization has them. `_HANDLER` is not among them (the handler comes as an
    argument), nor are PATH, LANG, TZ and LD_LIBRARY_PATH (they are the image's).
    The metadata endpoint's two are left out: none here could answer.
    """
    daemon = "169.254.79.129"
    variables = {
        "AWS_DEFAULT_REGION": function.region,
        "AWS_EXECUTION_ENV": "AWS_Lambda_Image",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(limits.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": str(function.initialization),
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_REGION": function.region,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": f"{daemon}:2000",
        "HOME": "/home/sbx_user1051",  # which does not exist (EV-05)
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": "/var/task",
        "_AWS_XRAY_DAEMON_ADDRESS": daemon,
        "_AWS_XRAY_DAEMON_PORT": "2000",
    }
    if function.max_concurrency is not None:
        variables["AWS_LAMBDA_MAX_CONCURRENCY"] = str(function.max_concurrency)
    if function.initialization is Initialization.MANAGED:
        variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"  # there is no other (MI-04)
    if function.initialization is Initialization.SNAP_START:
        # What differs from one restored environment to the other is not in the snapshot's variables (SS-07).
        variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = CREDENTIALS_TOKEN
        variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"http://{api}{CREDENTIALS_PATH}"
    else:
        variables |= {
            "AWS_ACCESS_KEY": CREDENTIALS["AccessKeyId"],
            "AWS_ACCESS_KEY_ID": CREDENTIALS["AccessKeyId"],
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": function.log_stream,
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS["SecretAccessKey"],
            "AWS_SESSION_TOKEN": CREDENTIALS["Token"],
        }
    return dict(sorted(variables.items()))


def box_environment(
    limits: Limits, api: str, function: Function, user: Mapping[str, str | None]
) -> dict[str, str | None]:
    """What the process in the box is given: the service's, the user's over them, none of the engine's."""
    return {"HOSTNAME": None, **service_environment(limits, api, function), **dict(sorted(user.items()))}


def _log_stream(version: str) -> str:
    return f"{datetime.now(UTC):%Y/%m/%d}/[{version}]{uuid.uuid4().hex}"
