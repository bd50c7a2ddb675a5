"""Values stay values: what goes through a filter comes out of the real shell, or the real PHP, as it went in."""

from __future__ import annotations

import subprocess

import pytest

from runtimebuilder.render import quoting

NASTY = [
    "plain",
    "",
    "two words",
    "it's",
    'say "hi"',
    "$(touch /tmp/x)",
    "`id`",
    "a\\b",
    "${HOME}",
    "; rm -rf /",
    "é 漢 🙂",
    "-rf",
    "a#b",
]


@pytest.mark.parametrize("value", NASTY)
def test_a_shell_word_is_read_back_as_it_was(value: str) -> None:
    printed = subprocess.run(
        ["/bin/sh", "-c", f"printf %s {quoting.shell(value)}"], capture_output=True, check=True, text=True
    )
    assert printed.stdout == (value if value != "-rf" else "-rf")


@pytest.mark.parametrize("quote", [quoting.shell, quoting.dockerfile, quoting.ini])
@pytest.mark.parametrize("value", ["a\nRUN id", "a\rb", "a\0b", "\x1b[31m"])
def test_no_filter_lets_a_line_break_or_control_character_through(quote, value) -> None:  # type: ignore[no-untyped-def] # a callable of three
    with pytest.raises(quoting.QuotingError, match="line break or control character"):
        quote(value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", '"plain"'),
        ("", '""'),
        ('say "hi"', '"say \\"hi\\""'),
        ("$PATH:${HOME}", '"\\$PATH:\\${HOME}"'),
        ("a\\", '"a\\\\"'),
    ],
)
def test_a_dockerfile_value_is_quoted_and_never_expanded(value: str, written: str) -> None:
    assert quoting.dockerfile(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("128M", "128M"),
        ("-1", "-1"),
        ("E_ALL & ~E_DEPRECATED", "E_ALL & ~E_DEPRECATED"),
        ("/tmp/x.log", "/tmp/x.log"),
        ("", '""'),
        ("two words", "'two words'"),
        ("${HOME}", "'${HOME}'"),
        ("a;b", "'a;b'"),
        ('"x"', "'\"x\"'"),
        ("it's", '"it\'s"'),
        # Bare, php.ini reads these as "1" or as nothing.
        ("off", "'off'"),
        ("None", "'None'"),
        ("null", "'null'"),
        ("yes", "'yes'"),
    ],
)
def test_an_ini_value_is_bare_only_where_that_is_safe(value: str, written: str) -> None:
    assert quoting.ini(value) == written


def test_an_ini_value_that_php_cannot_hold_is_refused() -> None:
    with pytest.raises(quoting.QuotingError, match=r"php\.ini has no way to write"):
        quoting.ini("it's ${HOME}")


@pytest.mark.parametrize("value", ["/etc/../etc/shadow", "relative", "/a b", "/a\nRUN id", ""])
def test_a_path_that_could_leave_its_place_is_refused(value: str) -> None:
    with pytest.raises(quoting.QuotingError, match="not a plain absolute path"):
        quoting.path(value)


@pytest.mark.parametrize("value", ["a\nRUN id", "--platform=x image", "image AS x", ""])
def test_what_is_no_image_reference_cannot_stand_behind_from(value: str) -> None:
    with pytest.raises(quoting.QuotingError, match="not an image reference"):
        quoting.image(value)


def test_image_references_with_port_and_digest_pass() -> None:
    reference = "127.0.0.1:5000/ecr/lambda/provided:al2023@sha256:" + "0" * 64
    assert quoting.image(reference) == reference


def test_a_comment_stays_one_line_and_does_not_continue() -> None:
    assert quoting.comment("one\nRUN id\\") == "one RUN id"
