"""For every case of the suite a mistake that it has to find: a mutation of the miniature, or a broken image."""

from __future__ import annotations

from collections.abc import Mapping

# case number -> value of MUTATION in tests/miniatures/bootstrap.py
MUTATIONS: Mapping[str, str] = {
    "RT-001": "endpoint-hardcoded",
    "RT-003": "next-with-body",
    "RT-004": "next-before-load",
    "RT-005": "next-timeout",
    "RT-011": "chunked-unknown",
    "RT-012": "length-ignored",
    "RT-013": "chunks-decoded-apart",
    "RT-014": "header-names-as-typed",
    "RT-015": "too-many-headers",
    "RT-017": "request-id-must-be-uuid",
    "RT-019": "deadline-of-first-invoke",
    "RT-021": "deadline-in-32-bits",
    "RT-022": "arn-of-first-invoke",
    "RT-028": "trace-not-set",
    "RT-029": "trace-of-first-invoke",
    "RT-032": "next-refused-in-a-loop",
    "RT-033": "next-500-exits-0",
    "RT-037": "connection-per-request",
    "RT-038": "no-reconnect",
    "RT-039": "connection-close-ignored",
    "RT-042": "next-before-answer",
    "RT-043": "answers-one-late",
    "RT-060": "response-twice",
    "RT-061": "length-in-characters",
    "RT-062": "response-without-type",
    "RT-063": "answer-parsed-strictly",
    "RT-065": "response-posted-until-taken",
    "RT-066": "403-then-error",
    "RT-067": "413-then-error",
    "RT-068": "413-spoils-next",
    "RT-069": "response-500-ignored",
    "RT-071": "limit-of-6000000",
    "RT-072": "response-cut-to-limit",
    "RT-073": "event-cut-at-4-mb",
    "RT-074": "event-cut-at-512-kb",
    "RT-075": "response-in-ascii",
    "RT-076": "text-ends-at-nul",
    "RT-078": "bytes-as-json",
    "RT-084": "deep-event-ends-process",
    "RT-087": "objects-only",
    "RT-088": "bad-event-ends-process",
    "RT-092": "answer-timeout",
    "RT-110": "error-ends-process",
    "RT-111": "stack-trace-of-objects",
    "RT-112": "error-without-type",
    "RT-113": "error-as-text",
    "RT-114": "error-without-type-header",
    "RT-117": "error-escaped-by-hand",
    "RT-119": "error-type-unchecked",
    "RT-123": "error-type-kept",
    "RT-124": "error-posted-until-taken",
    "RT-125": "error-500-ignored",
    "RT-126": "exit-swallowed",
    "RT-127": "exit-status-lost",
    "RT-129": "crash-hidden",
    "RT-131": "lock-in-tmp",
    "RT-136": "stdout-is-response",
    "RT-150": "missing-file-unreported",
    "RT-151": "symbol-looked-up-late",
    "RT-152": "syntax-error-unreported",
    "RT-153": "load-error-without-message",
    "RT-158": "init-error-twice",
    "RT-159": "init-error-lingers",
    "RT-160": "init-error-exits-0",
    "RT-161": "next-after-init-error",
    "RT-162": "init-error-until-taken",
    "RT-164": "exit-at-load-swallowed",
    "RT-166": "second-start-silent",
    "FS-01": "writes-beside-bootstrap",
    "FS-02": "needs-user-name",
    "FS-07": "changes-folder",
    "FS-12": "wants-200-mb",
}

_REWRITE = "RUN sed -i '{script}' /lambda-entrypoint.sh"

# case number -> Dockerfile lines on top of the miniature's image
IMAGES: Mapping[str, str] = {
    "IM-01": 'RUN ln -s /lambda-entrypoint.sh /entry\nENTRYPOINT ["/entry"]',
    "IM-02": "RUN mkdir /var/data && chmod 1777 /var/data\nVOLUME /var/data\nENV MUTATION=writes-to-volume",
    "IM-05": "WORKDIR /srv",
    "IM-06": _REWRITE.format(script="s/142/1/"),
    "IM-07": _REWRITE.format(script="s/^ *export _HANDLER/_HANDLER/"),
}

# case number -> what of the image's description is falsified, because no test machine should make such an image
DESCRIPTIONS: Mapping[str, Mapping[str, object]] = {
    "IM-03": {"architecture": "s390x"},
    "IM-04": {"size": 11_000_000_000},
}
