"""POST of the response and how its answers are taken: RT-060 to RT-074, RT-092."""

from __future__ import annotations

import json
from dataclasses import replace

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import PROMPTLY, Environment, do
from runtimebuilder.conformance.expectation import CaseBroken, require, shown, unsupported
from runtimebuilder.emulator.exchange import Route
from runtimebuilder.emulator.faults import Reply
from runtimebuilder.emulator.invocation import MODE_HEADER, Invocation, OutcomeKind

SECTION = "Response"
LIMIT = 6_291_556  # bytes of a response body
REQUEST_LIMIT = 6 * 1024 * 1024
SLOW_ANSWER = 5.0  # seconds
STORM = 3  # POSTs of one response that are no retry storm


@case(
    "RT-060-response-basic",
    Level.MUST,
    requirement="The result is posted to /runtime/invocation/<id>/response, exactly once for each id.",
    page="runtimes-api",
    section=SECTION,
)
def test_response_basic(warm: Environment) -> None:
    sent = warm.send(do("echo", value={"hello": "world"}))
    value = warm.value(sent)
    require(value == {"hello": "world"}, expected="the value echoed", seen=shown(value))
    warm.ready()
    posted = warm.posts(Route.RESPONSE, sent.request_id)
    require(len(posted) == 1, expected="one POST", seen=f"{len(posted)} POSTs")
    path = f"/2018-06-01/runtime/invocation/{sent.request_id}/response"
    require(
        (posted[0].method, posted[0].target) == ("POST", path),
        expected=f"POST {path}",
        seen=f"{posted[0].method} {posted[0].target}",
    )
    others = [one for one in warm.exchanges() if one.route not in (Route.NEXT, Route.RESPONSE)]
    require(not others, expected="no other request", seen=shown([one.target or "no HTTP" for one in others]))


@case(
    "RT-061-framing",
    Level.MUST,
    judgement=True,
    requirement="Content-Length says how many bytes the body has, or the body is chunked and terminated.",
    page="runtimes-api",
    section=SECTION,
)
def test_framing(warm: Environment) -> None:
    for value in ("", "é" * 1000, "x" * 100_000):  # bytes and characters differ in number
        sent = warm.send(do("echo", value=value))
        answer = warm.value(sent)
        require(answer == value, expected="a complete body", seen=shown(answer))
        posted = warm.posts(Route.RESPONSE, sent.request_id)[0]
        both = posted.header("Content-Length") is not None and posted.header("Transfer-Encoding") is not None
        require(
            posted.request_framing in ("sized", "chunked") and not both,
            expected="Content-Length or Transfer-Encoding: chunked",
            seen="both" if both else "neither",
        )
    warm.ready()
    strays = [one for one in warm.exchanges() if not one.method]
    require(
        not strays, expected="nothing between the requests", seen=shown([one.request_head for one in strays])
    )


@case(
    "RT-062-content-type",
    Level.SHOULD,
    requirement="A result that is JSON is posted as application/json.",
    page="runtimes-api",
    section=SECTION,
)
def test_content_type(warm: Environment) -> None:
    sent = warm.send(do("echo", value={"a": 1}))
    warm.value(sent)
    posted = warm.posts(Route.RESPONSE, sent.request_id)[0]
    if posted.header(MODE_HEADER) == "streaming":
        unsupported("every answer is a stream, whose type is not that of JSON")
    seen = posted.header("Content-Type")
    media = (seen or "").partition(";")[0].strip().lower()
    require(media == "application/json", expected="Content-Type: application/json", seen=shown(seen))


@case(
    "RT-063-202-body-ignored",
    Level.MUST,
    requirement="202 is success whatever its body: empty, or no JSON at all.",
    page="runtimes-api",
    section=SECTION,
)
def test_202_body_ignored(fresh: Environment) -> None:
    for body in (b'{"status":"OK"}\n', b"", b"<html>{"):
        fresh.api.script(Route.RESPONSE, replace(Reply.accepted(), body=body))
        fresh.require_echo("taken")
        fresh.ready()
    require(fresh.box.is_running(), expected="the process goes on", seen="it ended")


