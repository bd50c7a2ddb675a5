"""Streams that are large, read slowly or dropped, and services that do not stream: ST-16 to ST-21."""

from __future__ import annotations

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.cases.response import LIMIT
from runtimebuilder.conformance.cases.streaming import SECTION, payload_of, require_stream, stream
from runtimebuilder.conformance.environment import ANSWER_LIMIT, Command, Environment, do
from runtimebuilder.conformance.expectation import CaseBroken, fail, require, shown, unsupported
from runtimebuilder.conformance.probes.probe import Probe
from runtimebuilder.emulator.exchange import Route
from runtimebuilder.emulator.faults import Reply
from runtimebuilder.emulator.invocation import MODE_HEADER, OutcomeKind

_WRITE = 65_536  # bytes of one write
_OVER_6_MB = 320  # writes: 20 MiB
_BACKLOG = 512  # writes: 32 MiB, far more than kernels buffer
_LARGE = 160  # writes: 10 MiB, more than kernels buffer
_SLOW = 65_536  # bytes that a slow reader reads in a second
_PATIENCE = 20.0  # seconds for tens of megabytes


@case(
    "ST-16-over-6MB",
    Level.MUST,
    requirement="A stream of 20 MB is sent whole: the limit of 6 MB is for responses that are not streamed.",
    page="gettingstarted-limits",
    section=SECTION,
    needs=(Need.STREAM,),
)
def test_over_6_mb(warm: Environment) -> None:
    payload = payload_of(require_stream(warm, _writes(_OVER_6_MB), within=_PATIENCE))
    _require_all(payload, _OVER_6_MB)
    warm.require_same_process(because="after 20 MB")


@case(
    "ST-17-backpressure",
    Level.SHOULD,
    judgement=True,
    requirement="When the service reads slowly the handler is made to wait: memory does not grow with the stream.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM,),
)
def test_backpressure(fresh: Environment) -> None:
    require_stream(fresh, _writes(1))  # what the first stream needs is not counted
    fresh.ready()
    before = fresh.box.peak_memory()
    if before is None:
        unsupported("the memory of a container cannot be read on this machine")
    fresh.api.script(Route.RESPONSE, Reply.slow_reader(_SLOW, 0.5))
    payload = payload_of(require_stream(fresh, _writes(_BACKLOG), within=_PATIENCE))
    _require_all(payload, _BACKLOG)
    grown = (fresh.box.peak_memory() or 0) - before
    require(
        grown < _BACKLOG * _WRITE // 2,
        expected=f"much less memory than the {_BACKLOG * _WRITE // 1_000_000} MB of the stream",
        seen=f"{grown // 1_000_000} MB more while the service read slowly",
    )


@case(
    "ST-18-next-after-stream",
    Level.MUST,
    judgement=True,
    requirement="The next event is asked for when the stream has ended and its answer has come, not before.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM,),
)
def test_next_after_stream(warm: Environment) -> None:
    warm.api.script(Route.RESPONSE, Reply.slow_reader(_SLOW, 0.2, delay=0.3))
    outcome = require_stream(warm, _writes(_LARGE), within=_PATIENCE)
    number = outcome.exchange.number
    if not warm.wait_for(lambda found: any(one.number == number and one.answered for one in found), 5):
        raise CaseBroken("the stream was taken and not answered")
    answered = warm.api.recording.exchange(number).answered or 0
    early = [one for one in warm.exchanges(Route.NEXT) if one.number > number and one.started < answered]
    require(
        not early, expected="GET next after the answer to the stream", seen=f"{len(early)} before that answer"
    )
    warm.require_next(number, when="the stream")


@case(
    "ST-19-server-drops-midstream",
    Level.SHOULD,
    judgement=True,
    requirement="When the service drops the connection in the middle of a stream, the runtime goes on or exits.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.STREAM,),
)
def test_server_drops_midstream(fresh: Environment) -> None:
    fresh.api.script(Route.RESPONSE, Reply.cut_request(1000))
    sent = fresh.send(_writes(_LARGE))
    if fresh.api.wait_first_byte(sent.request_id, 5) is None:
        fail(expected="a streamed response", seen="none within 5 s")
    posted = fresh.posts(Route.RESPONSE, sent.request_id)[0]
    fresh.goes_on_or_exits(posted.number, when="a stream that was dropped")


@case(
    "ST-20-buffered-fallback",
    Level.MUST,
    requirement=(
        "A result that is not streamed names no response mode but `streaming`: services that do not stream refuse "
        "any other."
    ),
    page="runtimes-custom",
    section=SECTION,
)
def test_buffered_fallback(warm: Environment, probe: Probe) -> None:
    if probe.lacks((Need.STREAM,)) is None:
        require_stream(warm, stream({"text": "streamed before"}))
    sent = warm.send(do("echo", value={"not": "streamed"}))
    if not warm.wait_for(lambda _: bool(warm.posts(Route.RESPONSE, sent.request_id)), ANSWER_LIMIT):
        fail(expected="a response", seen="none within 5 s")
    mode = warm.posts(Route.RESPONSE, sent.request_id)[0].header(MODE_HEADER)
    require(mode in (None, "streaming"), expected=f"no {MODE_HEADER}, or streaming", seen=shown(mode))
    value = warm.value(sent)
    require(value == {"not": "streamed"}, expected="the value echoed", seen=shown(value))


@case(
    "ST-21-large-buffered",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "A large result that the handler gives as a whole is posted without the streaming mode, chunked or not: "
        "the limit of 6 MB stays."
    ),
    page="gettingstarted-limits",
    section=SECTION,
    needs=(Need.LARGE,),
)
def test_large_buffered(warm: Environment) -> None:
    outcome = warm.outcome(warm.send(do("size", bytes=LIMIT + 1000)), 10)
    mode = outcome.exchange.header(MODE_HEADER)
    require(
        outcome.kind is not OutcomeKind.RESPONSE,
        expected=f"more than {LIMIT} bytes refused with 413, or an error",
        seen=f"a response of {outcome.exchange.request_length} bytes, {MODE_HEADER}: {shown(mode)}",
    )


def _writes(times: int) -> Command:
    return stream({"bytes": _WRITE, "times": times})


def _require_all(payload: bytes, writes: int) -> None:
    size = writes * _WRITE
    require(
        payload == b"x" * size,
        expected=f"{size} bytes as written",
        seen=f"{len(payload)} bytes, {len(payload) - payload.count(b'x')} of them others",
    )
