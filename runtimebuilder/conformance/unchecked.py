"""Rows of the catalogue that are no cases, and why: what cannot be seen of a runtime from outside.

Nothing is dropped silently: the page docs/conformance-cases.md lists these rows after the cases.
"""

from __future__ import annotations

from collections.abc import Mapping

# full id -> the reason, in one sentence

_RUNTIME_API: Mapping[str, str] = {
    "RT-046-ping": (
        "GET /ping is a route of emulators: runtimes neither have to call it nor to leave it alone."
    ),
}

_STREAMING: Mapping[str, str] = {
    "ST-08-success-status-kept": (
        "It is about the service, which takes a stream that ends with an error for a success and passes the error "
        "on; ST-06 looks at what the runtime sends."
    ),
}

_SNAPSTART_AND_CONCURRENCY: Mapping[str, str] = {
    "SS-05-restore-10s": (
        "It is about the service, which ends a restore whose hooks take more than 10 s; a runtime needs no code for it."
    ),
    "SS-06-unique-after-restore": (
        "It takes one snapshot of a process's memory that is restored twice, which container engines do not offer."
    ),
    "MI-07-init-complete": (
        "It is about the service, which takes the first waiting worker for the end of the init; so does the suite."
    ),
    "MI-11-no-freeze": (
        "It is about the service, which never freezes a managed environment; nor does the suite's by itself."
    ),
}

_LIFECYCLE: Mapping[str, str] = {}

_ENVIRONMENT: Mapping[str, str] = {
    "FS-05-bootstrap-not-executable-missing": (
        "It is about the service, which tells of a missing or not executable bootstrap; an image whose program "
        "cannot be started fails its first case with the engine's words."
    ),
    "FS-06-bootstrap-crlf-wrong-arch": (
        "It is about the service, which tells of a program that the kernel refuses; such an image fails its first "
        "case with the engine's words, and IM-03 looks at its platform."
    ),
}

_EXTENSIONS: Mapping[str, str] = {}

UNCHECKED: Mapping[str, str] = {
    **_RUNTIME_API,
    **_STREAMING,
    **_LIFECYCLE,
    **_SNAPSTART_AND_CONCURRENCY,
    **_ENVIRONMENT,
    **_EXTENSIONS,
}
"""Every row that no case checks, by its full id, with the reason."""

ABOUT_EMULATORS = (
    "RI-01 to RI-14 say how the service's side answers. They are requirements on the Runtime API that the suite itself "
    "offers to the runtime, and its own tests hold them; a runtime only sees the answers."
)
"""The rows of the catalogue that say nothing about runtimes."""
