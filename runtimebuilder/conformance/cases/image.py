"""The image itself, and the entrypoint of AWS's base images: IM-01 to IM-11."""

from __future__ import annotations

import http.client
import posixpath
import socket
import uuid

from runtimebuilder.conformance.case import Level, case
from runtimebuilder.conformance.diagnosis import machine_of
from runtimebuilder.conformance.environment import Environment, do
from runtimebuilder.conformance.environments import Environments
from runtimebuilder.conformance.expectation import fail, require, shown, unsupported
from runtimebuilder.conformance.probes.probe import Probe
from runtimebuilder.conformance.subject import BOOTSTRAP, LAMBDA_ENTRYPOINT, Ran, Subject
from runtimebuilder.emulator.exchange import Route
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.sandbox.layer import LayerFile
from runtimebuilder.sandbox.namespace import connect_inside, network_of

SECTION = "Image"
PLATFORMS = ("linux/amd64", "linux/arm64")
LARGEST = 10 * 1000**3  # bytes, uncompressed
LAYERS = 127
REFUSED = 142
START_LIMIT = 10.0  # seconds
RIE = "/usr/local/bin/aws-lambda-rie"
RIE_ADDRESS = ("127.0.0.1", 8080)
RIE_PATH = "/2015-03-31/functions/function/invocations"
SHELLS = ("ash", "bash", "busybox", "dash", "sh")
REFUSAL = "entrypoint requires the handler name to be the first argument"

# What AWS's OS-only base images set (the values are those of provided:al2023).
BASE_ENV = {
    "LANG": "en_US.UTF-8",
    "TZ": ":/etc/localtime",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:"
    "/var/task:/var/task/lib:/opt/lib",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}


@case(
    "IM-01-entrypoint",
    Level.MUST,
    requirement="ENTRYPOINT is there, in exec form, an absolute path that is no symbolic link.",
    page="images-create",
    section=SECTION,
)
def test_entrypoint(subject: Subject, image: ImageFacts) -> None:
    expected = 'ENTRYPOINT ["/absolute/path"]'
    words = image.entrypoint or image.cmd
    require(words, expected=expected, seen="neither ENTRYPOINT nor CMD")
    assert words is not None  # noqa: S101 - told to the type checker; require() has just said so
    require(words[:2] != ("/bin/sh", "-c"), expected=expected, seen=f"shell form: {shown(words)}")
    require(posixpath.isabs(words[0]), expected=expected, seen=shown(words))
    kind = subject.kind_of_file(words[0])
    require(kind == "file", expected=f"{words[0]} is a file of the image", seen=f"it is {kind or 'missing'}")


@case(
    "IM-02-settings",
    Level.MUST,
    requirement=(
        "Only ENTRYPOINT, CMD, WORKDIR and ENV count: the image does not need USER, VOLUME or HEALTHCHECK."
    ),
    page="images-create",
    section=SECTION,
)
def test_settings(environments: Environments, image: ImageFacts) -> None:
    # The box overrules USER and HEALTHCHECK as the service does, and what is a VOLUME cannot be written in it.
    ignored = (
        ("USER", image.user),
        ("VOLUME", ", ".join(image.volumes)),
        ("EXPOSE", ", ".join(image.exposed)),
        ("HEALTHCHECK", "set" if image.healthcheck else ""),
    )
    told = ", ".join(f"{name} {value}" for name, value in ignored if value)
    environment = environments.open().started_and_ready()
    environment.require_echo("served", because=f"without {told}" if told else "as the service starts it")


@case(
    "IM-03-platform",
    Level.MUST,
    requirement="The image is for Linux, for x86-64 or arm64, and has at most 127 layers.",
    page="images-create",
    section=SECTION,
)
def test_platform(image: ImageFacts, subject: Subject) -> None:
    require(image.platform in PLATFORMS, expected=" or ".join(PLATFORMS), seen=image.platform)
    require(image.layers <= LAYERS, expected=f"at most {LAYERS} layers", seen=f"{image.layers} layers")
    program = machine_of(subject)
    if program is not None:
        path, machine = program
        require(
            machine == image.architecture,
            expected=f"programs for {image.architecture}, as the image says of itself",
            seen=f"{path} is for {machine}",
        )


