"""How the runtime finds the API and asks for events: RT-001 to RT-010, RT-032 to RT-044."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from itertools import pairwise

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import PROMPTLY, Environment, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import CaseBroken, fail, require, shown, unsupported
from runtimebuilder.conformance.probes.probe import SLOW_LOAD_SECONDS, Probe
from runtimebuilder.emulator.exchange import Exchange, Route
from runtimebuilder.emulator.faults import Delivery, Reply
from runtimebuilder.emulator.invocation import MODE_HEADER, Invocation

SECTION = "Finding the API and next"
NEXT_TARGET = "/2018-06-01/runtime/invocation/next"
USER_AGENT = 128  # characters of it that are kept
RETRIES = 10  # GET nexts after a refusal that are still no busy loop


@case(
    "RT-001-endpoint-from-env",
    Level.MUST,
    requirement=(
        "The runtime finds the API at the host and port in AWS_LAMBDA_RUNTIME_API, whatever they are."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_endpoint_from_env(environments: Environments) -> None:
    environment = environments.open(elsewhere=True)
    host, port = environment.api.address
    if host.startswith("127.") or port == 9001:
        raise CaseBroken(f"the API was to be elsewhere than at 127.0.0.1:9001, but is at {host}:{port}")
    environment.started_and_ready()
    environment.require_echo("elsewhere", because=f"through the API at {host}:{port}")


@case(
    "RT-003-next-path",
    Level.MUST,
    requirement=(
        "The first request is GET /2018-06-01/runtime/invocation/next, HTTP/1.1, with a Host header "
        "and no body."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_next_path(fresh: Environment) -> None:
    first = fresh.exchanges()[0]
    require(
        (first.method, first.target) == ("GET", NEXT_TARGET),
        expected=f"GET {NEXT_TARGET}",
        seen=f"{first.method} {first.target}",
    )
    require(first.http_version == "1.1", expected="HTTP/1.1", seen=f"HTTP/{first.http_version}")
    require(first.header("Host"), expected="a Host header", seen="none")
    require(not first.request_body, expected="no body", seen=f"{len(first.request_body)} bytes of body")


@case(
    "RT-004-next-only-when-ready",
    Level.MUST,
    requirement=(
        "The first GET next tells that initialisation is complete: none is sent while the handler is "
        "being loaded."
    ),
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.SLOW_LOAD,),
)
def test_next_only_when_ready(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.faulty[Need.SLOW_LOAD])
    before = environment.api.recording.clock()
    environment.started_and_ready()
    took = environment.exchanges(Route.NEXT)[0].started - before
    require(
        took >= SLOW_LOAD_SECONDS,
        expected=(
            f"GET next no sooner than {SLOW_LOAD_SECONDS} s after the start: so long takes the handler"
            f" to load"
        ),
        seen=f"GET next {took:.2f} s after the start",
    )


@case(
    "RT-032-next-403",
    Level.MUST,
    requirement=(
        "When next is refused with 403 the runtime ends with a failure, or tries again a few times, "
        "never in a loop."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_next_403(environments: Environments) -> None:
    environment = environments.open()
    refusals = [Reply.forbidden("InitError", "Ready")] * (RETRIES + 1)
    environment.api.script(Route.NEXT, *refusals)
    environment.start()
    expected = f"a failing exit within {PROMPTLY:g} s, or at most {RETRIES} requests"
    if not environment.wait_for(lambda found: bool(_nexts(found)), 10):
        fail(expected="GET next within 10 s of the start", seen="none")
    found = environment.box.wait_exit(PROMPTLY)
    nexts = len(_nexts(environment.exchanges()))
    require(nexts <= RETRIES, expected=expected, seen=f"{nexts} requests")
    if found is not None:
        require(not found.is_success, expected=expected, seen=found.describe())
    else:
        require(nexts > 1, expected=expected, seen="the process runs and asks no more")


@case(
    "RT-033-next-500",
    Level.MUST,
    requirement=(
        "When next is answered with 500 the environment is lost: the runtime exits promptly and not with 0."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_next_500(environments: Environments) -> None:
    environment = environments.open()
    environment.api.script(Route.NEXT, *[Reply.server_error()] * 200)
    environment.start()
    if not environment.wait_for(lambda found: bool(_nexts(found)), 10):
        fail(expected="GET next within 10 s of the start", seen="none")
    found = environment.exit_within(PROMPTLY, after="the answer 500")
    require(not found.is_success, expected="a failing exit", seen=found.describe())


@case(
    "RT-037-keep-alive",
    Level.SHOULD,
    judgement=True,
    requirement="Connections to the API are kept: 50 invokes use one or two.",
    page="runtimes-api",
    section=SECTION,
)
def test_keep_alive(warm: Environment) -> None:
    for number in range(50):
        warm.require_echo(number)
    if any(one.header(MODE_HEADER) == "streaming" for one in warm.exchanges(Route.RESPONSE)):
        unsupported("every answer is a stream, and a stream has a connection of its own")
    used = {one.connection for one in warm.exchanges()}
    require(len(used) <= 2, expected="1 or 2 TCP connections for 50 invokes", seen=f"{len(used)} connections")


@case(
    "RT-038-server-closes-idle",
    Level.MUST,
    judgement=True,
    requirement=(
        "A kept connection that the API has closed meanwhile is replaced silently, and nothing is "
        "posted twice."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_server_closes_idle(fresh: Environment) -> None:
    slow = fresh.send(do("sleep", seconds=0.4))
    if not fresh.wait_for(
        lambda found: any(one.request_id == slow.request_id and one.answered for one in found), 5
    ):
        raise CaseBroken("the event was not handed out")
    fresh.api.close_idle_connections()  # the one that brought the event is idle while the handler works
    fresh.value(slow)
    fresh.require_echo("first", because="after the idle connection was closed")
    fresh.api.close_idle_connections()  # a second one, kept for posting, is idle while next waits
    fresh.require_echo("second", because="after the idle connections were closed")
    posted = fresh.posts(Route.RESPONSE, slow.request_id)
    require(len(posted) == 1, expected="one POST of the response", seen=f"{len(posted)} POSTs")


@case(
    "RT-039-connection-close",
    Level.MUST,
    judgement=True,
    requirement=(
        "An answer with Connection: close is the last on its connection: the next request uses another."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_connection_close(fresh: Environment) -> None:
    value = fresh.ask(do("echo", value="next closes"), delivery=Delivery(connection_close=True))
    require(value == "next closes", expected="the event handled", seen=shown(value))
    fresh.api.script(Route.RESPONSE, replace(Reply.accepted(), connection_close=True))
    fresh.require_echo("the 202 closes")
    fresh.require_echo("afterwards", because="on another connection")
    lost = [one for one in fresh.exchanges() if one.status is None and one.route is not Route.NEXT]
    require(not lost, expected="every request answered", seen=f"{len(lost)} sent on a closed connection")


@case(
    "RT-040-user-agent",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "Every request names the runtime in User-Agent: product/version, the same each time, at most "
        "128 characters."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_user_agent(warm: Environment) -> None:
    warm.require_echo("named")
    seen = [one.header("User-Agent") for one in warm.exchanges()]
    first = seen[0] or ""
    right = re.match(r"[!-~]+/[!-~]+", first) and len(first) <= USER_AGENT
    require(
        right, expected=f"User-Agent: product/version of at most {USER_AGENT} characters", seen=shown(first)
    )
    require(set(seen) == {first}, expected=f"User-Agent: {first} each time", seen=shown(seen))


@case(
    "RT-041-runtime-features",
    Level.MAY,
    requirement=(
        "A runtime may name its features in Lambda-Runtime-Features: visible ASCII, the same each time, at most "
        "128 characters."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_runtime_features(warm: Environment) -> None:
    warm.require_echo("featured")
    seen = {one.header("Lambda-Runtime-Features") for one in warm.exchanges(Route.NEXT)}
    if seen == {None}:
        unsupported("the runtime sends no Lambda-Runtime-Features")
    require(len(seen) == 1, expected="the same features each time", seen=shown(sorted(map(str, seen))))
    (features,) = seen
    visible = features is not None and re.fullmatch(r"[ -~]*", features) and len(features) <= USER_AGENT
    expected = f"Lambda-Runtime-Features of at most {USER_AGENT} visible ASCII characters"
    require(visible, expected=expected, seen=shown(features))


@case(
    "RT-042-one-in-flight",
    Level.MUST,
    requirement="The next event is asked for only when the answer to the response before it has come.",
    page="runtimes-custom",
    section=SECTION,
)
def test_one_in_flight(fresh: Environment) -> None:
    fresh.api.script(Route.RESPONSE, Reply.accepted(delay=0.5))
    slow = fresh.send(do("sleep", seconds=2))
    fresh.value(slow)
    if not fresh.wait_for(lambda found: len(_nexts(found)) > 1, 5):
        fail(expected="another GET next after the response", seen="none within 5 s")
    posted = fresh.posts(Route.RESPONSE, slow.request_id)[0]
    second = fresh.exchanges(Route.NEXT)[1]
    answered = fresh.api.recording.exchange(posted.number).answered
    require(
        answered is not None and second.started >= answered,
        expected="one GET next at a time: the second after the response was answered",
        seen=(
            f"a second GET next {second.started - posted.started:.2f} s after the POST began, before "
            f"its answer"
        ),
    )


@case(
    "RT-043-order",
    Level.MUST,
    requirement=(
        "Every event is answered once, under its own id, in the order in which events were handed out."
    ),
    page="runtimes-custom",
    section=SECTION,
)
def test_order(warm: Environment) -> None:
    sent: list[tuple[Invocation, str]] = []
    for number in range(100):
        text = f"event {number}"
        # They wait in the queue for each other: the deadline is not the point.
        sent.append((warm.send(do("echo", value=text), timeout=300), text))
    for invocation, text in sent:
        value = warm.value(invocation)
        require(value == text, expected=f"{text!r} under the id of its event", seen=shown(value))
    posted = [one.request_id for one in warm.exchanges(Route.RESPONSE)]
    require(
        posted == [invocation.request_id for invocation, _ in sent],
        expected="100 responses in the order of their events",
        seen=f"{len(posted)} responses, not in that order",
    )


@case(
    "RT-044-parallel-next-never",
    Level.MUST,
    judgement=True,
    requirement=(
        "There are never two GET nexts waiting: not after a freeze, and not after a connection was closed."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_parallel_next_never(fresh: Environment) -> None:
    fresh.box.freeze()
    time.sleep(0.5)
    fresh.box.thaw()
    time.sleep(0.3)  # for a second request to come, if there is one
    fresh.require_echo("thawed")
    fresh.api.close_idle_connections()
    fresh.require_echo("connected again")
    nexts = fresh.exchanges(Route.NEXT)
    for before, after in pairwise(nexts):
        ended = [when for when in (before.answered, before.peer_closed) if when is not None]
        require(
            ended and min(ended) <= after.started,
            expected="one GET next at a time",
            seen=f"another one {after.started - before.started:.2f} s after one that still waited",
        )


def _nexts(found: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    return tuple(one for one in found if one.route is Route.NEXT)
