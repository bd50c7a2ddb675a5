"""Each limit takes effect: seen from inside, by somebody who tries to get past it."""

from __future__ import annotations

from collections.abc import Callable

from runtimebuilder.engine.containers import ContainerSpec, Mount, create_carrier, create_container
from runtimebuilder.engine.resources import remove_volume
from runtimebuilder.sandbox.container import Box
from runtimebuilder.sandbox.layer import LayerFile, put_layer
from runtimebuilder.sandbox.limits import Function, Limits, service_environment
from runtimebuilder.sandbox.run import Run
from runtimebuilder.sandbox.scratch import make_scratch

Ask = Callable[[str], str]
NewBox = Callable[..., Box]


def test_nothing_but_tmp_can_be_written(ask: Ask) -> None:
    assert ask("sprintf '%o', (stat '/var/tmp')[2] & 07777") == "1777"
    assert ask("open(my $f, '>', '/var/tmp/x') ? 'written' : qq($!)") == "Read-only file system"
    assert ask("open(my $f, '>', '/var/task/x') ? 'written' : qq($!)") != "written"
    assert ask("system('mount -o remount,rw / 2>/dev/null') ? 'refused' : 'remounted'") == "refused"


def test_the_root_is_read_only_for_the_kernel(ask: Ask) -> None:
    options = ask("my ($m) = grep { (split)[4] eq '/' } `cat /proc/self/mountinfo`; (split ' ', $m)[5]")
    assert "ro" in options.split(",")


def test_tmp_is_512_mb_and_everybodys(ask: Ask) -> None:
    free = int(ask("(split ' ', (`df -k /tmp`)[1])[3]"))
    assert 512 * 1024 <= free <= 516 * 1024
    assert ask("sprintf '%o', (stat '/tmp')[2] & 07777") == "1777"
    assert ask("open(my $f, '>', '/tmp/mine') or die; print $f 'x'; close $f; -s '/tmp/mine'") == "1"


def test_tmp_has_the_size_that_was_asked_for(new_box: NewBox) -> None:
    box = new_box(limits=Limits(tmp_mb=64))
    box.start()
    said = box.invoke("`dd if=/dev/zero of=/tmp/big bs=1M count=200 2>&1`", timeout=20).body.decode()
    assert "No space left on device" in said
    assert 64 <= int(said.split()[said.split().index("bytes") - 1]) / 1024**2 < 66


def test_without_a_loop_device_tmp_is_a_tmpfs_that_stays_as_well(run: Run, image: str) -> None:
    name = f"runtimebuilder-{run.id}-tmpfs"
    scratch = make_scratch(run.engine, name, size_mb=16, labels=run.labels, on_disk=False)
    assert scratch.kind == "tmpfs"
    mounts = [Mount(name, "/tmp")]
    holder = create_container(run.engine, ContainerSpec(run.pause_image(), mounts=mounts, labels=run.labels))
    holder.start()
    script = "stat -c %a /tmp; cat /tmp/kept; echo yes > /tmp/kept; head -c 99M /dev/zero > /tmp/big; wc -c < /tmp/big"
    program = ["/bin/sh", "-c", script]
    spec = ContainerSpec(image, entrypoint=program, user="993:990", mounts=mounts, labels=run.labels)
    container = create_container(run.engine, spec)
    said = []
    for _ in range(2):
        before = len(container.logs(stderr=False))
        container.start()
        container.wait(20)
        said.append(container.logs(stderr=False)[before:].decode().split())
    container.remove()
    holder.remove()
    remove_volume(run.engine, name)
    (mode, size), (_, kept, _) = said
    assert (mode, kept) == ("1777", "yes")
    assert 15 * 1024**2 < int(size) <= 16 * 1024**2


def test_filling_tmp_does_not_use_up_the_memory(new_box: NewBox) -> None:
    box = new_box()
    box.start()
    assert box.tmp_kind == "ext4", "these tests run as root beside the engine"
    full = box.invoke("`dd if=/dev/zero of=/tmp/big bs=1M 2>&1`", timeout=30)
    assert "No space left on device" in full.body.decode()
    assert box.invoke("1 + 1").body == b"2"
    assert box.is_running()


def test_the_user_is_lambdas_and_has_no_name(ask: Ask) -> None:
    assert ask("join ' ', $<, $>, $(, $)") == "993 993 990 990 990 990"
    assert ask("defined getpwuid($<) ? 'named' : 'nameless'") == "nameless"
    assert ask("-e $ENV{HOME} ? 'there' : 'missing'") == "missing"


