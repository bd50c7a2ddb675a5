"""Starts that go wrong, and POST of /runtime/init/error: RT-150 to RT-169."""

from __future__ import annotations

from runtimebuilder.conformance.case import Level, Need, case
from runtimebuilder.conformance.environment import Environment
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import fail, require, shown
from runtimebuilder.conformance.probes.known import THROWN_AT_LOAD
from runtimebuilder.conformance.probes.probe import Probe
from runtimebuilder.emulator.exchange import Exchange, Route
from runtimebuilder.emulator.faults import Reply
from runtimebuilder.sandbox.outcome import Exit

SECTION = "Start failures"
START_LIMIT = 10.0  # seconds: the service's limit for the Init phase
GONE_WITHIN = 1.5  # seconds from the answer to init/error to the end of the process
STORM = 3


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
    "RT-164-exit-at-import",
    Level.MUST,
    requirement=(
        "When loading the handler ends the process, it ends: without a GET next, with or without a report."
    ),
    page="lambda-runtime-environment",
    section=SECTION,
    needs=(Need.EXITS_AT_LOAD,),
)
def test_exit_at_import(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.faulty[Need.EXITS_AT_LOAD])
    environment.start()
    asked = environment.wait_for(lambda found: any(one.route is Route.NEXT for one in found), START_LIMIT)
    require(not asked, expected="no GET next of a handler that exits while it is loaded", seen="GET next")
    found = environment.exit_within(START_LIMIT, after="the start of a handler that exits")
    require(not found.is_success, expected="a failing exit", seen=found.describe())


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
    if not environment.wait_for(lambda found: len(_reports(found)) > 1, START_LIMIT):
        _gone(environment)
    reports = environment.exchanges(Route.INIT_ERROR)
    require(len(reports) == 2, expected="a second POST to init/error", seen=f"{len(reports)} in two starts")
    require(
        reports[1].header("Content-Type") == first.header("Content-Type") and reports[1].request_body,
        expected="the same kind of report",
        seen=shown(reports[1].request_body),
    )


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
