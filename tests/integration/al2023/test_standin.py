"""The stand-in behaves as provided:al2023 does, as far as that image is documented; without any network."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import docker
import pytest
from docker.models.containers import Container

from tests.integration.al2023.standin import ENVIRONMENT, LABEL, REAL_NAME, StandIn, under_name

WHAT_THE_BASE_LACKS = (
    "apt-get", "dpkg", "find", "gzip", "perl", "python3", "rpmbuild", "sed", "tar", "useradd", "xargs",
)  # fmt: skip
WHAT_THE_BASE_HAS = (
    "awk",
    "bash",
    "cat",
    "chmod",
    "curl",
    "dnf",
    "grep",
    "install",
    "microdnf",
    "rm",
    "rpm",
    "sh",
)

# As in the shipped PHP runtimes: the packages of their default extensions.
DEFAULT_PACKAGES = (
    "php8.2-bcmath", "php8.2-cli", "php8.2-common", "php8.2-fpm", "php8.2-intl", "php8.2-mbstring",
    "php8.2-mysqlnd", "php8.2-opcache", "php8.2-pdo", "php8.2-pgsql", "php8.2-process", "php8.2-soap",
    "php8.2-sodium", "php8.2-xml", "php8.2-zip",
)  # fmt: skip
DEFAULT_EXTENSIONS = frozenset(
    ["bcmath", "curl", "intl", "mbstring", "mysqli", "pdo_mysql", "pdo_pgsql", "soap", "sodium", "xml", "zip"]
)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended and what it said."""

    code: int
    stdout: str
    stderr: str


def run(client: docker.DockerClient, image: str, command: list[str], **options: object) -> Ran:
    """Run a command in a new container without a network and remove the container."""
    container = client.containers.create(image, command, network_mode="none", **options)  # type: ignore[arg-type] # SDK
    try:
        container.start()
        code = container.wait(timeout=240)["StatusCode"]
        stdout = container.logs(stdout=True, stderr=False).decode()
        return Ran(code, stdout, container.logs(stdout=False, stderr=True).decode())
    finally:
        container.remove(force=True, v=True)


def shell(client: docker.DockerClient, image: str, script: str) -> Ran:
    """Run a script in place of the entrypoint."""
    return run(client, image, ["-c", script], entrypoint=["/bin/bash"])


def inside(container: Container, script: str) -> Ran:
    """Run a script in a container that runs already."""
    assert container.client is not None
    engine = container.client.api
    started = engine.exec_create(container.id, ["/bin/bash", "-c", script])["Id"]
    stdout, stderr = engine.exec_start(started, demux=True)
    code = engine.exec_inspect(started)["ExitCode"]
    return Ran(code, (stdout or b"").decode(), (stderr or b"").decode())


@pytest.fixture(scope="module")
def with_php(docker_client: docker.DockerClient, al2023_standin: StandIn) -> Iterator[Container]:
    """A container without a network in which the default packages are installed."""
    container: Container = docker_client.containers.create(
        al2023_standin.name, ["-c", "sleep 600"], entrypoint=["/bin/bash"], network_mode="none"
    )
    try:
        container.start()
        options = "-y --setopt=install_weak_deps=0 --setopt=tsflags=nodocs"
        done = inside(container, f"dnf install {options} {' '.join(DEFAULT_PACKAGES)}")
        assert done.code == 0, done
        yield container
    finally:
        container.remove(force=True, v=True)


def test_configuration_is_that_of_provided_al2023(
    docker_client: docker.DockerClient, al2023_standin: StandIn
) -> None:
    config = docker_client.images.get(al2023_standin.name).attrs["Config"]
    assert dict(entry.split("=", 1) for entry in config["Env"]) == ENVIRONMENT
    assert config["WorkingDir"] == "/var/task"
    assert config["Entrypoint"] == ["/lambda-entrypoint.sh"]
    assert not config["Cmd"]


def test_image_and_os_release_say_that_it_is_a_stand_in(
    docker_client: docker.DockerClient, al2023_standin: StandIn
) -> None:
    image = docker_client.images.get(al2023_standin.name)
    assert image.labels == {LABEL: "al2023"}
    assert 'PRETTY_NAME="Stand-in' in shell(docker_client, al2023_standin.name, "cat /etc/os-release").stdout


