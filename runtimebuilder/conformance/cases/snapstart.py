"""Snapshots of an initialised environment, and hooks around them: SS-01 to SS-07."""

from __future__ import annotations

import json
import re
import time

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.cases.errors import ERROR_TYPE_HEADER
from runtimebuilder.conformance.environment import ANSWER_LIMIT, PROMPTLY, Environment, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import fail, require, shown, unsupported
from runtimebuilder.conformance.features import Features
from runtimebuilder.conformance.probes.known import FAILS_AFTER_RESTORE, FAILS_BEFORE_SNAPSHOT
from runtimebuilder.conformance.probes.probe import AFTER_RESTORE_MARK, BEFORE_SNAPSHOT_MARK, Probe
from runtimebuilder.conformance.subject import Subject
from runtimebuilder.emulator.exchange import Exchange, Route

SECTION = "SnapStart"
PAGE = "snapstart-runtime-hooks-custom"
START_LIMIT = 10.0  # seconds to the first request of a start
FROZEN = 0.5  # seconds in the freezer, in place of the life of a snapshot
QUIET = 0.2  # seconds in which nothing may come
ALLOW_LABEL = "com.amazonaws.lambda.feature.snapstart"
_ENDPOINT = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN")
_FIRST = (Route.NEXT, Route.RESTORE_NEXT, Route.INIT_ERROR)


@case(
    "SS-01-only-when-asked",
    Level.MUST,
    requirement="A runtime of an ordinary environment never asks for /runtime/restore/*.",
    page=PAGE,
    section=SECTION,
)
def test_only_when_asked(warm: Environment) -> None:
    found = warm.api.recording.exchanges(Route.RESTORE_NEXT, Route.RESTORE_ERROR)
    seen = ", ".join(f"{one.method} {one.target}" for one in found)
    require(not found, expected="no request to /runtime/restore/*", seen=seen)


@case(
    "SS-02-restore-next",
    Level.MUST,
    requirement=(
        "In a SnapStart environment the hooks before the snapshot run, then GET restore/next waits, over the "
        "snapshot, and only after its answer the hooks after the restore run and GET next follows."
    ),
    page=PAGE,
    section=SECTION,
    needs=(Need.SNAPSTART,),
)
def test_restore_next(environments: Environments, subject: Subject) -> None:
    environment = environments.open_snap_start()
    asked = _restore_asked(environment, environments.features, subject)
    body = asked.request_length or asked.request_framing == "chunked"
    require(not body, expected="GET restore/next without a body", seen=f"{asked.request_length} bytes")
    before = environment.logs_in_time(BEFORE_SNAPSHOT_MARK)
    environment.box.freeze()
    time.sleep(FROZEN)
    environment.box.thaw()
    time.sleep(QUIET)
    _still_waits(environment)
    early = AFTER_RESTORE_MARK in environment.log()
    _restore(environment)
    environment.require_next(asked.number, when="the restore")
    environment.require_echo("restored", because="after the restore")
    if json.loads(environment.result_text(environment.send(do("hooks")))) is not True:
        return  # the handler has no means to be called
    require(before, expected="the hook before the snapshot run before GET restore/next", seen="it was not")
    require(not early, expected="the hook after the restore run after the restore", seen="it ran before")
    after = environment.logs_in_time(AFTER_RESTORE_MARK)
    require(after, expected="the hook after the restore run", seen="it was not")


@case(
    "SS-03-before-hook-fails",
    Level.MUST,
    requirement=(
        "A hook that fails before the snapshot is reported to init/error, with an error type; no GET restore/next "
        "follows, and the process exits with another code than 0."
    ),
    page=PAGE,
    section=SECTION,
    needs=(Need.SNAPSTART, Need.BEFORE_SNAPSHOT_FAILS),
)
def test_before_hook_fails(environments: Environments, probe: Probe, subject: Subject) -> None:
    features = environments.features
    environment = environments.open_snap_start(handler=probe.faulty[Need.BEFORE_SNAPSHOT_FAILS])
    first = _first_request(environment, features, subject)
    expected = "POST to /runtime/init/error before anything else"
    if first.route is Route.RESTORE_NEXT:
        _require_hooks(environment, features, FAILS_BEFORE_SNAPSHOT, expected)
    require(first.route is Route.INIT_ERROR, expected=expected, seen=f"{first.method} {first.target}")
    _require_report(first, FAILS_BEFORE_SNAPSHOT)
    _require_failing_exit(environment, after="init/error")
    later = environment.exchanges(Route.RESTORE_NEXT, Route.NEXT)
    require(not later, expected="no request after init/error", seen=f"{len(later)} more")


