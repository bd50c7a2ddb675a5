"""Environment variables of the process: EV-01 to EV-08."""

from __future__ import annotations

from runtimebuilder.conformance.case import Level, case
from runtimebuilder.conformance.environment import Environment, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import require, shown
from runtimebuilder.engine.docker import ImageFacts

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
_EXTENDED = ("LD_LIBRARY_PATH", "PATH", "_HANDLER")
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
    "EV-04-no-leak",
    Level.SHOULD,
    judgement=True,
    requirement="The runtime leaves the variables as they are which the service, the image and the function set.",
    page="configuration-envvars",
    section=SECTION,
)
def test_no_leak(warm: Environment, image: ImageFacts) -> None:
    given = _given(warm, image)
    seen = warm.ask(do("env", names=sorted(given)))
    _require_same(given, seen, "the handler")


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
    "EV-06-tz",
    Level.SHOULD,
    judgement=True,
    requirement="With TZ=:UTC the handler's local time is UTC.",
    page="configuration-envvars",
    section=SECTION,
)
def test_tz(environments: Environments) -> None:
    environment = environments.open(env={"TZ": ":UTC"}).started_and_ready()
    seen = environment.ask(do("clock"))
    offset = seen.get("utc_offset") if isinstance(seen, dict) else seen
    require(offset == 0, expected="local time 0 s ahead of UTC", seen=f"{shown(offset)} s")


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


@case(
    "EV-08-children-inherit",
    Level.MUST,
    judgement=True,
    requirement="A process that the handler starts has the variables that the function was given.",
    page="configuration-envvars",
    section=SECTION,
)
def test_children_inherit(warm: Environment, image: ImageFacts) -> None:
    given = _given(warm, image)
    seen = warm.ask(do("child-env", names=sorted(given)))
    _require_same(given, seen, "a child process")


def _given(environment: Environment, image: ImageFacts) -> dict[str, str]:
    """The variables that the process was started with, but for those that a runtime has to add something to."""
    given = {**image.env, **environment.box.environment}
    return {name: value for name, value in given.items() if value is not None and name not in _EXTENDED}


def _require_same(given: dict[str, str], seen: object, who: str) -> None:
    require(isinstance(seen, dict), expected=f"the variables that {who} sees", seen=shown(seen))
    for name, value in sorted(given.items()):
        told = seen.get(name) if isinstance(seen, dict) else None
        require(told == value, expected=f"{who} sees {name}={shown(value)}", seen=shown(told))
