"""Posting results when something is not as usual: RT-064 to RT-093."""

from __future__ import annotations

from dataclasses import replace

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.cases.response import SECTION
from runtimebuilder.conformance.environment import Environment, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import fail, require, shown
from runtimebuilder.emulator.exchange import Exchange, Route
from runtimebuilder.emulator.faults import Reply

LARGE = 2_000_000  # bytes
PATIENCE = 1.0  # seconds that a runtime may take for sending them


@case(
    "RT-064-200-instead",
    Level.MAY,
    judgement=True,
    requirement=(
        "An answer 200 in place of 202 is taken as success or as a failure; the response is not posted again."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_200_instead(fresh: Environment) -> None:
    fresh.api.script(Route.RESPONSE, replace(Reply.accepted(), status=200))
    sent = fresh.send(do("echo", value="taken"))
    posted = fresh.outcome(sent).exchange
    fresh.goes_on_or_exits(posted.number, when="an answer 200")
    posts = len(fresh.posts(Route.RESPONSE, sent.request_id))
    require(posts == 1, expected="one POST of the response", seen=f"{posts} POSTs")


@case(
    "RT-070-reset-mid-post",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "When the connection is reset in the middle of a response, the runtime goes on or exits; it "
        "does not hang."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.LARGE,),
)
def test_reset_mid_post(fresh: Environment) -> None:
    fresh.api.script(Route.RESPONSE, Reply.cut_request(1000))
    sent = fresh.send(do("size", bytes=LARGE))

    def begun(found: tuple[Exchange, ...]) -> bool:
        return any(one.route is Route.RESPONSE and one.request_id == sent.request_id for one in found)

    if not fresh.wait_for(begun, 5):
        fail(expected="a response", seen="none within 5 s")
    posted = fresh.posts(Route.RESPONSE, sent.request_id)[0]
    fresh.goes_on_or_exits(posted.number, when="a connection that was reset")
    taken = [one for one in fresh.posts(Route.RESPONSE, sent.request_id) if one.status == 202]
    require(len(taken) <= 1, expected="the response taken at most once", seen=f"{len(taken)} times")


@case(
    "RT-091-expect-100",
    Level.SHOULD,
    judgement=True,
    requirement="A large response is not held back for a `100 Continue` that never comes.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.LARGE,),
)
def test_expect_100(environments: Environments) -> None:
    environment = environments.open(answer_expect=False).started_and_ready()
    posted = environment.outcome(environment.send(do("size", bytes=LARGE))).exchange
    took = (posted.received or 0) - posted.started
    require(took < PATIENCE, expected=f"2 MB sent within {PATIENCE:g} s", seen=f"{took:.2f} s")


@case(
    "RT-093-log-after-response",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "What a handler has printed is out before its result is posted: the environment may be frozen then."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.PRINT,),
)
def test_log_after_response(fresh: Environment) -> None:
    text = f"printed before {fresh.api.endpoint} was told"
    fresh.ask(do("print", stdout=text + "\n", stderr=""))
    fresh.box.freeze()
    try:
        require(
            fresh.logs_in_time(text), expected=f"{text!r} in the log of a frozen box", seen=shown(fresh.log())
        )
    finally:
        fresh.box.thaw()