@case(
    "SS-04-after-hook-fails",
    Level.MUST,
    requirement=(
        "A hook that fails after the restore is reported to restore/error, with an error type; no GET next follows, "
        "and the process exits."
    ),
    page=PAGE,
    section=SECTION,
    needs=(Need.SNAPSTART, Need.AFTER_RESTORE_FAILS),
)
def test_after_hook_fails(environments: Environments, probe: Probe, subject: Subject) -> None:
    features = environments.features
    environment = environments.open_snap_start(handler=probe.faulty[Need.AFTER_RESTORE_FAILS])
    _restore_asked(environment, features, subject)
    _restore(environment)
    routes = (Route.NEXT, Route.RESTORE_ERROR, Route.INIT_ERROR)
    environment.wait_for(
        lambda found: any(one.route in routes and one.received for one in found), ANSWER_LIMIT
    )
    found = environment.exchanges(*routes)
    expected = "POST to /runtime/restore/error after the restore"
    if found and found[0].route is Route.NEXT:
        _require_hooks(environment, features, FAILS_AFTER_RESTORE, expected)
    require(found, expected=expected, seen="nothing")
    seen = f"{found[0].method} {found[0].target}"
    require(found[0].route is Route.RESTORE_ERROR, expected=expected, seen=seen)
    _require_report(found[0], FAILS_AFTER_RESTORE)
    environment.exit_within(PROMPTLY, after="restore/error")
    later = environment.exchanges(Route.NEXT)
    require(not later, expected="no GET next after restore/error", seen=f"{len(later)} of them")


@case(
    "SS-07-credentials-endpoint",
    Level.MUST,
    requirement=(
        "A runtime starts in a SnapStart environment, where AWS_ACCESS_KEY_ID, AWS_LAMBDA_LOG_GROUP_NAME and their "
        "like are not set, and its handler sees the variables of the endpoint that gives the credentials."
    ),
    page=PAGE,
    section=SECTION,
)
def test_credentials_endpoint(environments: Environments) -> None:
    environment = environments.open_snap_start()
    environment.start()
    environment.wait_for(_has_begun, START_LIMIT)
    if environment.exchanges(Route.RESTORE_NEXT):
        _restore(environment)
    environment.ready()
    seen = environment.ask(do("env", names=list(_ENDPOINT)))
    for name in _ENDPOINT:
        told = seen.get(name) if isinstance(seen, dict) else None
        require(told, expected=f"{name} visible to the handler", seen=shown(told))


def _first_request(environment: Environment, features: Features, subject: Subject) -> Exchange:
    """Start; the first of the requests that a start ends with. Unsupported where that is GET next."""
    features.look_for(Need.SNAPSTART)
    environment.start()
    environment.wait_for(_has_begun, START_LIMIT)
    found = environment.exchanges(*_FIRST)
    expected = "GET /runtime/restore/next before the first GET next"
    if not found:
        ended = environment.box.wait_exit(0.0)
        fail(expected=expected, seen=f"no request; {ended.describe() if ended else 'the process runs'}")
    if found[0].route is Route.NEXT:
        if subject.facts.labels.get(ALLOW_LABEL, "").lower() == "allow":
            unsupported(f"the image says that it needs no hooks (label {ALLOW_LABEL})")
        features.is_missing(
            Need.SNAPSTART, expected=expected, seen="no GET restore/next in a SnapStart environment"
        )
    return found[0]


def _has_begun(found: tuple[Exchange, ...]) -> bool:
    """Whether the start has come to one of the requests that it ends with."""
    return any(one.route in _FIRST and one.received for one in found)


def _restore(environment: Environment) -> None:
    """Restore, once GET restore/next waits."""
    waits = environment.api.wait_restore(ANSWER_LIMIT) and environment.api.restore()
    require(waits, expected="GET restore/next waiting", seen="it was given up")


def _restore_asked(environment: Environment, features: Features, subject: Subject) -> Exchange:
    first = _first_request(environment, features, subject)
    seen = f"{first.method} {first.target}"
    require(first.route is Route.RESTORE_NEXT, expected="GET /runtime/restore/next", seen=seen)
    return first


def _still_waits(environment: Environment) -> None:
    asked = environment.exchanges(Route.RESTORE_NEXT, Route.NEXT)
    waits = len(asked) == 1 and asked[0].answered is None and asked[0].peer_closed is None
    seen = ", ".join(f"{one.method} {one.target}{' given up' if one.peer_closed else ''}" for one in asked)
    require(waits, expected="the one GET restore/next waiting over the snapshot", seen=seen)


def _require_hooks(environment: Environment, features: Features, message: str, expected: str) -> None:
    """A hook did not stop the runtime: it was called in vain, or the runtime calls none."""
    if environment.logs_in_time(message) or features.declares(Need.SNAPSTART):
        fail(expected=expected, seen="the runtime goes on as if the hook had not failed")
    unsupported("the runtime calls no hook of the handler")


def _require_report(report: Exchange, message: str) -> None:
    kind = report.header(ERROR_TYPE_HEADER) or ""
    right = re.fullmatch(r"[A-Za-z]\w*\.\w+", kind)
    require(right, expected=f"{ERROR_TYPE_HEADER}: Runtime.Reason", seen=shown(kind))
    try:
        body = json.loads(report.request_body)
    except ValueError:
        body = None
    told = isinstance(body, dict) and message in str(body.get("errorMessage"))
    require(told, expected=f"an object with the errorMessage {message!r}", seen=shown(report.request_body))


def _require_failing_exit(environment: Environment, *, after: str) -> None:
    found = environment.exit_within(PROMPTLY, after=after)
    require(not found.is_success, expected="an exit code that is not 0", seen=found.describe())
