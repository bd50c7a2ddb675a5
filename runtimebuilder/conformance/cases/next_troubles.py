"""Asking for events when something is not as usual: RT-002 to RT-036."""

from __future__ import annotations

from runtimebuilder.conformance.case import Level, case
from runtimebuilder.conformance.cases.next_requests import RETRIES, SECTION
from runtimebuilder.conformance.environment import PROMPTLY, Environment, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import CaseBroken, fail, require, shown, unsupported
from runtimebuilder.conformance.probes.probe import Probe
from runtimebuilder.conformance.subject import BOOTSTRAP, LAMBDA_ENTRYPOINT, Subject
from runtimebuilder.emulator.exchange import Route
from runtimebuilder.emulator.faults import Delivery, Reply

DEADLINE_HEADER = "Lambda-Runtime-Deadline-Ms"
REQUEST_ID_HEADER = "Lambda-Runtime-Aws-Request-Id"
_ELSEWHERE = "/2018-06-01/runtime/elsewhere"


@case(
    "RT-002-endpoint-missing",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "Without AWS_LAMBDA_RUNTIME_API the runtime says so and exits with a failure; it does not hang."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_endpoint_missing(subject: Subject, probe: Probe) -> None:
    entrypoint = subject.facts.entrypoint
    if entrypoint == (LAMBDA_ENTRYPOINT,):  # which starts an emulator then (IM-07)
        if not subject.has_file(BOOTSTRAP):
            unsupported(f"there is no {BOOTSTRAP}")
        entrypoint = (BOOTSTRAP,)
    ran = subject.run_once((probe.handler,), {"_HANDLER": probe.handler}, entrypoint=entrypoint)
    require(ran.code is not None, expected="an exit without the variable", seen="it still runs after 10 s")
    require(ran.code != 0, expected="a failing exit without the variable", seen="exit 0")
    require((ran.stdout + ran.stderr).strip(), expected="a message", seen="nothing on stdout and stderr")


@case(
    "RT-010-connection-cut-while-waiting",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "When the connection is cut while next waits, the runtime connects again a few times or exits "
        "with a failure."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_connection_cut_while_waiting(fresh: Environment) -> None:
    fresh.api.script(Route.NEXT, *[Reply.cut()] * 200)
    if not fresh.api.cut_waiting_next():
        raise CaseBroken("no GET next was waiting")
    _ends_or_tries_a_few_times(fresh, "connections that are cut")


@case(
    "RT-018-request-id-missing",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "An event without a request id cannot be answered: the runtime posts nothing for it, and "
        "exits or asks again."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_request_id_missing(fresh: Environment) -> None:
    first = fresh.exchanges(Route.NEXT)[0]
    fresh.send(do("echo", value="whose?"), delivery=Delivery(omit_headers=frozenset((REQUEST_ID_HEADER,))))
    fresh.goes_on_or_exits(first.number, when="an event without a request id")
    posted = [one.target for one in fresh.exchanges() if one.method == "POST"]
    require(not posted, expected="no POST for an event without a request id", seen=shown(posted))


@case(
    "RT-020-deadline-missing-garbage",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "An event whose deadline is missing or no number is handled or reported as an error; the "
        "process goes on."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_deadline_missing_or_garbage(fresh: Environment) -> None:
    without = frozenset((DEADLINE_HEADER,))
    garbage = Delivery(omit_headers=without, extra_headers=((DEADLINE_HEADER, "abc"),))
    for delivery, what in ((Delivery(omit_headers=without), "no deadline"), (garbage, "the deadline abc")):
        fresh.outcome(fresh.send(do("echo", value=what), delivery=delivery))
        fresh.require_same_process(because=f"after an event with {what}")


@case(
    "RT-034-next-204",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "When next is answered with 204 the runtime exits with a failure or tries again a few times, "
        "never in a loop."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_next_204(environments: Environments) -> None:
    environment = environments.open()
    environment.api.script(Route.NEXT, *[Reply(204)] * 200)
    environment.start()
    _ends_or_tries_a_few_times(environment, "answers 204")


@case(
    "RT-035-redirect",
    Level.MAY,
    judgement=True,
    requirement="A redirect in answer to next is not followed.",
    page="runtimes-api",
    section=SECTION,
)
def test_redirect(environments: Environments) -> None:
    environment = environments.open()
    target = f"http://{environment.api.endpoint}{_ELSEWHERE}"
    environment.api.script(Route.NEXT, *[Reply(307, headers=(("Location", target),))] * 200)
    environment.start()
    _ends_or_tries_a_few_times(environment, "redirects")
    followed = [one for one in environment.exchanges() if one.target == _ELSEWHERE]
    require(
        not followed, expected="the redirect not followed", seen=f"{len(followed)} requests to its target"
    )


@case(
    "RT-036-proxy-env",
    Level.SHOULD,
    judgement=True,
    requirement="Proxy variables of the function do not apply to the Runtime API.",
    page="runtimes-api",
    section=SECTION,
)
def test_proxy_env(environments: Environments) -> None:
    nobody = "http://127.0.0.1:9"
    names = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    environment = environments.open(elsewhere=True, env=dict.fromkeys(names, nobody))
    if environment.api.address[0].startswith("127."):
        raise CaseBroken(
            "the API was to be elsewhere than at a loopback address, which no proxy is asked for"
        )
    environment.started_and_ready()
    environment.require_echo("direct", because="although a proxy is set that is not there")


def _ends_or_tries_a_few_times(environment: Environment, refusals: str) -> None:
    """Next is refused again and again: require a failing exit, or few requests but more than one."""
    expected = f"a failing exit within {PROMPTLY:g} s of {refusals}, or at most {RETRIES} requests"
    if not environment.wait_for(lambda found: any(one.route is Route.NEXT for one in found), 10):
        fail(expected="GET next within 10 s of the start", seen="none")
    found = environment.box.wait_exit(PROMPTLY)
    nexts = len(environment.exchanges(Route.NEXT))
    require(nexts <= RETRIES, expected=expected, seen=f"{nexts} requests")
    if found is not None:
        require(not found.is_success, expected=expected, seen=found.describe())
    else:
        require(nexts > 1, expected=expected, seen="the process runs and asks no more")
