"""`runtimebuilder verify` on what we build: green as it is, red for the right case when its client is broken."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runtimebuilder.build.execute import BuiltImage
from runtimebuilder.engine.builder import BuildRequest
from runtimebuilder.engine.classic import ClassicBuilder
from runtimebuilder.engine.docker import Engine
from runtimebuilder.render.context import BuildContext, ContextFile
from tests.integration.test_build import ON_DEBIAN

Cli = Callable[..., subprocess.CompletedProcess[str]]
Built = Callable[..., BuiltImage]

API = "/var/runtime/php/src/Api/RuntimeApi.php"
LOOP = "/var/runtime/php/src/Runtime.php"
EVENT = "/var/runtime/php/src/Outcome.php"
REQUEST = "/var/runtime/php/src/Web/HttpEvent.php"
ANSWER = "/var/runtime/php/src/Web/HttpResult.php"
# What is broken (file, text, replacement), the case that has to notice it, and cases that must still pass.
BROKEN = {
    "posts-its-result-to-another-path": (
        (
            API,
            'rawurlencode($requestId) . "/$what"',
            'rawurlencode($requestId) . "/of-$what"',
        ),
        "RT-060",
        ("RT-003", "RT-150", "IM-01"),
    ),
    "never-reports-a-failed-start": (
        (API, "'/init/error'", "'/init/silence'"),
        "RT-150",
        ("RT-003", "RT-060", "RT-110", "FS-01"),
    ),
    "ends-after-an-error": (
        (
            LOOP,
            "$this->api->fail($requestId, $outcome->report);\n",
            "$this->api->fail($requestId, $outcome->report);\n            exit(1);\n",
        ),
        "RT-110",
        ("RT-003", "RT-060", "RT-150", "FS-01"),
    ),
    "forgets-the-trace-id": (
        (EVENT, "Environment::set('_X_AMZN_TRACE_ID', $invocation->traceId);", ""),
        "RT-028",
        ("RT-060", "RT-110", "RT-150", "FS-01"),
    ),
    "writes-outside-of-tmp": (
        ("/var/runtime/bootstrap", "exec ", ": > /var/runtime/started || exit 1\nexec "),
        "FS-01",
        ("IM-01", "IM-03", "IM-04"),
    ),
}

# The same for an application behind FPM: each sender's requests and answers have a form of their own.
BROKEN_PAGES = {
    "last-value-of-a-parameter-only": (
        (
            REQUEST,
            "$query[] = rawurlencode($name) . '=' . rawurlencode($value); // they arrive decoded",
            "$query[$name] = rawurlencode($name) . '=' . rawurlencode($value);",
        ),
        "PL-01",
        ("PL-02", "PL-03", "PL-04"),
    ),
    "cookies-in-the-header-only": (
        (REQUEST, "$headers['cookie'] = implode('; ', $cookies);", ""),
        "PL-02",
        ("PL-01", "PL-03"),
    ),
    "single-headers-for-every-load-balancer": (
        (
            ANSWER,
            "$this->event->multiValue => ",
            "$this->event->multiValue && $this->event->form !== EventForm::LoadBalancer => ",
        ),
        "PL-03",
        ("PL-01", "PL-02", "PL-04"),
    ),
    "cookies-of-api-gateway-only": (
        (
            REQUEST,
            "if ($cookies !== []) {",
            "if ($cookies !== [] && !str_contains(self::text($context, 'domainName', ''), '.lambda-url.')) {",
        ),
        "PL-04",
        ("PL-01", "PL-02", "PL-03"),
    ),
}


@pytest.mark.parametrize("base", ["debian-12", "debian-13"])
def test_what_we_build_conforms(built: Built, cli: Cli, base: str) -> None:
    images = [built(name, base=base).step.tags[0] for name, on in ON_DEBIAN if on == base]
    assert len(images) == 3
    verdict = cli("verify", *images, "--strict", timeout=580)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert len(re.findall(r"^all \d+ passed in ", verdict.stdout, re.MULTILINE)) == 3, verdict.stdout
    assert "3 of 3 images conform" in verdict.stdout


def rebuilt(engine: Engine, subject: BuiltImage, path: str, old: str, new: str) -> str:
    """The id of an image like `subject`, with one text in one file replaced."""
    place = path.removeprefix("/")
    original = next(file for file in subject.step.context.files if file.path == f"rootfs/{place}")
    text = original.data.decode()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
    context = BuildContext(
        (
            ContextFile(
                "Dockerfile", 0o644, f"FROM {subject.step.tags[0]}\nCOPY {place} /{place}\n".encode()
            ),
            ContextFile(place, original.mode, text.replace(old, new).encode()),
        )
    )
    return ClassicBuilder(engine).image_of(BuildRequest(context), lambda _: None)


def judged(cli: Cli, image: str, *cases: str) -> dict[str, str]:
    """The states of these cases by their numbers; at least one failed."""
    verdict = cli("verify", image, "--json", *(f"--case={number}" for number in cases))
    assert verdict.returncode == 1, verdict.stderr
    return {
        row["id"].rsplit("-", row["id"].count("-") - 1)[0]: row["state"]
        for row in map(json.loads, verdict.stdout.splitlines())
        if row["kind"] == "case" and row["state"] != "skipped"
    }


@pytest.mark.parametrize("broken", BROKEN_PAGES)
def test_a_mistake_with_one_sender_is_red_for_its_case(
    engine: Engine, built: Built, cli: Cli, broken: str
) -> None:
    change, noticed, intact = BROKEN_PAGES[broken]
    image = rebuilt(engine, built("php-82-fpm", base="debian-12"), *change)
    assert judged(cli, image, noticed, *intact) == {noticed: "failed", **dict.fromkeys(intact, "passed")}
    engine.remove_image(image, force=True)


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_runtime_is_red_for_the_right_case(
    engine: Engine, built: Built, cli: Cli, broken: str
) -> None:
    change, noticed, intact = BROKEN[broken]
    image = rebuilt(engine, built("php-82", base="debian-12"), *change)
    assert judged(cli, image, noticed, *intact) == {noticed: "failed", **dict.fromkeys(intact, "passed")}

    # What a person sees of it.
    shown = cli("verify", image, f"--case={noticed}")
    assert shown.returncode == 1
    for expected in (
        f"{noticed}-",
        "expected",
        "seen",
        "https://docs.aws.amazon.com/lambda/",
        f"--case {noticed} -v",
    ):
        assert expected.rstrip("-") in shown.stdout
    engine.remove_image(image, force=True)


def test_no_case_selected_is_exit_3(built: Built, cli: Cli) -> None:
    built("php-82", base="debian-12")
    verdict = cli("verify", "php-82:debian-12", "--case", "XX-*")
    assert (verdict.returncode, verdict.stdout) == (3, "")


def test_an_image_that_is_not_there_is_exit_4(cli: Cli) -> None:
    verdict = cli("verify", "nobody/has-this:1")
    assert (verdict.returncode, verdict.stdout) == (4, "")
    assert "docker pull nobody/has-this:1" in verdict.stderr


def test_an_interrupted_verify_leaves_nothing_behind(engine: Engine, built: Built) -> None:
    built("php-82", base="debian-12")

    def ours() -> list[str]:
        label = {"filters": {"label": ["dev.runtimebuilder.ephemeral"]}}
        found = [entry["Id"] for entry in engine.api.containers(all=True, **label)]
        found += [entry["Id"] for entry in engine.api.networks(**label)]
        found += [entry["Name"] for entry in engine.api.volumes(**label)["Volumes"] or ()]
        return found + [entry["Id"] for entry in engine.api.images(**label)]

    before = set(ours())
    command = [str(Path(sys.executable).parent / "runtimebuilder"), "verify", "php-82:debian-12"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while not set(ours()) - before and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert set(ours()) - before == set()
