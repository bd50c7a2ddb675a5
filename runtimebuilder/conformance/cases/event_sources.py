"""One round trip for the events of every source: PL-01 to PL-13.

Web requests go to a web application as such, and its answer has to be in the sender's form; to other runtimes
they go as any event does. To these nothing in an event is known, so it has to come back as it went.
"""

from __future__ import annotations

import json
from typing import Any

from runtimebuilder import events
from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import Environment, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import fail, require, shown, unsupported
from runtimebuilder.conformance.probes.codec import HTTP_STREAM_DELIMITER, NotDecodableError, codec_for
from runtimebuilder.conformance.probes.probe import Form, Probe
from runtimebuilder.conformance.web_source import (
    BALANCER,
    BALANCER_LISTS,
    FUNCTION_URL,
    HTTP_API,
    REST_API,
    SET_COOKIES,
    WebSource,
    require_mirrored,
    require_seen,
)
from runtimebuilder.emulator.invocation import OutcomeKind, encode_json
from runtimebuilder.events.samples import sample

SECTION = "Event sources"
CALLBACK = "AAAAKgAAAAIexample"
_VALUES: tuple[Any, ...] = ([], {}, [None, {}], "text", 0, False, None)


@case(
    "PL-01-api-gateway-rest",
    Level.MUST,
    judgement=True,
    requirement=(
        "A REST API's request is served: lists of values, members that are null, and a body in base64 included."
    ),
    page="services-apigateway",
    section=SECTION,
)
def test_api_gateway_rest(environments: Environments, probe: Probe) -> None:
    _serves(environments, probe, REST_API, "rest-api", "api-gateway-printed")


@case(
    "PL-02-http-api",
    Level.MUST,
    judgement=True,
    requirement="An HTTP API's request (payload format 2.0) is served: its list of cookies and its raw path included.",
    page="services-apigateway",
    section=SECTION,
)
def test_http_api(environments: Environments, probe: Probe) -> None:
    _serves(environments, probe, HTTP_API, "http-api")


@case(
    "PL-03-alb",
    Level.MUST,
    judgement=True,
    requirement="A load balancer's request is served, and the answer has single or multi-value headers as it has.",
    page="services-alb",
    section=SECTION,
)
def test_alb(environments: Environments, probe: Probe) -> None:
    _serves(environments, probe, BALANCER, "alb")
    _serves(environments, probe, BALANCER_LISTS, "alb-multi-value")


@case(
    "PL-04-function-url",
    Level.MUST,
    judgement=True,
    requirement="A function URL's request is served; of a result without statusCode the service infers the answer.",
    page="urls-invocation",
    section=SECTION,
)
def test_function_url(environments: Environments, probe: Probe) -> None:
    _serves(environments, probe, FUNCTION_URL, "function-url")


@case(
    "PL-05-sqs",
    Level.MUST,
    judgement=True,
    requirement="Messages of a queue, standard or FIFO, reach the handler as one batch.",
    page="with-sqs",
    section=SECTION,
    needs=(Need.ANY_EVENT,),
)
def test_sqs(warm: Environment) -> None:
    _round_trip(warm, sample("sqs"), sample("sqs-fifo"), sample("sqs-printed"))
    failures = {"batchItemFailures": [{"itemIdentifier": "059f36b4-87a3-44ab-83d2-661975830a7d"}]}
    warm.require_echo(failures, because="as the answer to a batch of which one message failed")


@case(
    "PL-06-sns",
    Level.MUST,
    judgement=True,
    requirement="A message of a topic reaches the handler, with the names of its members in their case.",
    page="with-sns",
    section=SECTION,
    needs=(Need.ANY_EVENT,),
)
def test_sns(warm: Environment) -> None:
    _round_trip(warm, sample("sns"), events.sns("no subject"))


@case(
    "PL-07-s3",
    Level.MUST,
    judgement=True,
    requirement="A bucket's notification reaches the handler, with its keys encoded as they are.",
    page="with-s3",
    section=SECTION,
    needs=(Need.ANY_EVENT,),
)
def test_s3(warm: Environment) -> None:
    _round_trip(warm, sample("s3"), sample("s3-delete"))


@case(
    "PL-08-eventbridge",
    Level.MUST,
    judgement=True,
    requirement="An event of a bus or of a schedule reaches the handler; an empty detail stays an object.",
    page="services-cloudwatchevents",
    section=SECTION,
    needs=(Need.ANY_EVENT,),
)
def test_eventbridge(warm: Environment) -> None:
    _round_trip(warm, sample("eventbridge"), sample("schedule"))


@case(
    "PL-09-dynamodb-streams",
    Level.MUST,
    judgement=True,
    requirement="Changes of a table reach the handler: typed attributes, numbers as text, and times with fractions.",
    page="with-ddb",
    section=SECTION,
    needs=(Need.ANY_EVENT,),
)
def test_dynamodb_streams(warm: Environment) -> None:
    _round_trip(warm, sample("dynamodb"))


