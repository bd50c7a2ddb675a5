"""Several events at once, as Lambda Managed Instances give them: MI-01 to MI-12, RT-031."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import ANSWER_LIMIT, Environment, context_field, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import CaseBroken, require, shown, unsupported
from runtimebuilder.conformance.workers import WORKERS, Workers, waiting
from runtimebuilder.emulator.exchange import Exchange, Route
from runtimebuilder.emulator.faults import Reply
from runtimebuilder.emulator.invocation import DEFAULT_ARN, OutcomeKind

SECTION = "Concurrency"
PAGE = "runtimes-custom"
QUIET = 0.3  # seconds in which nothing may come
HELD = 0.8  # seconds that a handler holds an event for others to overtake it
PATIENT = 3.0  # ... on a slow machine
STORM = 12  # requests of one worker while next is cut again and again
CUT_FOR = 0.5  # seconds of that
HUGE = 2 * 1024 * 1024  # bytes of a message
FEW = 4  # workers where eight would show no more
PAIR = 2


@case(
    "RT-031-trace-in-LMI",
    Level.SHOULD,
    requirement=(
        "With several events at once each handler sees the trace id of its own event, and never that of another "
        "in its environment."
    ),
    page=PAGE,
    section=SECTION,
    needs=(Need.CONCURRENCY, Need.TRACE, Need.CONTEXT),
)
def test_trace_of_each(workers: Workers) -> None:
    traces = [f"Root=1-5759e988-{number:024x};Sampled=1" for number in range(2)]
    holds = (HELD, 0.0)  # the first one looks after the second one began
    sent = [
        workers.environment.send(do("context", seconds=seconds), trace_id=trace)
        for trace, seconds in zip(traces, holds, strict=True)
    ]
    for trace, invocation in zip(traces, sent, strict=True):
        told = workers.environment.value(invocation)
        in_environment = told.get("trace_id") if isinstance(told, dict) else None
        require(
            in_environment in (None, trace),
            expected=f"no _X_AMZN_TRACE_ID, or {trace}",
            seen=shown(in_environment),
        )
        if in_environment is None:
            seen = context_field(told, "context_trace_id")
            require(seen == trace, expected=f"{trace} in the context", seen=shown(seen))


@case(
    "MI-01-opt-in",
    Level.MUST,
    requirement=(
        "Where AWS_LAMBDA_MAX_CONCURRENCY is 1 or not set, exactly one GET next waits: one event at a time."
    ),
    page=PAGE,
    section=SECTION,
)
def test_opt_in(warm: Environment, environments: Environments) -> None:
    one = environments.open_managed(1).started_and_ready()
    time.sleep(QUIET)
    for environment, how in ((warm, "without AWS_LAMBDA_MAX_CONCURRENCY"), (one, "for one event at once")):
        count = len(waiting(environment.exchanges(Route.NEXT)))
        require(count == 1, expected=f"one GET next {how}", seen=f"{count}")
    one.require_echo("alone", because="for one event at once")


@case(
    "MI-02-worker-count",
    Level.MUST,
    requirement="At most AWS_LAMBDA_MAX_CONCURRENCY events are asked for at once, and more than one.",
    page=PAGE,
    section=SECTION,
    needs=(Need.CONCURRENCY,),
)
def test_worker_count(workers: Workers) -> None:
    environment = workers.environment
    right = f"at most {WORKERS} GET next waiting"
    require(workers.count <= WORKERS, expected=right, seen=f"{workers.count}")
    sent = [environment.send(do("sleep", seconds=2 * QUIET)) for _ in range(WORKERS + 1)]
    ids = {invocation.request_id for invocation in sent}
    environment.wait_for(lambda found: _busy(found, ids) > WORKERS, QUIET)
    busy = _busy(environment.exchanges(), ids)
    require(busy <= WORKERS, expected=f"at most {WORKERS} events taken at once", seen=f"{busy}")
    for invocation in sent:
        environment.outcome(invocation)


@case(
    "MI-03-parallel-answers",
    Level.MUST,
    requirement=(
        "Events that are handled at once are answered in any order, each with its own result and its own context."
    ),
    page=PAGE,
    section=SECTION,
    needs=(Need.CONCURRENCY, Need.CONTEXT),
)
def test_parallel_answers(workers: Workers) -> None:
    if not _last_is_answered_first(workers, HELD):
        # Not yet a proof: a machine that is busy with other things may take as long to hand out the last one.
        reversed_ = _last_is_answered_first(workers, PATIENT)
        require(reversed_, expected="the last event answered before the first", seen="one after another")


def _last_is_answered_first(workers: Workers, held: float) -> bool:
    """Whether events are answered as they are ready, of which the first is held longest."""
    environment = workers.environment
    step = held / max(1, workers.count - 1)
    sent = [
        environment.send(
            do("context", seconds=held - step * number, value=f"event {number}"),
            function_arn=f"{DEFAULT_ARN}:{number}",
            timeout=30 + number,
        )
        for number in range(workers.count)
    ]
    for number, invocation in enumerate(sent):
        told = environment.value(invocation)
        if isinstance(told, dict) and "value" not in told:
            unsupported("the probe's context takes no seconds and no value")
        wanted = {
            "value": f"event {number}",
            "request_id": invocation.request_id,
            "function_arn": invocation.function_arn,
            "deadline_ms": invocation.deadline_ms,
        }
        for name, value in wanted.items():
            seen = told.get(name, value) if isinstance(told, dict) else told
            require(seen == value, expected=f"{name} {shown(value)} with event {number}", seen=shown(seen))
    first, last = (environment.posts(Route.RESPONSE, each.request_id)[0] for each in (sent[0], sent[-1]))
    return first.number > last.number


@case(
    "MI-04-no-global-context",
    Level.MUST,
    requirement=(
        "What a handler logs is JSON, as AWS_LAMBDA_LOG_FORMAT says, and carries the request id of its own event."
    ),
    page=PAGE,
    section=SECTION,
    needs=(Need.CONCURRENCY, Need.LOG),
)
def test_request_id_in_logs(workers: Workers) -> None:
    environment = workers.environment
    messages = [str(uuid.uuid4()) for _ in range(FEW)]
    sent = [
        environment.send(do("log", message=message, seconds=(0.0 if number else QUIET)))
        for number, message in enumerate(messages)
    ]
    for invocation in sent:
        environment.value(invocation)
    for invocation, message in zip(sent, messages, strict=True):
        environment.logs_in_time(message)
        lines = [line for line in environment.log().splitlines() if message in line]
        expected = f"a JSON line with the request id {invocation.request_id}"
        require(lines, expected=expected, seen=f"no line with the message {message!r}")
        require(invocation.request_id in _texts(lines[0]), expected=expected, seen=shown(lines[0], 300))


@case(
    "MI-05-one-worker-dies",
    Level.SHOULD,
    requirement="When one worker ends, the others go on; it is replaced, or there is one less.",
    page=PAGE,
    section=SECTION,
    needs=(Need.CONCURRENCY, Need.EXIT),
)
def test_one_worker_dies(environments: Environments) -> None:
    workers = _own_workers(environments, FEW)
    environment = workers.environment
    kept = environment.send(do("sleep", seconds=HELD))
    environment.send(do("exit", code=3))
    environment.value(kept)
    workers.require_waiting(workers.count - 1, when="the end of a worker")
    sent = [environment.send(do("echo", value=number)) for number in range(workers.count - 1)]
    for number, invocation in enumerate(sent):
        seen = environment.value(invocation)
        require(seen == number, expected=f"{number} echoed by another worker", seen=shown(seen))


@case(
    "MI-06-late-response-410",
    Level.MUST,
    requirement=(
        "Nothing is killed at a deadline: a late answer is refused with 410, and the worker asks for the next event."
    ),
    page="lambda-managed-instances-execution-environment",
    section=SECTION,
    needs=(Need.CONCURRENCY,),
)
def test_late_response(workers: Workers) -> None:
    environment = workers.environment
    posts = _answered_late(environment, QUIET)
    if posts and posts[0].status != 410:  # the answer was faster than the deadline: a slow machine
        posts = _answered_late(environment, PATIENT)
    require(posts, expected="an answer, however late", seen="none")
    if posts[0].status != 410:
        raise CaseBroken("an answer came before its deadline, which was long before it")
    workers.require_waiting(workers.count, when="the answer 410")
    sent = [one for one in environment.exchanges() if _is_post(one, posts[0].request_id)]
    require(len(sent) <= 2, expected="no answer sent again and again", seen=f"{len(sent)} of them")
    environment.require_same_process(because="after an answer that came late")


@case(
    "MI-08-next-no-body",
    Level.MUST,
    requirement="No GET next of a managed environment has a body.",
    page=PAGE,
    section=SECTION,
)
def test_next_has_no_body(environments: Environments) -> None:
    environment = environments.managed(WORKERS)
    environment.ready()
    for one in environment.api.recording.exchanges(Route.NEXT):
        framed = one.request_framing == "chunked" or one.header("content-length") not in (None, "0")
        seen = f"{one.request_length} bytes, {one.request_framing}"
        require(not framed and one.request_length == 0, expected="GET next without a body", seen=seen)


@case(
    "MI-09-retry-next",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "A worker whose connection is lost while it waits tries again, with pauses, until it has one again."
    ),
    page=PAGE,
    section=SECTION,
    needs=(Need.CONCURRENCY,),
)
def test_retry_next(environments: Environments) -> None:
    workers = _own_workers(environments, PAIR)  # two who hurry are seen on a slow machine, eight are not
    environment = workers.environment
    most = STORM * workers.count
    before = len(environment.exchanges(Route.NEXT))
    environment.api.script(Route.NEXT, *[Reply.cut()] * (2 * most))
    environment.api.cut_waiting_next()
    environment.wait_for(lambda found: _nexts(found) - before > most, CUT_FOR)
    environment.api.end_script(Route.NEXT)
    tries = len(environment.exchanges(Route.NEXT)) - before
    require(
        tries <= most,
        expected=f"pauses between tries: at most {most} in {CUT_FOR:g} s by {workers.count} workers",
        seen=f"{tries} GET next",
    )
    workers.require_waiting(workers.count, when="lost connections", within=2 * ANSWER_LIMIT)
    environment.require_echo("again", because="after lost connections")


@case(
    "MI-10-tmp-shared",
    Level.SHOULD,
    requirement="Workers share /tmp and do not get into each other's way there.",
    page="lambda-managed-instances-execution-environment",
    section=SECTION,
    needs=(Need.CONCURRENCY,),
)
def test_tmp_is_shared(workers: Workers) -> None:
    environment = workers.environment
    for _ in range(3):
        texts = [f"{number}".rjust(20_000, "x") for number in range(workers.count)]
        sent = [environment.send(do("echo", value=text)) for text in texts]
        for text, invocation in zip(texts, sent, strict=True):
            seen = environment.value(invocation)
            require(seen == text, expected=f"{shown(text, 40)} echoed", seen=shown(seen, 40))


@case(
    "MI-12-error-body-1MiB",
    Level.SHOULD,
    judgement=True,
    requirement="An error that is refused for its size (1 MiB) is reported again in less: the event is answered.",
    page="lambda-managed-instances-execution-environment",
    section=SECTION,
    needs=(Need.CONCURRENCY, Need.RAISE),
)
def test_large_error(workers: Workers) -> None:
    environment = workers.environment
    outcome = environment.outcome(environment.send(do("raise", message="01234567", times=HUGE // 8)))
    require(outcome.kind is OutcomeKind.ERROR, expected="an error reported", seen=str(outcome.kind))
    workers.require_waiting(workers.count, when="a large error")


def _own_workers(environments: Environments, count: int) -> Workers:
    """Workers whom nobody else needs any more."""
    environments.features.look_for(Need.CONCURRENCY)
    environment = environments.open_managed(count)
    environment.start()
    return Workers.found(environment, environments.features, limit=count)


def _busy(found: Iterable[Exchange], ids: set[str]) -> int:
    """How many of these events are out."""
    found = tuple(found)
    given = {one.request_id for one in found if one.route is Route.NEXT and one.request_id in ids}
    back = {
        one.request_id
        for one in found
        if one.route in (Route.RESPONSE, Route.ERROR) and one.received is not None
    }
    return len(given - back)


def _nexts(found: Iterable[Exchange]) -> int:
    return sum(one.route is Route.NEXT for one in found)


def _answered_late(environment: Environment, seconds: float) -> list[Exchange]:
    """The answers to an event whose deadline passes at once and which is handled for so many seconds."""
    late = environment.send(do("sleep", seconds=seconds)).request_id

    def answers(found: Iterable[Exchange]) -> list[Exchange]:
        return [one for one in found if _is_post(one, late) and one.answered is not None]

    environment.wait_for(lambda found: _busy(found, {late}) == 1, ANSWER_LIMIT)
    environment.api.fail_invocation(late)
    environment.wait_for(lambda found: bool(answers(found)), ANSWER_LIMIT + seconds)
    return answers(environment.exchanges())


def _is_post(one: Exchange, request_id: str | None) -> bool:
    return one.route in (Route.RESPONSE, Route.ERROR) and one.request_id == request_id


def _texts(line: str) -> list[str]:
    """The texts of a log line that is a JSON object; none where it is not."""
    try:
        value = json.loads(line[line.find("{") :])
    except ValueError:
        return []
    return [text for text in value.values() if isinstance(text, str)] if isinstance(value, dict) else []
