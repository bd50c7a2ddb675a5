"""Starts that go wrong, and POST of /runtime/init/error: RT-150 to RT-169."""

from __future__ import annotations

import json
import re

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.cases.errors import ERROR_TYPE_HEADER
from runtimebuilder.conformance.environment import Environment
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import fail, require, shown, unsupported
from runtimebuilder.conformance.probes.known import THROWN_AT_LOAD
from runtimebuilder.conformance.probes.probe import Probe
from runtimebuilder.conformance.subject import BOOTSTRAP, Subject
from runtimebuilder.emulator.exchange import Exchange, Route
from runtimebuilder.emulator.faults import Reply
from runtimebuilder.sandbox.outcome import Exit

SECTION = "Start failures"
START_LIMIT = 10.0  # seconds: the service's limit for the Init phase
GONE_WITHIN = 1.5  # seconds from the answer to init/error to the end of the process
STORM = 3
HUGE = 2_000_000  # bytes of a message
REPORT_LIMIT = 1024 * 1024  # bytes that the smallest of the places takes to which a report is sent
TIMES = "PROBE_TIMES"  # how often a throws-at-load handler says its message


@case(
    "RT-150-handler-file-missing",
    Level.MUST,
    requirement=(
        "A handler whose file is missing is reported to init/error before any GET next; then the "
        "process exits."
    ),
    page="runtimes-custom",
    section=SECTION,
)
def test_handler_file_missing(environments: Environments, probe: Probe) -> None:
    _reported_and_gone(environments, probe.missing_handler)


@case(
    "RT-151-handler-symbol-missing",
    Level.MUST,
    requirement=(
        "A handler whose file is there but whose function is not is reported to init/error before any"
        " GET next."
    ),
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.MISSING_SYMBOL,),
)
def test_handler_symbol_missing(environments: Environments, probe: Probe) -> None:
    _reported_and_gone(environments, probe.faulty[Need.MISSING_SYMBOL])


@case(
    "RT-152-syntax-error",
    Level.MUST,
    requirement=(
        "A handler that does not parse is reported to init/error before any GET next; then the process exits."
    ),
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.SYNTAX_ERROR,),
)
def test_syntax_error(environments: Environments, probe: Probe) -> None:
    _reported_and_gone(environments, probe.faulty[Need.SYNTAX_ERROR])


@case(
    "RT-153-import-throws",
    Level.MUST,
    requirement="A handler that raises while it is loaded is reported to init/error with its message.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.THROWS_AT_LOAD,),
)
def test_import_throws(environments: Environments, probe: Probe) -> None:
    reported = _reported_and_gone(environments, probe.faulty[Need.THROWS_AT_LOAD])
    require(
        THROWN_AT_LOAD.encode() in reported.request_body,
        expected=f"the message {THROWN_AT_LOAD!r}",
        seen=shown(reported.request_body),
    )


@case(
    "RT-154-handler-empty-malformed",
    Level.SHOULD,
    judgement=True,
    requirement="A handler string that names nothing is reported to init/error.",
    page="runtimes-custom",
    section=SECTION,
)
def test_handler_malformed(environments: Environments) -> None:
    for handler in ("nodot", " "):
        _reported_and_gone(environments, handler)


@case(
    "RT-155-handler-unset",
    Level.SHOULD,
    requirement=(
        "Without _HANDLER and without an argument the runtime says that the handler is missing, and exits."
    ),
    page="runtimes-custom",
    section=SECTION,
)
def test_handler_unset(subject: Subject) -> None:
    if not subject.has_file(BOOTSTRAP):
        unsupported(f"there is no {BOOTSTRAP}")
    ran = subject.run_once((), {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}, entrypoint=(BOOTSTRAP,))
    require(ran.code, expected="a failing exit", seen="it runs" if ran.code is None else "exit 0")
    told = ran.stdout + ran.stderr
    require("handler" in told.lower(), expected="a message that names the handler", seen=shown(told))