@case(
    "PL-10-kinesis",
    Level.MUST,
    judgement=True,
    requirement="Records of a stream reach the handler: data in base64, large numbers as text, times with fractions.",
    page="with-kinesis",
    section=SECTION,
    needs=(Need.ANY_EVENT,),
)
def test_kinesis(warm: Environment) -> None:
    _round_trip(warm, sample("kinesis"))


@case(
    "PL-11-step-functions",
    Level.MUST,
    judgement=True,
    requirement="A state's input reaches the handler, and a failure has an errorType: workflows choose by it.",
    page="services-stepfunctions",
    section=SECTION,
    needs=(Need.ANY_EVENT, Need.RAISE),
)
def test_step_functions(warm: Environment) -> None:
    inputs = [
        sample("step-functions"),
        events.step_functions({}, token=CALLBACK),
        sample("step-functions-error"),
    ]
    _round_trip(warm, *inputs)
    outcome = warm.outcome(warm.send(do("raise", message="the order is gone")))
    expected = "POST to /error with an errorType"
    require(outcome.kind is OutcomeKind.ERROR, expected=expected, seen=str(outcome.kind))
    try:
        told = outcome.json()
    except ValueError:
        fail(expected=expected, seen=shown(outcome.body))
    kind = told.get("errorType") if isinstance(told, dict) else None
    require(isinstance(kind, str) and kind, expected=expected, seen=shown(told))


@case(
    "PL-12-direct-invoke",
    Level.MUST,
    judgement=True,
    requirement="What a caller hands over itself reaches the handler: an object, a list, text, a number, null.",
    page="lambda-invocation",
    section=SECTION,
    needs=(Need.ANY_EVENT,),
)
def test_direct_invoke(warm: Environment) -> None:
    _round_trip(warm, events.direct(), *_VALUES)


@case(
    "PL-13-others",
    Level.MUST,
    judgement=True,
    requirement="Events of other services reach the handler unread: logs, Kafka, WebSockets, user pools.",
    page="lambda-services",
    section=SECTION,
    needs=(Need.ANY_EVENT,),
)
def test_others(warm: Environment) -> None:
    names = ("cloudwatch-logs", "cognito", "kafka", "websocket", "websocket-connect")
    _round_trip(warm, *map(sample, names))


def _round_trip(environment: Environment, *sent: Any) -> None:
    """Require that each of these events comes back from a handler that returns its event."""
    for event in sent:
        back = environment.value(environment.send(event=encode_json(event)))
        require(back == event, expected=f"{shown(event)} back", seen=_difference(event, back))


def _serves(environments: Environments, probe: Probe, source: WebSource, *samples: str) -> None:
    if probe.form is Form.HTTP:
        for base64_body in (False, True):
            _serves_page(environments.warm(), source, base64_body=base64_body)
        _page(environments.warm(), source, source.get(), cookies=False)
        return
    reason = probe.lacks((Need.ANY_EVENT,))
    if reason is not None:
        unsupported(reason)
    _round_trip(environments.warm(), *map(sample, samples))


def _serves_page(environment: Environment, source: WebSource, *, base64_body: bool) -> None:
    command = do("request", set_cookies=list(SET_COOKIES)).text
    seen = _page(environment, source, source.request(command, base64_body=base64_body), cookies=True)
    require_seen(source, seen)


def _page(environment: Environment, source: WebSource, event: Any, *, cookies: bool) -> Any:
    """The result of the page, whose answer has to be in the form of this source."""
    outcome = environment.outcome(environment.send(event=encode_json(event)))
    expected = f"a page in answer to {source.name}"
    require(outcome.kind is OutcomeKind.RESPONSE, expected=expected, seen=shown(outcome.body))
    try:
        value = json.loads(codec_for(Form.HTTP).result(outcome.body))
    except NotDecodableError as problem:
        fail(expected=expected, seen=str(problem))
    except ValueError:
        fail(expected="a result that is JSON", seen=shown(outcome.body))
    if value == {"unsupported": True}:
        unsupported("the probe does not know this command")
    head = outcome.body.partition(HTTP_STREAM_DELIMITER)[0]
    require_mirrored(source, json.loads(head), cookies=cookies)
    return value


def _difference(sent: Any, back: Any) -> str:
    """Where an event that came back differs: the first place, or all of it when it is another kind of value."""
    if isinstance(sent, dict) and isinstance(back, dict):
        for name in [*sent, *back]:
            if name not in back:
                return f"{name} is missing"
            if name not in sent:
                return f"{name} is new: {shown(back[name])}"
            if sent[name] != back[name]:
                return f"{name}: {_difference(sent[name], back[name])}"
    if isinstance(sent, list) and isinstance(back, list) and len(sent) == len(back):
        for place, (one, other) in enumerate(zip(sent, back, strict=True)):
            if one != other:
                return f"[{place}]: {_difference(one, other)}"
    return f"{shown(back)} in place of {shown(sent)}"
