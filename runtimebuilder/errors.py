"""What can go wrong for a person, as classes: one per exit code.

Raise these with one sentence that says what is wrong, and a hint that says what to do. Only `cli.main` prints
them and exits. Anything else that escapes is a defect of ours and is reported as one.
"""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """The exit codes of the command, documented in `runtimebuilder --help`."""

    OK = 0
    FAILED = 1  # the subject failed: build, verify, push
    USAGE = 2  # wrong usage or an invalid spec
    NOTHING = 3  # nothing was selected
    ENVIRONMENT = 4  # no engine, too old, no credentials, registry unreachable, no room
    INTERRUPTED = 130


class UserError(Exception):
    """A failure that a person can act on.

    `message` is one sentence, `hint` what to do about it, `detail` more lines (a build's last output, say).
    """

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, message: str, *, hint: str | None = None, detail: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail


class SubjectFailedError(UserError):
    """What was to be built, verified or pushed failed: exit 1."""

    exit_code = ExitCode.FAILED


class SpecError(UserError):
    """A spec, a template or an option is wrong: exit 2."""

    exit_code = ExitCode.USAGE


class NothingSelectedError(UserError):
    """The selection matched nothing: exit 3."""

    exit_code = ExitCode.NOTHING


class EnvironmentProblemError(UserError):
    """This machine lacks something: engine, registry, rights, disk. Exit 4."""

    exit_code = ExitCode.ENVIRONMENT