def test_no_capability_is_left_and_none_can_come_back(ask: Ask) -> None:
    status = ask("join '', grep { /^(Cap|NoNewPrivs)/ } `cat /proc/self/status`")
    values = dict(line.split(":\t") for line in status.splitlines())
    assert values.pop("NoNewPrivs") == "1"
    assert values == dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), "0" * 16)


def test_1024_files_can_be_open(ask: Ask) -> None:
    count = int(ask("my @f; while (open(my $f, '<', '/dev/null')) { push @f, $f } scalar @f"))
    assert 1000 < count < 1024
    assert ask("my @f; while (open(my $f, '<', '/dev/null')) { push @f, $f } qq($!)") == "Too many open files"


def test_processes_are_limited(new_box: NewBox, ask: Ask) -> None:
    box = new_box(limits=Limits(pids=20))
    box.start()
    forks = "my $n = 0; while ($n < 100 && defined(my $p = fork)) { if (!$p) { sleep 9; exit } $n++ } $n"
    assert 10 < int(box.invoke(forks).body) < 20
    assert ask("`cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null`") == "1024"


def test_more_memory_than_allowed_kills(new_box: NewBox) -> None:
    box = new_box()
    box.start()
    assert box.invoke("my $x = 'x' x 20_000_000; length $x").body == b"20000000"
    result = box.invoke("my $x = 'x' x 300_000_000; length $x")
    assert result.kind == "exit"
    assert result.exit is not None
    assert result.exit.oom_killed
    assert result.exit.describe() == "signal: killed"


def test_peak_memory_follows_what_was_used(new_box: NewBox) -> None:
    box = new_box()
    box.start()
    box.emulator.wait_ready(5)
    before = box.peak_memory()
    box.invoke("our $kept = 'x' x 40_000_000; 1")
    after = box.peak_memory()
    assert before is not None
    assert after is not None
    assert after - before > 40_000_000


def test_there_is_no_network_but_the_api(ask: Ask) -> None:
    assert ask("join ' ', map { /^\\s*(\\w+):/ ? $1 : () } `cat /proc/net/dev`") == "lo"
    connect = (
        "IO::Socket::INET->new(PeerAddr => '192.0.2.1', PeerPort => 80, Timeout => 2) ? 'reached' : qq($@)"
    )
    assert "Network is unreachable" in ask(connect)
    assert ask("defined gethostbyname('example.com') ? 'resolved' : 'unknown'") == "unknown"
    assert ask("$ENV{AWS_LAMBDA_RUNTIME_API}") == "127.0.0.1:9001"


def test_the_environment_is_the_services_the_images_and_the_users(new_box: NewBox) -> None:
    user = {"EMPTY": "", "TEXT": "a=b\nc 'd' \"e\" ü"}
    box = new_box(env=user, function=Function(name="shop", log_stream="fixed"))
    box.start()
    raw = box.invoke("join qq(\\0), map { qq($_=$ENV{$_}) } sort keys %ENV").body.decode()
    seen = dict(entry.split("=", 1) for entry in raw.split("\0"))
    service = service_environment(box.limits, "127.0.0.1:9001", Function(name="shop", log_stream="fixed"))
    assert user.items() <= seen.items()
    assert service.items() <= seen.items()
    # The entrypoint adds _HANDLER, and its shell PWD.
    of_the_image = {"LANG", "LD_LIBRARY_PATH", "PATH", "TZ"}
    assert sorted(seen) == sorted({*service, *user, *of_the_image, "PWD", "_HANDLER"})
    assert seen["_HANDLER"] == "any"


def test_the_working_directory_is_the_images(ask: Ask) -> None:
    assert ask("readlink '/proc/self/cwd'") == "/var/task"


def test_what_an_image_declares_a_volume_stays_read_only(new_box: NewBox, run: Run, image: str) -> None:
    carrier = create_carrier(
        run.engine, put_layer(run, image, [LayerFile("/var/data/kept", b"kept")]), labels=run.labels
    )
    declaring = carrier.commit(changes=["VOLUME /var/data"])
    carrier.remove()
    box = new_box(declaring)
    box.start()
    assert box.invoke("open(my $f, '>', '/var/data/x') ? 'written' : qq($!)").body == b"Read-only file system"
    assert box.invoke("join '', `cat /var/data/kept`").body == b"kept"
