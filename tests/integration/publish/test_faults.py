"""What networks and registries do in the middle of a push: it ends well, or it says so and claims nothing."""

from __future__ import annotations

import hashlib
import random
import signal
from collections.abc import Iterator

import pytest

from runtimebuilder.publish import registry as api
from runtimebuilder.publish.push import Pushed
from tests.integration.publish.conftest import Maker, Push
from tests.integration.publish.proxy import (
    Asked,
    Cut,
    Fault,
    FaultProxy,
    HangUp,
    Reply,
    Truncate,
    ecr_rules,
)
from tests.integration.registry import Registry, RegistryError

PIECE = 64_000  # bytes: three pieces for each layer of the images here
CUTS = 25


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "CHUNK", PIECE)


@pytest.fixture(autouse=True)
def image(make_image: Maker) -> str:
    """The engine's builder has it from its cache, when a test has named another one so."""
    return make_image("pub-one", seed=1)


@pytest.fixture
def proxy(registry: Registry) -> Iterator[FaultProxy]:
    with FaultProxy(registry.host) as running:
        yield running


_numbers = iter(range(1_000_000))


@pytest.fixture
def place() -> str:
    """A prefix of its own for each test: blobs of one repository are not seen in another."""
    return f"t{next(_numbers)}"


def at(registry: Registry, place: str, tag: str = "7") -> str:
    """The digest that the registry itself has for the tag; of all that it names, too."""
    manifest = registry.manifest(f"{place}/pub-one", tag)
    assert manifest.digest == "sha256:" + hashlib.sha256(manifest.body).hexdigest()
    return manifest.digest