@pytest.mark.parametrize("arguments", [[], ["app.handler", "more"]], ids=["none", "two"])
def test_entrypoint_wants_exactly_one_argument(
    docker_client: docker.DockerClient, al2023_standin: StandIn, arguments: list[str]
) -> None:
    ran = run(docker_client, al2023_standin.name, arguments)
    assert ran == Ran(142, "", "entrypoint requires the handler name to be the first argument\n")


def test_entrypoint_runs_the_bootstrap_where_there_is_a_runtime_api(
    docker_client: docker.DockerClient, al2023_standin: StandIn
) -> None:
    script = r"""
        printf '#!/bin/sh\necho "$_HANDLER $$ $#"\n' > /var/runtime/bootstrap
        chmod +x /var/runtime/bootstrap
        AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001 exec /lambda-entrypoint.sh app.handler
    """
    # The same process id: the script replaced itself, so signals and exit codes are the runtime's.
    assert shell(docker_client, al2023_standin.name, script) == Ran(0, "app.handler 1 0\n", "")


def test_entrypoint_runs_the_emulator_elsewhere(
    docker_client: docker.DockerClient, al2023_standin: StandIn
) -> None:
    ran = run(docker_client, al2023_standin.name, ["app.handler"])
    assert (ran.code, ran.stdout) == (1, "")
    assert "stand-in" in ran.stderr
    assert "(asked to run: /var/runtime/bootstrap)" in ran.stderr


def test_programs_are_those_of_the_real_image(
    docker_client: docker.DockerClient, al2023_standin: StandIn
) -> None:
    wanted = " ".join((*WHAT_THE_BASE_LACKS, *WHAT_THE_BASE_HAS))
    script = f'PATH=$PATH:/usr/sbin; for p in {wanted}; do type -P "$p" >/dev/null && echo "$p"; done; exit 0'
    found = shell(docker_client, al2023_standin.name, script).stdout.split()
    assert sorted(found) == sorted(WHAT_THE_BASE_HAS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("config-manager --add-repo x", "Unknown command: 'config-manager'"),
        ("group install web-server", "Unknown command: 'group'"),
        ("list installed", "Unknown command: 'list'"),
        ("swap curl-minimal curl", "Unknown command: 'swap'"),
        ("autoremove -y", "Unknown command: 'autoremove'"),
        ("", "No command specified"),
        ("repoquery --requires php8.2-cli", "Unknown option --requires"),
        ("install -y --allowerasing php8.2-cli", "Unknown option --allowerasing"),
        ("install -y --skip-broken php8.2-cli", "Unknown option --skip-broken"),
        ("install -y --setopt=install_weak_deps=False tar", 'Invalid boolean value "False"'),
        ("install -y --setopt=max_parallel_downloads=9 tar", "Unable to handle: max_parallel_downloads=9"),
        ("clean metadata", "Only 'clean all' is supported"),
    ],
)
def test_dnf_refuses_what_microdnf_does_not_have(
    docker_client: docker.DockerClient, al2023_standin: StandIn, arguments: str, message: str
) -> None:
    ran = shell(docker_client, al2023_standin.name, f"dnf {arguments}")
    assert ran.code == 1
    assert ran.stderr.startswith("error: ")
    assert message in ran.stderr


def test_dnf_has_no_other_minor_of_php(docker_client: docker.DockerClient, al2023_standin: StandIn) -> None:
    ran = shell(docker_client, al2023_standin.name, "dnf install -y php8.3-cli")
    assert ran.code == 1
    assert "php8.3-cli" in ran.stderr
    minors = set(re.findall(r"php(8\.\d)", shell(docker_client, al2023_standin.name, "dnf repoquery").stdout))
    assert minors == {"8.2"}


def test_dnf_installs_php_offline(docker_client: docker.DockerClient, al2023_standin: StandIn) -> None:
    script = "dnf install -y php8.2-cli php8.2-fpm >&2 && type -P php && php -r 'echo PHP_VERSION;'"
    ran = shell(docker_client, al2023_standin.name, script)
    assert ran.code == 0, ran.stderr
    assert re.fullmatch(r"/usr/bin/php\n8\.2\.\d+", ran.stdout)


