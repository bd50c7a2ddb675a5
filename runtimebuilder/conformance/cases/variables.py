"""Environment variables of the process: EV-01 to EV-08."""

from __future__ import annotations

from runtimebuilder.conformance.case import Level, case
from runtimebuilder.conformance.environment import do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import require, shown

SECTION = "Environment variables"
ODD_VALUES = {
    "PROBE_EMPTY": "",
    "PROBE_EQUALS": "a=b=c",
    "PROBE_LINES": "one\ntwo\n",
    "PROBE_LONG": "x" * 3000,  # 4 KB is the quota of all together
    "PROBE_QUOTES": """it's "quoted" $HOME `no` \\n""",
    "PROBE_SPACE": " around ",
    "PROBE_UNICODE": "\u00e9\u6f22\U0001f642",
}
# What only some kinds of function are given.
_NOT_ALWAYS = ("AWS_EXECUTION_ENV", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_XRAY_CONTEXT_MISSING")
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY")


@case(
    "EV-01-minimal-env",
    Level.MUST,
    requirement=(
        "The runtime starts without the variables that only some functions are given, such as "
        "AWS_EXECUTION_ENV."
    ),
    page="configuration-envvars",
    section=SECTION,
)
def test_minimal_env(environments: Environments) -> None:
    environment = environments.open(env=dict.fromkeys(_NOT_ALWAYS)).started_and_ready()
    environment.require_echo("hello", because=f"without {', '.join(_NOT_ALWAYS)}")


@case(
    "EV-02-image-env",
    Level.MUST,
    requirement=(
        "A function from an image is given no _HANDLER: the handler is the argument of the entrypoint."
    ),
    page="configuration-envvars",
    section=SECTION,
)
def test_image_env(environments: Environments) -> None:
    environment = environments.open(env={"_HANDLER": None}).started_and_ready()
    environment.require_echo("hello", because="with the handler as an argument")


@case(
    "EV-03-user-vars",
    Level.MUST,
    requirement="The function's own variables reach the handler unchanged, whatever is in them.",
    page="configuration-envvars",
    section=SECTION,
)
def test_user_vars(environments: Environments) -> None:
    environment = environments.open(env=ODD_VALUES).started_and_ready()
    seen = environment.ask(do("env", names=sorted(ODD_VALUES)))
    for name, value in ODD_VALUES.items():
        told = seen.get(name) if isinstance(seen, dict) else seen
        require(told == value, expected=f"{name}={shown(value)}", seen=shown(told))


@case(
    "EV-05-home-missing",
    Level.MUST,
    judgement=True,
    requirement="The runtime needs no HOME: it may be empty, or name a folder that does not exist.",
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_home_missing(environments: Environments) -> None:
    for home in ("", "/nonexistent/home"):
        environment = environments.open(env={"HOME": home}).started_and_ready()
        environment.require_echo("hello", because=f"with HOME {home or 'empty'}")


@case(
    "EV-07-creds-empty",
    Level.SHOULD,
    judgement=True,
    requirement="Empty credentials, as emulators give them, are nothing to the runtime itself.",
    page="configuration-envvars",
    section=SECTION,
)
def test_creds_empty(environments: Environments) -> None:
    environment = environments.open(env=dict.fromkeys(_CREDENTIALS, "")).started_and_ready()
    environment.require_echo("hello", because="with empty credentials")
