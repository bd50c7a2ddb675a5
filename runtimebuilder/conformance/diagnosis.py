"""Why an image's program could not be started: what the engine's "no such file" and "exec format error" leave open."""

from __future__ import annotations

import posixpath
import struct

from runtimebuilder.conformance.subject import BOOTSTRAP, LAMBDA_ENTRYPOINT, ImageFile, Subject
from runtimebuilder.engine.containers import ContainerSpec, StartError, create_container
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.sandbox.limits import Limits
from runtimebuilder.sandbox.outcome import Exit

_NOT_RUN = (126, 127)  # exit statuses of a shell that could not run its last program, or not find it
_NO_FORMAT = "exec format error"  # the kernel's words for a program of another machine; engines add theirs
_SETTLED = 2.0  # seconds in which an engine has noticed that it cannot run a program
_MACHINES = {62: "amd64", 183: "arm64"}  # ELF's e_machine, in the names that images use
_ELF = b"\x7fELF"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINKS = 8  # symbolic links in a row that are followed


def never_ran(ended: Exit, log: str) -> bool:
    """Whether a process ended because a program could not be started, as far as exit and log tell."""
    return ended.start_error is not None or ended.code in _NOT_RUN or _NO_FORMAT in log


def why_not_started(subject: Subject) -> str | None:
    """What is wrong with the program that the image starts, in a sentence; None when nothing can be seen."""
    program = _program(subject)
    places = [program] if program is not None else []
    if program == LAMBDA_ENTRYPOINT:
        places.append(BOOTSTRAP)
    return next((problem for problem in (_problem(subject, place) for place in places) if problem), None)


def machine_of(subject: Subject) -> tuple[str, str] | None:
    """A program of the image and the architecture it is for: its entrypoint, or what interprets that.

    None when it is neither an ELF file for a machine that Lambda has, nor a script of one.
    """
    place = _program(subject)
    for _ in range(2):
        if place is None:
            return None
        file = _followed(subject, place)
        if file is None:
            return None
        if file.head.startswith(_ELF):
            machine = _machine(file.head)
            return None if machine is None else (place, machine)
        place = _interpreter(file.head)
    return None


def refuse_other_architecture(subject: Subject) -> None:
    """`EnvironmentProblemError` (exit 4) when the engine cannot run programs of the image's architecture.

    One that emulates other machines can.
    """
    engine, facts = subject.run.engine, subject.facts
    if facts.platform == engine.ping().platform or (facts.entrypoint is None and facts.cmd is None):
        return
    container = create_container(engine, ContainerSpec(image=facts.id, labels=subject.run.labels))
    try:
        container.start()
        container.wait(_SETTLED)
        said = container.logs().decode(errors="replace")
    except StartError as problem:
        said = problem.detail or ""
    finally:
        container.remove()
    if _NO_FORMAT in said:
        raise EnvironmentProblemError(
            f"{subject.reference} is for {facts.platform}, and this engine runs programs for "
            f"{engine.ping().platform} only",
            hint="verify it on an engine of that architecture, or install emulation (binfmt, QEMU)",
        )


def _program(subject: Subject) -> str | None:
    words = subject.facts.entrypoint or subject.facts.cmd or ()
    return words[0] if words and words[0].startswith("/") else None


def _problem(subject: Subject, path: str) -> str | None:
    file = _followed(subject, path)
    if file is None:
        return f"{path} is not in the image"
    if file.kind != "file":
        return f"{path} is a {file.kind}, not a program"
    limits = Limits()
    if not file.is_executable_by(limits.uid, limits.gid):
        return f"{path} may not be executed by uid {limits.uid} (mode {file.mode:04o}; 0755 would do)"
    return _problem_inside(subject, path, file.head)


def _problem_inside(subject: Subject, path: str, head: bytes) -> str | None:
    if head.startswith(_BYTE_ORDER_MARK):
        return f"{path} begins with a byte order mark, so that the kernel does not see its '#!'"
    if head.startswith(_ELF):
        return _wrong_machine(subject, path, head)
    first = head.partition(b"\n")[0]
    if first.startswith(b"#!") and first.endswith(b"\r"):
        return f"the lines of {path} end with CR LF, as on Windows: the kernel takes the CR for a part of the name"
    interpreter = _interpreter(head)
    if interpreter is not None and _followed(subject, interpreter) is None:
        return f"{path} asks for the interpreter {interpreter}, which is not in the image"
    return None


def _wrong_machine(subject: Subject, path: str, head: bytes) -> str | None:
    machine, ours = _machine(head), subject.run.engine.ping().arch
    if machine is None or machine == ours:
        return None
    return f"{path} is a program for {machine}, on an engine for {ours}"


def _followed(subject: Subject, path: str) -> ImageFile | None:
    """What is at the end of the symbolic links; None where there is nothing."""
    for _ in range(_LINKS):
        file = subject.look(path)
        if file is None or file.kind != "symbolic link":
            return file
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), file.target))
    return None


def _machine(head: bytes) -> str | None:
    # Little endian, as both of Lambda's machines.
    return _MACHINES.get(struct.unpack_from("<H", head, 18)[0]) if len(head) >= 20 else None


def _interpreter(head: bytes) -> str | None:
    first = head.partition(b"\n")[0]
    words = first.removeprefix(b"#!").split()
    if not first.startswith(b"#!") or not words:
        return None
    return words[0].decode(errors="replace")