@case(
    "RT-156-init-error-header",
    Level.SHOULD,
    requirement=(
        "The report of a failed start has the header Lambda-Runtime-Function-Error-Type: Runtime.Reason."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_init_error_header(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.missing_handler)
    seen = _start_and_fail(environment).header(ERROR_TYPE_HEADER) or ""
    right = re.fullmatch(r"Runtime\.[A-Z][A-Za-z0-9_]+", seen)
    require(right, expected=f"{ERROR_TYPE_HEADER}: Runtime.Reason", seen=shown(seen))


@case(
    "RT-157-init-error-body",
    Level.SHOULD,
    requirement=(
        "The report of a failed start is an object with errorMessage, errorType and a list of strings "
        "stackTrace."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_init_error_body(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.missing_handler)
    body = _start_and_fail(environment).request_body
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    trace = told.get("stackTrace") if isinstance(told, dict) else None
    right = isinstance(trace, list) and all(isinstance(line, str) for line in trace)
    right = right and all(isinstance(told.get(name), str) for name in ("errorMessage", "errorType"))
    expected = "errorMessage and errorType: strings; stackTrace: a list of strings"
    require(right, expected=expected, seen=shown(body))


@case(
    "RT-158-init-error-once",
    Level.MUST,
    requirement="A failed start is reported exactly once.",
    page="runtimes-custom",
    section=SECTION,
)
def test_init_error_once(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.missing_handler)
    _start_and_fail(environment)
    _gone(environment)
    reports = len(environment.exchanges(Route.INIT_ERROR))
    require(reports == 1, expected="one POST to init/error", seen=f"{reports} POSTs")


@case(
    "RT-159-exit-after-init-error",
    Level.MUST,
    requirement=(
        "The process ends within a second or so of the answer to init/error: until then the caller waits."
    ),
    page="runtimes-custom",
    section=SECTION,
)
def test_exit_after_init_error(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.missing_handler)
    _start_and_fail(environment)
    environment.exit_within(GONE_WITHIN, after="init/error")


@case(
    "RT-160-exit-code-nonzero",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "A process whose start failed does not exit with 0: that would be shown as an exit without a reason."
    ),
    page="runtimes-custom",
    section=SECTION,
)
def test_exit_code_nonzero(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.missing_handler)
    _start_and_fail(environment)
    found = _gone(environment)
    require(not found.is_success, expected="a failing exit", seen=found.describe())


@case(
    "RT-161-no-next-after-init-error",
    Level.MUST,
    requirement="After init/error there is no GET next.",
    page="runtimes-custom",
    section=SECTION,
)
def test_no_next_after_init_error(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.missing_handler)
    _start_and_fail(environment)
    environment.box.wait_exit(GONE_WITHIN)
    asked = environment.exchanges(Route.NEXT)
    require(not asked, expected="no GET next", seen=f"{len(asked)} GET next")


@case(
    "RT-162-init-error-403-500",
    Level.MUST,
    requirement=(
        "The process exits all the same when init/error is answered with 403 or 500, and does not "
        "post on and on."
    ),
    page="runtimes-api",
    section=SECTION,
)
def test_init_error_403_500(environments: Environments, probe: Probe) -> None:
    refusals = (("403", Reply.forbidden("InitError", "InitError")), ("500", Reply.server_error()))
    for status, refusal in refusals:
        environment = environments.open(handler=probe.missing_handler)
        environment.api.script(Route.INIT_ERROR, *[refusal] * 100)
        _start_and_fail(environment)
        environment.exit_within(START_LIMIT / 2, after=f"the answer {status} to init/error")
        reports = len(environment.exchanges(Route.INIT_ERROR))
        require(reports <= STORM, expected=f"at most {STORM} POSTs to init/error", seen=f"{reports} POSTs")


@case(
    "RT-163-init-error-no-answer",
    Level.SHOULD,
    judgement=True,
    requirement="The process exits also when init/error is never answered.",
    page="runtimes-custom",
    section=SECTION,
)
def test_init_error_no_answer(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.missing_handler)
    environment.api.script(Route.INIT_ERROR, Reply(202, delay=60))
    environment.start()
    if not environment.wait_for(lambda found: bool(_reports(found)), START_LIMIT):
        fail(expected="POST to init/error", seen="none")
    environment.exit_within(START_LIMIT, after="a report that is not answered")


@case(
    "RT-166-second-start-same-error",
    Level.MUST,
    judgement=True,
    requirement="The second start in the same environment fails and is reported like the first.",
    page="lambda-runtime-environment",
    section=SECTION,
)
def test_second_start_same_error(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.missing_handler)
    first = _start_and_fail(environment)
    _gone(environment)
    environment.box.restart()
    if not environment.wait_for(
        lambda found: sum(one.answered is not None for one in _reports(found)) > 1, START_LIMIT
    ):
        _gone(environment)
    reports = environment.exchanges(Route.INIT_ERROR)
    require(len(reports) == 2, expected="a second POST to init/error", seen=f"{len(reports)} in two starts")
    require(
        reports[1].header("Content-Type") == first.header("Content-Type") and reports[1].request_body,
        expected="the same kind of report",
        seen=shown(reports[1].request_body),
    )


@case(
    "RT-167-init-error-size",
    Level.SHOULD,
    judgement=True,
    requirement="The report of a failed start stays below 1 MiB, whatever the length of its message.",
    page="runtimes-custom",
    section=SECTION,
    needs=(Need.THROWS_AT_LOAD,),
)
def test_init_error_size(environments: Environments, probe: Probe) -> None:
    times = HUGE // len(THROWN_AT_LOAD)
    environment = environments.open(handler=probe.faulty[Need.THROWS_AT_LOAD], env={TIMES: str(times)})
    reported = _start_and_fail(environment)
    size = len(reported.request_body)
    require(size < REPORT_LIMIT, expected=f"a report of less than {REPORT_LIMIT} bytes", seen=f"{size} bytes")
    require(
        THROWN_AT_LOAD.encode() in reported.request_body,
        expected="the beginning of the message",
        seen=shown(reported.request_body),
    )
    _gone(environment)


@case(
    "RT-168-init-log",
    Level.SHOULD,
    judgement=True,
    requirement="Why a start failed is in the log as well.",
    page="runtimes-custom",
    section=SECTION,
)
def test_init_log(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.missing_handler)
    _start_and_fail(environment)
    _gone(environment)
    name = probe.missing_handler.partition(".")[0]
    logged = environment.logs_in_time(name)
    require(logged, expected=f"{name!r}, the missing handler, in the log", seen=shown(environment.log()))


def _reported_and_gone(environments: Environments, handler: str) -> Exchange:
    environment = environments.open(handler=handler)
    reported = _start_and_fail(environment)
    _gone(environment)
    return reported


def _start_and_fail(environment: Environment) -> Exchange:
    """Start; require a POST to init/error before any GET next."""
    environment.start()
    expected = "POST to /runtime/init/error before any GET next"

    def told(found: tuple[Exchange, ...]) -> bool:
        return any(
            one.route is Route.NEXT or (one.route is Route.INIT_ERROR and one.answered) for one in found
        )

    environment.wait_for(told, START_LIMIT)
    seen = environment.exchanges(Route.NEXT, Route.INIT_ERROR)
    if not seen:
        found = environment.box.wait_exit(0.5)
        fail(
            expected=expected,
            seen=f"the process ended without a request, {found.describe()}"
            if found
            else f"no request within {START_LIMIT:g} s",
        )
    require(seen[0].route is Route.INIT_ERROR, expected=expected, seen="GET next")
    return seen[0]


def _gone(environment: Environment) -> Exit:
    return environment.exit_within(START_LIMIT / 2, after="init/error")


def _reports(found: tuple[Exchange, ...]) -> list[Exchange]:
    return [one for one in found if one.route is Route.INIT_ERROR]