@pytest.mark.parametrize(
    ("method", "part", "fault"),
    [
        ("GET", "/manifests/", Reply.error(429, "TOOMANYREQUESTS", "slow down", Retry_After="3")),
        ("HEAD", "/blobs/", Reply(503)),
        ("POST", "/uploads/", Reply.error(500, "UNKNOWN", "unknown error")),
        ("PATCH", "/uploads/", HangUp()),
        ("PATCH", "/uploads/", HangUp(after=True)),
        ("PUT", "/uploads/", HangUp(after=True)),
        ("PUT", "/manifests/", HangUp(after=True)),
        ("PUT", "/manifests/", Reply(502, b"<html>Bad Gateway</html>")),
        ("PUT", "/uploads/", Reply.error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown")),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else f"{type(value).__name__}-{getattr(value, 'status', '')}"
    ),
)
def test_what_passes_is_tried_again_and_said(
    push: Push,
    registry: Registry,
    proxy: FaultProxy,
    place: str,
    method: str,
    part: str,
    fault: Fault,
) -> None:
    proxy.fail(2, method, part, fault)
    pushed = push.good(f"{proxy.host}/{place}")
    assert at(registry, place) == pushed.digest
    again = [line for line in push.said if "again in" in line]
    assert len(again) == 2, push.said
    assert "(2 of 5)" in again[0]


def test_a_registry_that_asks_for_time_gets_it(push: Push, proxy: FaultProxy, place: str) -> None:
    proxy.fail(1, "PUT", "/manifests/", Reply.error(429, "TOOMANYREQUESTS", "slow down", Retry_After="7"))
    push.good(f"{proxy.host}/{place}")
    assert ["again in 7.0 s" in line for line in push.said] == [True]


def test_a_cut_answer_is_no_answer(push: Push, proxy: FaultProxy, place: str) -> None:
    first = push.good(f"{proxy.host}/{place}")
    proxy.fail(2, "GET", "/manifests/", Truncate())
    second = push.good(f"{proxy.host}/{place}")
    assert (second.digest, second.sent) == (first.digest, None)
    assert len(push.said) == 2


def test_a_manifest_that_is_seen_late_is_waited_for(push: Push, proxy: FaultProxy, place: str) -> None:
    def late(asked: Asked) -> Fault | None:
        is_check = asked.is_a("GET", "/manifests/7") and bool(proxy.sent("PUT", "/manifests/"))
        if is_check and len(proxy.sent("GET", "/manifests/7")) < 4:
            return Reply.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        return None

    proxy.rules.append(late)
    push.good(f"{proxy.host}/{place}")
    assert len(push.said) == 2


@pytest.mark.parametrize(
    ("method", "part", "reply", "code"),
    [
        ("GET", "/manifests/", Reply.error(403, "DENIED", "requested access to the resource is denied"), 4),
        ("POST", "/uploads/", Reply.error(401, "UNAUTHORIZED", "authentication required"), 4),
        ("POST", "/uploads/", Reply.error(404, "NAME_UNKNOWN", "The repository does not exist"), 1),
        ("PUT", "/manifests/", Reply.error(400, "MANIFEST_INVALID", "manifest invalid"), 1),
        ("POST", "/uploads/", Reply.error(413, "SIZE_INVALID", "too large"), 1),
    ],
)
def test_what_does_not_pass_is_not_tried_again(
    push: Push,
    registry: Registry,
    proxy: FaultProxy,
    place: str,
    method: str,
    part: str,
    reply: Reply,
    code: int,
) -> None:
    proxy.fail(1000, method, part, reply)
    failed = push.bad(f"{proxy.host}/{place}")
    assert failed.error.exit_code == code, failed.error.message
    assert [line for line in push.said if "again" in line] == []
    assert len(proxy.sent(method, part)) == 1
    with pytest.raises(RegistryError):
        at(registry, place)


def test_what_never_passes_is_given_up(push: Push, proxy: FaultProxy, place: str) -> None:
    proxy.fail(1000, "PUT", "/manifests/", Reply(503))
    failed = push.bad(f"{proxy.host}/{place}", attempts=3)
    assert failed.error.exit_code == 1
    assert "given up (3 attempts)" in failed.error.message
    assert len(proxy.sent("PUT", "/manifests/")) == 3


def test_other_bytes_than_those_of_the_digest_are_no_answer(
    push: Push, registry: Registry, proxy: FaultProxy, place: str
) -> None:
    first = push.good(f"{proxy.host}/{place}")
    headers = {"Content-Type": first.media_type, "Docker-Content-Digest": first.digest}
    proxy.fail(1, "GET", "/manifests/", Reply(200, b'{"schemaVersion": 2, "config": {}}', headers))
    second = push.good(f"{proxy.host}/{place}")
    assert (second.digest, second.sent) == (first.digest, None)
    assert "the manifest is not whole" in push.said[0]
    assert at(registry, place) == first.digest


@pytest.mark.parametrize("looks", [2, 1000])
def test_a_tag_that_is_seen_where_it_was_is_not_taken_for_moved(
    push: Push, make_image: Maker, registry: Registry, proxy: FaultProxy, place: str, looks: int
) -> None:
    first = push.good(f"{proxy.host}/{place}")
    before = registry.manifest(f"{place}/pub-one", "7")
    make_image("pub-one", seed=2)
    headers = {"Content-Type": before.media_type, "Docker-Content-Digest": before.digest}
    proxy.fail(1 + looks, "GET", "/manifests/7", Reply(200, before.body, headers))  # the first look is before
    (result,) = push(f"{proxy.host}/{place}", attempts=4)
    if looks == 2:
        assert isinstance(result, Pushed)
        assert at(registry, place) == result.digest != first.digest
    else:
        assert not isinstance(result, Pushed)
        assert result.error.exit_code == 1
    assert any(f"it is {first.digest}, not" in line for line in push.said)


@pytest.mark.parametrize("part", ["/manifests/", "/blobs/uploads/"])
def test_a_registry_that_only_says_so_is_not_believed(
    push: Push, proxy: FaultProxy, place: str, part: str
) -> None:
    proxy.fail(1000, "PUT", part, Reply(201))
    failed = push.bad(f"{proxy.host}/{place}", attempts=2)
    assert failed.error.exit_code == 1


def test_nobody_there_is_the_environment(push: Push) -> None:
    failed = push.bad("127.0.0.1:1/x", attempts=2)
    assert failed.error.exit_code == 4
    assert "does not answer" in failed.error.message


def test_what_has_arrived_of_a_blob_is_not_sent_twice(push: Push, proxy: FaultProxy, place: str) -> None:
    def second_piece(asked: Asked) -> Fault | None:
        is_second = asked.headers.get("Content-Range", "").startswith(f"{PIECE}-")
        if is_second and not met:
            met.append(asked)
            return HangUp()
        return None

    met: list[Asked] = []
    proxy.rules.append(second_piece)
    push.good(f"{proxy.host}/{place}")
    ranges = [asked.headers.get("Content-Range", "") for asked in proxy.sent("PATCH")]
    starts = [int(each.partition("-")[0]) for each in ranges if each]
    assert starts[:4] == [0, PIECE, PIECE, 2 * PIECE]
    assert starts.count(0) == 3, starts  # once for each layer


def test_the_same_image_again_sends_nothing(push: Push, proxy: FaultProxy, place: str) -> None:
    first = push.good(f"{proxy.host}/{place}")
    proxy.asked.clear()
    second = push.good(f"{proxy.host}/{place}")
    assert (second.digest, second.sent) == (first.digest, None)
    assert {asked.method for asked in proxy.asked} <= {"GET", "HEAD"}


def test_an_immutable_tag_stays_and_both_digests_are_said(
    push: Push, make_image: Maker, registry: Registry, proxy: FaultProxy, place: str
) -> None:
    ecr_rules(proxy, repositories=lambda: {f"{place}/pub-one"}, mutable=lambda tag: tag == "latest")
    first = push.good(f"{proxy.host}/{place}", tags=("7", "latest"))
    same = push.good(f"{proxy.host}/{place}", tags=("7", "latest"))
    assert (same.digest, same.sent) == (
        first.digest,
        None,
    )  # though ECR refuses even what would change nothing
    make_image("pub-one", seed=2)
    failed = push.bad(f"{proxy.host}/{place}")
    assert failed.error.exit_code == 1
    assert first.digest in str(failed.error.detail)
    assert str(failed.error.detail).count("sha256:") == 2
    assert at(registry, place) == first.digest
    moved = push.good(f"{proxy.host}/{place}", tags=("8", "latest"))
    assert at(registry, place, "latest") == at(registry, place, "8") == moved.digest != first.digest
    assert [line for line in push.said if "is moved, from" in line]


def test_a_tag_that_an_earlier_attempt_wrote_is_ours(
    push: Push, registry: Registry, proxy: FaultProxy, place: str
) -> None:
    ecr_rules(proxy, repositories=lambda: {f"{place}/pub-one"}, mutable=lambda _: False)
    ours = proxy.rules.pop()
    proxy.fail(
        1, "PUT", "/manifests/", HangUp(after=True)
    )  # written; the next attempt meets an immutable tag
    proxy.rules.append(ours)
    pushed = push.good(f"{proxy.host}/{place}")
    assert at(registry, place) == pushed.digest


def test_a_repository_that_is_not_there_has_a_remedy(push: Push, proxy: FaultProxy, place: str) -> None:
    ecr_rules(proxy, repositories=set, mutable=lambda _: True)
    failed = push.bad(f"{proxy.host}/{place}")
    assert failed.error.exit_code == 1
    assert "--create-repository" in str(failed.error.hint)


def test_one_failure_hides_none_of_the_others(
    push: Push, make_image: Maker, registry: Registry, proxy: FaultProxy, place: str
) -> None:
    make_image("pub-two", seed=3)
    proxy.fail(1000, "POST", "/pub-one/blobs/uploads/", Reply.error(403, "DENIED", "no"))
    one, two = push(f"{proxy.host}/{place}", "pub-one", "pub-two")
    assert not isinstance(one, Pushed)
    assert isinstance(two, Pushed)
    assert registry.manifest(f"{place}/pub-two", "7").digest == two.digest


def test_another_runtime_takes_layers_from_the_first(
    push: Push, make_image: Maker, proxy: FaultProxy, place: str
) -> None:
    make_image("pub-two", seed=1)  # the same layers under another configuration
    _, two = push(f"{proxy.host}/{place}", "pub-one", "pub-two")
    assert isinstance(two, Pushed)
    assert two.sent is not None
    assert (two.sent.mounted, two.sent.sent) == (3, 1)


def test_a_registry_that_restarts_in_the_middle(
    push: Push, registry: Registry, proxy: FaultProxy, place: str
) -> None:
    seen = []

    def restart(asked: Asked) -> Fault | None:
        if asked.is_a("PATCH", "/uploads/"):
            seen.append(asked)
            if len(seen) == 3:
                registry.stop(signal.SIGKILL)
                registry.start()
                return HangUp()
        return None

    proxy.rules.append(restart)
    pushed = push.good(f"{proxy.host}/{place}")
    assert at(registry, place) == pushed.digest
    assert push.said


def test_a_connection_cut_anywhere_ends_pushed_or_claims_nothing(
    push: Push, registry: Registry, place: str
) -> None:
    with Cut(registry.host, None) as whole:
        digest = push.good(f"{whole.host}/{place}").digest
    places = random.Random(20_261_127)  # noqa: S311 -- the same places every time
    ended = {"pushed": 0, "failed": 0}
    for number in range(CUTS):
        after = places.randrange(1, whole.passed)
        for_good = number % 3 == 0
        target = f"{place}/cut{number}"
        with Cut(registry.host, after, for_good=for_good) as cut:
            (result,) = push(f"{cut.host}/{target}", attempts=3)
            what = f"cut after {after} of {whole.passed} bytes, {'for good' if for_good else 'once'}: {push.said}"
            assert cut.was_cut, what
        if isinstance(result, Pushed):
            assert not for_good or after > whole.passed * 0.95, what
            assert result.digest == digest == at(registry, target), what
            ended["pushed"] += 1
        else:
            assert for_good, f"{what}: {result.error.message} {result.error.detail}"
            assert result.error.exit_code in (1, 4), what
            ended["failed"] += 1
    assert ended["pushed"] + ended["failed"] == CUTS
    assert ended["pushed"] >= 16