@case(
    "IM-04-size",
    Level.MUST,
    requirement="The image has less than 10 GB, uncompressed, all layers together.",
    page="gettingstarted-limits",
    section=SECTION,
)
def test_size(image: ImageFacts) -> None:
    require(image.size < LARGEST, expected="less than 10 GB", seen=f"{image.size / 1000**3:.1f} GB")


@case(
    "IM-05-base-config",
    Level.SHOULD,
    requirement="An image with the base images' entrypoint has their WORKDIR, environment, and no USER.",
    page="images-create",
    section=SECTION,
)
def test_base_config(image: ImageFacts) -> None:
    _needs_lambda_entrypoint(image)
    require(image.workdir == "/var/task", expected="WORKDIR /var/task", seen=image.workdir or "none")
    require(not image.user, expected="no USER", seen=f"USER {image.user}")
    for name, value in BASE_ENV.items():
        seen = image.env.get(name)
        if name in ("PATH", "LD_LIBRARY_PATH"):  # more folders may be there, before or after
            right = seen is not None and set(value.split(":")) <= set(seen.split(":"))
            require(right, expected=f"{name} with the folders of {value}", seen=shown(seen))
        elif name in ("LANG", "TZ"):  # every language and zone will do
            require(seen, expected=f"{name}, for example {value}", seen="none")
        else:
            require(seen == value, expected=f"{name}={value}", seen=shown(seen))