@case(
    "RT-065-400",
    Level.MUST,
    requirement=(
        "When the response is refused with 400 the runtime goes on with next or exits; it does not "
        "post on and on."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_400(fresh: Environment) -> None:
    fresh.api.script(Route.RESPONSE, *[Reply.bad_request_id(apply=True)] * 100)
    _refused_response(fresh, "400", may_report=True)


@case(
    "RT-066-403",
    Level.MUST,
    judgement=True,
    requirement=(
        "When the response is refused with 403 the runtime goes on or exits, and posts no error for "
        "the same id."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_403(fresh: Environment) -> None:
    refusal = Reply.forbidden("RuntimeResponseSentState", "InvocationResponse", apply=True)
    fresh.api.script(Route.RESPONSE, *[refusal] * 100)
    _refused_response(fresh, "403", may_report=False)


@case(
    "RT-067-413",
    Level.MUST,
    judgement=True,
    requirement=(
        "After 413 the runtime asks for the next event: the invoke has failed already, no error is "
        "posted for it."
    ),
    page="runtimes-api",
    section=SECTION,
    needs=(Need.LARGE,),
)
def test_413(fresh: Environment) -> None:
    sent = _send_too_large(fresh)
    last = fresh.posts(Route.RESPONSE, sent.request_id)[0].number
    fresh.wait_for_next(last)
    errors = fresh.posts(Route.ERROR, sent.request_id)
    require(not errors, expected="no POST to /error for the same id", seen="a POST to /error")
    fresh.require_next(last, when="413")


@case(
    "RT-068-413-then-small",
    Level.MUST,
    judgement=True,
    requirement="The invoke after a response that was too large is answered normally.",
    page="runtimes-api",
    section=SECTION,
    needs=(Need.LARGE,),
)
def test_413_then_small(fresh: Environment) -> None:
    sent = _send_too_large(fresh)
    if not fresh.wait_for_next(fresh.posts(Route.RESPONSE, sent.request_id)[0].number):
        fresh.exit_within(PROMPTLY, after="413, without another GET next")
        fresh.box.restart()  # as the service does
        fresh.ready()
    fresh.require_echo("small", because="after a response that was too large")


@case(
    "RT-069-500",
    Level.MUST,
    requirement="When the response is answered with 500 the runtime exits promptly and not with 0.",
    page="runtimes-api",
    section=SECTION,
)
def test_500(fresh: Environment) -> None:
    fresh.api.script(Route.RESPONSE, *[Reply.server_error(apply=True)] * 100)
    fresh.send(do("echo", value="lost"))
    found = fresh.exit_within(PROMPTLY, after="the answer 500")
    require(not found.is_success, expected="a failing exit", seen=found.describe())


@case(
    "RT-071-limit-exact",
    Level.MUST,
    requirement="A response body of 6,291,556 bytes is posted whole and taken.",
    page="gettingstarted-limits",
    section=SECTION,
    needs=(Need.LARGE,),
)
def test_limit_exact(fresh: Environment) -> None:
    sent = _send_sized(fresh, LIMIT)
    outcome = fresh.outcome(sent, 10)
    require(
        outcome.kind is OutcomeKind.RESPONSE and len(outcome.body) == LIMIT,
        expected=f"a response of {LIMIT} bytes",
        seen=f"{outcome.kind} of {len(outcome.exchange.request_body)} bytes",
    )


@case(
    "RT-072-limit-plus-one",
    Level.MUST,
    requirement=(
        "A body of one byte more is posted as it is, so that the caller sees Function.ResponseSizeTooLarge."
    ),
    page="gettingstarted-limits",
    section=SECTION,
    needs=(Need.LARGE,),
)
def test_limit_plus_one(fresh: Environment) -> None:
    sent = _send_sized(fresh, LIMIT + 1)
    outcome = fresh.outcome(sent, 10)
    require(
        outcome.kind is OutcomeKind.TOO_LARGE,
        expected=f"a response of {LIMIT + 1} bytes, refused as too large",
        seen=f"{outcome.kind} of {len(outcome.exchange.request_body)} bytes",
    )


@case(
    "RT-073-request-6mb",
    Level.MUST,
    requirement="An event of almost 6 MB is handled with 128 MB of memory, and nothing of it is lost.",
    page="gettingstarted-limits",
    section=SECTION,
    needs=(Need.LARGE, Need.LARGE_EVENT),
)
def test_request_6mb(fresh: Environment) -> None:
    _echo_large(fresh, REQUEST_LIMIT - 10_000)


@case(
    "RT-074-async-1mb",
    Level.MUST,
    requirement="An event of 1 MB, the limit of asynchronous invokes, is handled.",
    page="gettingstarted-limits",
    section=SECTION,
    needs=(Need.LARGE_EVENT,),
)
def test_async_1mb(warm: Environment) -> None:
    _echo_large(warm, 1024 * 1024)


@case(
    "RT-092-slow-202",
    Level.MUST,
    judgement=True,
    requirement=(
        "The runtime waits for the answer to its response, without posting again and without asking "
        "for the next event."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_slow_202(fresh: Environment) -> None:
    fresh.api.script(Route.RESPONSE, Reply.accepted(delay=SLOW_ANSWER))
    sent = fresh.send(do("echo", value="patience"))
    fresh.outcome(sent)
    posted = fresh.posts(Route.RESPONSE, sent.request_id)[0]
    last = posted.number
    early = fresh.wait_for(lambda found: found[-1].number > last, SLOW_ANSWER - 0.2)
    require(
        not early,
        expected=f"no request while the answer takes {SLOW_ANSWER:g} s",
        seen=shown([f"{one.method} {one.target}" for one in fresh.exchanges() if one.number > last]),
    )
    fresh.require_next(last, when="the answer")
    fresh.require_echo("patience", because="after a slow answer")


def _refused_response(environment: Environment, status: str, *, may_report: bool) -> None:
    """The response was refused: go on or exit, no storm, no error for the same id unless `may_report`."""
    sent = environment.send(do("echo", value="refused"))
    environment.outcome(sent)
    last = environment.posts(Route.RESPONSE, sent.request_id)[0].number
    found = environment.goes_on_or_exits(last, when=status)
    responses = environment.posts(Route.RESPONSE, sent.request_id)
    errors = environment.posts(Route.ERROR, sent.request_id)
    require(
        len(responses) <= STORM,
        expected=f"the response posted at most {STORM} times",
        seen=f"{len(responses)} POSTs",
    )
    require(
        may_report or not errors,
        expected="no POST to /error for an id that was answered",
        seen="a POST to /error",
    )
    if found is None:
        require(
            not environment.wait_for(lambda found: len(_posts(found, sent)) > len(responses), 0.3),
            expected="nothing more for that id once the runtime went on",
            seen="another POST",
        )


def _posts(found: tuple[object, ...], sent: Invocation) -> list[object]:
    return [
        one
        for one in found
        if getattr(one, "route", None) in (Route.RESPONSE, Route.ERROR)
        and getattr(one, "request_id", None) == sent.request_id
    ]


def _send_too_large(environment: Environment) -> Invocation:
    sent = environment.send(do("size", bytes=LIMIT + 1000))
    outcome = environment.outcome(sent, 10)
    require(
        outcome.kind is OutcomeKind.TOO_LARGE,
        expected=f"a response of more than {LIMIT} bytes posted",
        seen=f"{outcome.kind}: {shown(outcome.body)}",
    )
    return sent


def _send_sized(environment: Environment, size: int) -> Invocation:
    """Send a command whose response body has `size` bytes, whatever the form wraps around a string.

    The trial has as many digits as the real size, so that a length in the wrapping has them too.
    """
    trial = 1_000_000
    outcome = environment.outcome(environment.send(do("size", bytes=trial)), 10)
    if outcome.kind is not OutcomeKind.RESPONSE or len(outcome.body) < trial:
        unsupported(f"the probe cannot make a result of {trial} bytes: {shown(outcome.body)}")
    return environment.send(do("size", bytes=size - (len(outcome.body) - trial)))


def _echo_large(environment: Environment, size: int) -> None:
    """Echo a text so long that the event has `size` bytes; the text shows what was lost or moved."""
    numbers = "".join(f"{number:08d}" for number in range(size // 8 + 1))
    value, event = "", environment.event_of(do("echo", value=""))
    while len(event) < size:  # twice at most: the wrapping may tell a length, which grows by some digits
        value = numbers[: len(value) + size - len(event)]
        event = environment.event_of(do("echo", value=value))
    if len(event) - size > 8:
        raise CaseBroken(f"the event has {len(event)} bytes instead of {size}")
    text = environment.result_text(environment.send(event=event), 10)
    answer = json.loads(text)
    require(
        answer == value,
        expected=f"{len(value)} characters echoed",
        seen=f"{len(answer)} characters" if isinstance(answer, str) else shown(answer),
    )
