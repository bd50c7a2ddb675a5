"""MUST cases that a mutant fails beside its own, and why that is right."""

from __future__ import annotations

from collections.abc import Mapping

FATAL: Mapping[str, str] = {
    "EV-02": "its entrypoint tells the runtime no handler",
    "EV-05": "it writes to HOME before it asks for an event, and ends when it cannot",
    "FS-02": "it ends at the start when its user has no name",
    "FS-12": "it wants more memory at the start than the smallest function has",
    "IM-02": "it writes to the image's volume before it asks for an event, and ends when it cannot",
    "IM-07": "its entrypoint tells the runtime no handler",
    "FS-14": "the port is taken where the Runtime API is in the function's own network namespace",
    "EX-17": "the environment waits for an extension that never asks, so no event comes",
    "FS-01": "it writes beside its program before it asks for an event, and ends when it cannot",
}
"""Own case -> why nothing at all works with the mistake: every case that starts the function fails."""


def _all(reason: str, *cases: str) -> dict[str, str]:
    return dict.fromkeys(cases, reason)


_SECOND = "a second process starts where the first has left its file"

RELATED: Mapping[str, Mapping[str, str]] = {
    "RT-011": _all("its event comes in chunks too", "RT-013"),
    "RT-012": _all("their events come in several pieces too", "RT-061", "RT-074"),
    "RT-060": _all("a second response is out of order", "RT-043"),
    "RT-061": _all("their texts are not ASCII either", "RT-013", "RT-075"),
    "RT-075": _all("their texts are not ASCII either", "RT-013", "RT-061"),
    "RT-079": _all("their handler's result is nothing", "RT-136", "RT-087"),
    "RT-080": {"PL-12": "null and 0 are among its events", "RT-061": "an empty text is among its results"},
    "RT-110": _all("they raise first, and then want another answer", "RT-119", "RT-123"),
    "RT-022": _all("its invoke has an ARN of its own too", "RT-014"),
    "RT-033": _all("it ends with status 0 after a 403 as well", "RT-032"),
    "RT-115": _all("the type is sent as it was raised", "RT-119"),
    "RT-116": _all("the cause holds the message as it is", "RT-119"),
    "RT-117": _all("its message has characters that need an escape too", "RT-119"),
    "RT-126": _all("an exit is an exit, whatever its status", "RT-127"),
    "RT-127": _all("an exit is an exit, whatever its status", "RT-126"),
    "RT-129": _all("the end of the handler's process is hidden, however it ends", "RT-127", "RT-130"),
    "RT-130": _all("the handler's process is a child whose end it does not notice", "RT-127", "RT-129"),
    "RT-131": _all(_SECOND, "RT-126", "RT-127", "RT-129", "RT-130", "RT-133"),
    "RT-132": _all("it gives up after 0.2 s, and a stream takes longer", "ST-03"),
    "RT-133": _all(_SECOND, "RT-126", "RT-127", "RT-129", "RT-130", "RT-131"),
    "RT-150": _all(
        "they look at the report on a missing file too", "RT-158", "RT-159", "RT-161", "RT-162", "RT-166"
    ),
    "MI-01": _all("two that ask at a time are not in order", "RT-043", "RT-060"),
    "ST-01": _all(
        "a response whose mode is not known is no stream",
        *(
            "ST-02",
            "ST-03",
            "ST-05",
            "ST-06",
            "ST-07",
            "ST-11",
            "ST-12",
            "ST-13",
            "ST-15",
            "ST-16",
            "ST-18",
            "ST-20",
        ),
    ),
    "ST-02": _all("what is sent with a length goes out whole and has no trailers", "ST-03", "ST-06", "ST-07"),
    "ST-03": _all("nothing has been sent when the error comes", "ST-06", "ST-07"),
    "SS-02": _all("a hook that fails does so after the snapshot as well", "SS-03"),
    "PL-05": _all("their events have several records too", "PL-07", "PL-09", "PL-10"),
    "MI-03": _all("a worker reads the context of another one", "MI-02", "MI-04"),
    "LC-06": _all("a process is ended there, and another one started", "LC-16"),
    "SS-07": _all("it ends where it would be restored", "SS-02", "SS-03", "SS-04"),
    "EX-03": _all("its requests come in the middle of an invoke", "RT-060"),
    "IM-09": _all("streams have a handler of their own", "ST-01"),
    "PL-02": _all("its events have cookies in the same form", "PL-04"),
    "PL-08": _all("its events have empty objects too", "PL-11"),
    "PL-03": _all("their events have lists of values too", "PL-01", "PL-13"),
    "RT-028": _all("the variable is looked at there too", "RT-029"),
    "RT-029": _all("it looks at the variable of a later invoke", "RT-028"),
    "RT-038": _all("its connections are closed too", "RT-044"),
    "RT-039": _all("their connections are closed too", "RT-038", "RT-044"),
    "RT-042": _all(
        "it asks on another connection while the first is unread, and ends when one of them was closed",
        "RT-038",
        "RT-039",
        "RT-044",
        "RT-061",
    ),
    "RT-044": {"RT-042": "two ask at a time", "MI-01": "two ask at a time"},
    "RT-071": _all(
        "their responses are between the two limits, or above both", "RT-067", "RT-068", "RT-072", "RT-073"
    ),
    "RT-072": _all("nothing that is too large is posted any more", "RT-067", "RT-068"),
    "RT-074": _all("its event is larger", "RT-073"),
    "RT-091": _all(
        "their results have more than 1,024 bytes, and the API answers no Expect",
        "PL-05",
        "PL-07",
        "RT-013",
        "RT-061",
        "RT-068",
        "RT-071",
        "RT-072",
        "RT-117",
    ),
    "RT-093": _all("what is printed has to be in the log before the answer", "RT-136"),
    "RT-159": _all(
        "they want an end after the report too",
        "RT-150",
        "RT-151",
        "RT-152",
        "RT-153",
        "RT-158",
        "RT-162",
        "RT-166",
    ),
    "RT-169": _all(
        "they look at the report on a missing file too", "RT-158", "RT-159", "RT-161", "RT-162", "RT-166"
    ),
    "ST-06": _all("its trailers are looked for too", "ST-07"),
    "ST-07": _all("its trailers are read too", "ST-06"),
    "ST-11": _all("their preludes are looked at too", "ST-12", "ST-13", "ST-15"),
    "ST-13": _all("they look at what comes behind the delimiter", "ST-11", "ST-12", "ST-15"),
    "ST-17": _all("what has been read ahead hides the handler's error", "ST-06", "ST-07"),
    "ST-18": _all(
        "it asks before the stream has ended, and then its errors come too late", "ST-06", "ST-16", "ST-20"
    ),
    "ST-20": _all("its stream is not the first there", "ST-16"),
    "LC-07": _all("a process is ended there, and another one started", "LC-16"),
    "LC-09": _all("a process is ended there, and another one started", "LC-16"),
    "LC-12": _all("what is printed has to be in the log before the answer", "RT-136"),
    "LC-18": _all("they look for a file that the process before has left", "LC-06", "LC-07"),
    "MI-10": _all("events of concurrent invokes are mixed up", "MI-03", "MI-04"),
    "EV-04": _all("it compares the variables as well", "EV-08"),
    "EV-06": _all("it compares the variables as well", "EV-08"),
    "RT-043": _all(
        "every result but the first belongs to another event",
        *[
            "EV-08",
            "EX-03",
            "FS-02",
            "FS-07",
            "FS-08",
            "MI-01",
            "PL-05",
            "PL-06",
            "PL-07",
            "RT-001",
            "RT-011",
            "RT-012",
            "RT-013",
            "RT-038",
            "RT-039",
            "RT-044",
            "RT-060",
            "RT-061",
            "RT-074",
            "RT-075",
            "RT-076",
            "RT-087",
        ],
    ),
}
"""Own case -> other cases that fail with the mistake -> why they do."""
