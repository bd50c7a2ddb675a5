"""What is linked with what, followed from the runtime's own files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runtimebuilder.engine.contents import PackageFact
from runtimebuilder.engine.needs import _linked, follow

NEEDS = {
    "/var/runtime/bootstrap": ("/bin/sh",),
    "/usr/bin/php8.2": ("/lib64/ld-linux.so.2", "libxml2.so.2", "libgone.so.1"),
    "/usr/lib/php/20220829/intl.so": ("libicu.so.72",),
    "/usr/bin/dash": ("libc.so.6",),
    "/usr/lib/libxml2.so.2.9": ("libicu.so.72", "libc.so.6"),
    "/usr/lib/libicu.so.72.1": (),
    "/usr/lib/libc.so.6": ("/lib64/ld-linux.so.2",),
    "/usr/lib/ld-linux.so.2": (),
    "/usr/bin/perl": ("libc.so.6",),
    "/usr/lib/libunused.so.1": ("libicu.so.72",),
}
LINKS = {
    "/lib": "usr/lib",
    "/lib64": "usr/lib",
    "/bin": "usr/bin",
    "/usr/bin/sh": "dash",
    "/usr/lib/libxml2.so.2": "libxml2.so.2.9",
    "/usr/lib/libicu.so.72": "/lib/libicu.so.72.1",
}
OWNERS = {
    "/bin/dash": "dash",
    "/lib/libc.so.6": "libc6",
    "/usr/lib/libxml2.so.2.9": "libxml2",
    "/usr/lib/libicu.so.72.1": "libicu72",
    "/usr/bin/perl": "perl-base",
    "/usr/lib/libunused.so.1": "libunused",
    "/usr/share/zoneinfo": "tzdata",
}
PACKAGES = [
    PackageFact(name, "1", size)
    for name, size in (
        ("dash", 1),
        ("libc6", 9),
        ("libxml2", 2),
        ("libicu72", 30),
        ("perl-base", 7),
        ("libunused", 8),
        ("tzdata", 3),
    )
]


def test_libraries_are_followed_through_links_to_the_last_one() -> None:
    found = follow(NEEDS, LINKS, OWNERS, PACKAGES)
    assert found.programs == ("/usr/bin/php8.2", "/usr/lib/php/20220829/intl.so", "/var/runtime/bootstrap")
    assert found.libraries == (
        "/usr/bin/dash",
        "/usr/lib/ld-linux.so.2",
        "/usr/lib/libc.so.6",
        "/usr/lib/libicu.so.72.1",
        "/usr/lib/libxml2.so.2.9",
    )
    assert found.missing == ("libgone.so.1",)


def test_packages_whose_programs_nothing_is_linked_with_are_idle_and_those_of_data_are_not_judged() -> None:
    found = follow(NEEDS, LINKS, OWNERS, PACKAGES)
    assert found.packages == ("dash", "libc6", "libicu72", "libxml2")
    assert [one.name for one in found.idle] == ["libunused", "perl-base"]


def test_links_in_a_circle_end() -> None:
    found = follow({"/opt/x": ("liba.so",)}, {"/a": "b", "/b": "a", "/usr/lib/liba.so": "../../a"}, {}, [])
    assert found.missing == ("liba.so",)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ELF files are Linux's")
def test_what_a_real_program_is_linked_with_is_read() -> None:
    linked = _linked(Path("/bin/sh").resolve().read_bytes())
    assert any(name.startswith("/lib") for name in linked)
    assert any(name.startswith("libc.") for name in linked)


def test_a_broken_file_needs_nothing() -> None:
    assert _linked(b"\x7fELF") == ()
    assert _linked(b"\x7fELF" + bytes(200)) == ()