def test_php_has_the_extensions_of_the_installed_packages(with_php: Container) -> None:
    ran = inside(with_php, "php -m")
    assert (ran.code, ran.stderr) == (0, "")
    loaded = {line.lower() for line in ran.stdout.splitlines()}
    assert loaded >= DEFAULT_EXTENSIONS | {"zend opcache", "pcntl", "posix"}
    assert not loaded & {"gd", "redis", "ldap", "gmp"}


def test_php_lies_where_amazon_linux_has_it(with_php: Container) -> None:
    places = "/etc/php.ini /etc/php-fpm.conf /etc/php-fpm.d/www.conf /usr/bin/php /usr/sbin/php-fpm"
    assert inside(with_php, f"ls {places}").code == 0
    assert inside(with_php, "type -P php-fpm").code == 1, "the base has no sbin in PATH"
    settings = inside(with_php, "ls /etc/php.d").stdout.split()
    assert {"10-opcache.ini", "20-curl.ini", "30-pdo_mysql.ini"} <= set(settings)
    modules = inside(with_php, "ls /usr/lib64/php8.2/modules").stdout.split()
    assert {"curl.so", "intl.so", "pdo_mysql.so"} <= set(modules)
    assert (
        inside(with_php, "rpm -qf --qf '%{NAME}' /usr/lib64/php8.2/modules/mysqli.so").stdout
        == "php8.2-mysqlnd"
    )


@pytest.mark.parametrize("program", ["/usr/bin/php", "/usr/sbin/php-fpm"])
def test_an_added_ini_file_is_read(with_php: Container, program: str) -> None:
    added = "/etc/php.d/99-test.ini"
    script = f"echo 'memory_limit = 77M' > {added}; {program} -i | grep '^memory_limit'; rm {added}"
    assert inside(with_php, script).stdout == "memory_limit => 77M => 77M\n"


def test_fpm_comes_with_amazon_linux_pool_for_user_apache(with_php: Container) -> None:
    tested = inside(with_php, "/usr/sbin/php-fpm -tt")
    assert tested.code == 0, tested
    assert "user = apache" in tested.stderr
    assert inside(with_php, "getent passwd apache").stdout.startswith("apache:x:48:48:")


def test_every_package_of_the_repository_installs_and_every_module_loads(
    docker_client: docker.DockerClient, al2023_standin: StandIn
) -> None:
    script = r"""
        names=$(dnf repoquery --available --nevra 2>/dev/null | grep '^php') || exit 3
        dnf install -y $names >/dev/null || exit 4
        php -m; echo ---; ls /usr/lib64/php8.2/modules
    """
    ran = shell(docker_client, al2023_standin.name, script)
    assert (ran.code, ran.stderr) == (0, "")
    loaded, _, modules = ran.stdout.lower().partition("---")
    names = {"zend opcache" if name == "opcache.so" else name.removesuffix(".so") for name in modules.split()}
    assert len(names) > 35
    assert names <= set(loaded.splitlines())


def test_a_dockerfile_finds_it_under_the_real_name(
    docker_client: docker.DockerClient, al2023_real_name: str
) -> None:
    dockerfile = f"FROM {REAL_NAME}\nRUN dnf install -y php8.2-cli && dnf clean all\n"
    image, _ = docker_client.images.build(fileobj=BytesIO(dockerfile.encode()), rm=True, forcerm=True)
    try:
        assert al2023_real_name == REAL_NAME
        assert run(docker_client, str(image.id), ["-r", "echo 6 * 7;"], entrypoint=["php"]).stdout == "42"
    finally:
        docker_client.images.remove(str(image.id), force=True)


def test_a_borrowed_name_is_given_back(docker_client: docker.DockerClient, al2023_standin: StandIn) -> None:
    name = f"runtimebuilder.test/borrowed:{al2023_standin.name.rpartition(':')[2]}"
    with under_name(docker_client, al2023_standin, name):
        assert docker_client.images.get(name).id == al2023_standin.image_id
    assert docker_client.images.list(name=name) == []
    other, _ = docker_client.images.build(
        fileobj=BytesIO(f"FROM {al2023_standin.name}\nLABEL other=1\n".encode()), tag=name, rm=True
    )
    try:
        with under_name(docker_client, al2023_standin, name):
            assert docker_client.images.get(name).id == al2023_standin.image_id
        assert docker_client.images.get(name).id == other.id
    finally:
        docker_client.images.remove(name, force=True)
