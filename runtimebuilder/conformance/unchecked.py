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

_LIFECYCLE: Mapping[str, str] = {
    "LC-01-init-ends-at-next": (
        "The service takes the time from the start to the first GET next; what a runtime has to do for it, to ask "
        "when it is ready and not before, is RT-004."
    ),
    "LC-04-slow-init-short-timeout": (
        "It is about the service, which counts a function's timeout from the event and not from the start; the "
        "runtime is told the deadline (RT-019)."
    ),
    "LC-05-long-init-types": (
        "It is about the service, which gives other kinds of environments more time to start than LC-02 asks for."
    ),
    "LC-08-crash-in-init-no-report": (
        "It is about the service, which decides how often it repeats a start that fails; what a runtime does at one is "
        "RT-150 to RT-169."
    ),
    "LC-21-recycle": (
        "Nobody can wait for the hours after which the service replaces an environment; that an end at any time does "
        "no harm is LC-06, LC-09, LC-12 and LC-18."
    ),
}

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

_EXTENSIONS: Mapping[str, str] = {
    "EX-04-init-order": (
        "It is about the service, which keeps events back until every extension is ready; a runtime only waits longer "
        "for its first one (RT-005)."
    ),
    "EX-05-next-INVOKE": "It is about what the service tells extensions of an event.",
    "EX-06-next-SHUTDOWN": "It is about what the service tells extensions of the end.",
    "EX-07-init-error-exit-error": "It is about extensions that fail.",
    "EX-08-limits": "It is about how many extensions the service takes.",
    "EX-09-extension-crash": (
        "It is about the service, which starts the runtime anew when an extension crashes; that a runtime serves again "
        "after such an end is LC-06 and LC-07."
    ),
    "EX-10-invoke-end": (
        "It is about the service, which ends an invoke when every extension has; a runtime only waits longer for its "
        "next event (RT-005)."
    ),
    "EX-12-lmi-extensions": "It is about which events the service offers to extensions in managed environments.",
    "EX-13-telemetry-subscribe": "It is between extensions and the service: runtimes do not subscribe.",
    "EX-14-telemetry-events": "It is about what the service tells those who subscribed.",
    "EX-15-logs-api": "It is between extensions and the service: runtimes do not subscribe.",
    "EX-16-in-RIE": "It is about extensions, which should not fail when an emulator has no telemetry.",
}

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
