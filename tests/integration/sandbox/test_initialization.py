"""A box of another initialization than on-demand."""

from __future__ import annotations

from collections.abc import Callable

from runtimebuilder.emulator import Initialization, Route
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.limits import Function

NewBox = Callable[..., Box]
LONG = 20.0  # seconds: only what is wrong takes so long


def test_a_managed_environment_is_not_killed_at_a_deadline(new_box: NewBox) -> None:
    box = new_box(function=Function(initialization=Initialization.MANAGED, max_concurrency=1))
    box.start()
    assert box.invoke("$count = 7", timeout=LONG).kind == "response"
    late = box.invoke("select(undef, undef, undef, 1); 'late'", timeout=0.3)
    assert (late.kind, late.exit) == ("timeout", None)
    after = box.invoke("$count", timeout=LONG)
    assert (after.kind, after.body, after.starts) == ("response", b"7", 0)
    posts = [
        one.status
        for one in box.emulator.recording.exchanges(Route.RESPONSE)
        if one.request_id == late.request_id
    ]
    assert posts == [410]


def test_a_snap_start_environment_waits_frozen_or_not_until_it_is_restored(new_box: NewBox) -> None:
    hook = "ask('GET', qq($base/restore/next))"
    box = new_box(function=Function(initialization=Initialization.SNAP_START), env={"INIT": hook})
    box.start()
    assert box.emulator.wait_restore(LONG)
    box.freeze()
    box.thaw()
    assert not box.emulator.wait_ready(0)
    assert box.emulator.restore()
    assert box.emulator.wait_ready(LONG)
    seen = box.invoke(
        "join ',', map { $ENV{$_} // '-' } qw(AWS_ACCESS_KEY_ID AWS_LAMBDA_INITIALIZATION_TYPE)"
    )
    assert seen.body == b"-,snap-start"


def test_the_credentials_are_where_a_snap_start_environment_says(new_box: NewBox) -> None:
    box = new_box(function=Function(initialization=Initialization.SNAP_START))
    box.start()
    code = (
        "use IO::Socket::INET; my ($host, $path) = $ENV{AWS_CONTAINER_CREDENTIALS_FULL_URI} =~ m{//([^/]+)(/.*)};"
        "my $s = IO::Socket::INET->new(PeerAddr => $host);"
        "print $s qq(GET $path HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n);"
        "print $s qq(Authorization: $ENV{AWS_CONTAINER_AUTHORIZATION_TOKEN}\\r\\n\\r\\n);"
        "local $/; my $told = <$s>; $told =~ s/.*\\r\\n\\r\\n//s; $told"
    )
    seen = box.invoke(code, timeout=LONG)
    assert seen.json()["AccessKeyId"]