@case(
    "IM-06-entrypoint-args",
    Level.SHOULD,
    requirement=(
        "/lambda-entrypoint.sh takes exactly one argument, the handler; otherwise it says so and "
        "exits with 142."
    ),
    page="images-create",
    section=SECTION,
)
def test_entrypoint_args(subject: Subject, image: ImageFacts) -> None:
    _needs_lambda_entrypoint(image)
    for arguments in ((), ("one.handler", "two")):
        ran = subject.run_once(arguments, {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"})
        when = f"with {len(arguments)} arguments"
        require(ran.code == REFUSED, expected=f"exit {REFUSED} {when}", seen=_told(ran))
        require(REFUSAL in ran.stderr, expected=f"{REFUSAL!r} on stderr {when}", seen=shown(ran.stderr))


@case(
    "IM-07-entrypoint-rie-switch",
    Level.SHOULD,
    requirement=(
        "/lambda-entrypoint.sh exports _HANDLER and runs the bootstrap; without "
        "AWS_LAMBDA_RUNTIME_API, under the RIE."
    ),
    page="images-create",
    section=SECTION,
)
def test_entrypoint_rie_switch(subject: Subject, image: ImageFacts) -> None:
    _needs_lambda_entrypoint(image)
    mark = str(uuid.uuid4())
    # The handler is read from the environment of a child: an unexported variable is not there.
    marker = f"#!/bin/sh\necho \"{mark} $0 $* handler=$(env | grep '^_HANDLER=')\"\n".encode()
    rie, bootstrap = RIE, BOOTSTRAP
    marked = subject.with_files(LayerFile(path, marker, 0o755) for path in (rie, bootstrap))
    for api, program in (
        ("127.0.0.1:9001", f"{bootstrap} "),
        ("", f"{rie} {bootstrap}"),
        (None, f"{rie} {bootstrap}"),
    ):
        env = {} if api is None else {"AWS_LAMBDA_RUNTIME_API": api}
        ran = subject.run_once(("some.handler",), env, image=marked)
        told = f"with AWS_LAMBDA_RUNTIME_API={api}" if api is not None else "without AWS_LAMBDA_RUNTIME_API"
        wanted = f"{mark} {program} handler=_HANDLER=some.handler"
        require(
            wanted in ran.stdout,
            expected=f"{program.strip()} run {told}, with _HANDLER=some.handler",
            seen=_told(ran),
        )


@case(
    "IM-08-exec-not-fork",
    Level.SHOULD,
    judgement=True,
    requirement=(
        "A shell that is the entrypoint is replaced by the runtime: signals and the exit code are the "
        "runtime's."
    ),
    page="images-create",
    section=SECTION,
)
def test_exec_not_fork(fresh: Environment) -> None:
    processes = fresh.box.processes()
    pids = [one.pid for one in processes]
    for shell in processes:
        program = posixpath.basename(shell.command.split(" ")[0])
        is_first = shell.parent not in pids and program in SHELLS
        children = [one.command for one in processes if one.parent == shell.pid]
        require(
            not is_first or not children,
            expected="the runtime in the place of the entrypoint's shell",
            seen=f"{shown(shell.command)} still there, with {shown(children)} below it",
        )


@case(
    "IM-09-cmd-override",
    Level.MUST,
    requirement="The handler is what CMD says, which the function's configuration can change.",
    page="images-create",
    section=SECTION,
)
def test_cmd_override(environments: Environments, probe: Probe) -> None:
    environment = environments.open(handler=probe.missing_handler)
    environment.start()
    asked = environment.wait_for(lambda found: any(one.route is Route.NEXT for one in found), START_LIMIT)
    expected = f"a start that fails with the handler {probe.missing_handler} of another CMD"
    require(not asked, expected=expected, seen="GET next")
    environment.exit_within(START_LIMIT, after="its start with a handler that does not exist")


@case(
    "IM-10-no-bake-state",
    Level.MUST,
    judgement=True,
    requirement="Two environments of one image are the same: their first requests are equal, and so is what they see.",
    page="images-create",
    section=SECTION,
)
def test_no_bake_state(warm: Environment, fresh: Environment) -> None:
    one, other = (_first_request(environment) for environment in (warm, fresh))
    require(one == other, expected=f"the first request of both: {shown(one)}", seen=shown(other))
    for command in ("cwd", "whoami"):
        first, second = (environment.ask(do(command)) for environment in (warm, fresh))
        require(first == second, expected=f"{command} of both: {shown(first)}", seen=shown(second))


@case(
    "IM-11-rie-contract",
    Level.MUST,
    requirement="Without AWS_LAMBDA_RUNTIME_API the image can be invoked at port 8080, through the emulator in it.",
    page="images-test",
    section=SECTION,
)
def test_rie_contract(environments: Environments, subject: Subject, image: ImageFacts) -> None:
    _needs_lambda_entrypoint(image)
    if subject.kind_of_file(RIE) is None:
        unsupported(f"the image has no Runtime Interface Emulator at {RIE}")
    environment = environments.open(elsewhere=True, env={"AWS_LAMBDA_RUNTIME_API": None})
    environment.start()
    network = network_of(environment.box.container.state().pid)
    expected = f"the emulator at port {RIE_ADDRESS[1]}"
    for value in ("one", "two"):
        try:
            connection = connect_inside(network, RIE_ADDRESS, START_LIMIT)
        except OSError as problem:
            ended = environment.box.wait_exit(0.5)
            if ended is not None:  # and its way into the network with it
                fail(expected=expected, seen=f"{ended.describe()}; {shown(environment.log()[-200:])}")
            unsupported(
                f"the box's network can only be entered by root on the engine's machine: {problem.strerror}"
            )
        if connection is None:
            fail(
                expected=expected, seen=f"nobody within {START_LIMIT:g} s; {shown(environment.log()[-200:])}"
            )
        status, body = _invoked(connection, environment.event_of(do("echo", value=value)))
        require(status == 200, expected=f"200 from {expected}", seen=f"{status}: {shown(body)}")
        require(value.encode() in body, expected=f"{value} echoed through {expected}", seen=shown(body))


def _first_request(environment: Environment) -> tuple[object, ...]:
    first = environment.api.recording.exchanges()[0]
    headers = tuple((name, value) for name, value in first.request_headers if name.lower() != "host")
    return (first.method, first.target, first.http_version, headers, first.request_body)


def _invoked(connection: socket.socket, event: bytes) -> tuple[int, bytes]:
    """Status and body of one invoke as the SDKs do it, on a connection that is open."""
    client = http.client.HTTPConnection(*RIE_ADDRESS)
    client.sock = connection
    try:
        connection.settimeout(START_LIMIT)
        client.request("POST", RIE_PATH, event, {"Connection": "close"})
        answer = client.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as problem:
        fail(expected="an answer from the emulator", seen=f"{type(problem).__name__}: {problem}")
    finally:
        client.close()


def _needs_lambda_entrypoint(image: ImageFacts) -> None:
    if image.entrypoint != (LAMBDA_ENTRYPOINT,):
        unsupported(f"the entrypoint is not {LAMBDA_ENTRYPOINT}")


def _told(ran: Ran) -> str:
    return f"exit {ran.code}, stdout {shown(ran.stdout)}, stderr {shown(ran.stderr)}"
