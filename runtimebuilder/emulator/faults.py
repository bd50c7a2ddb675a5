"""Faults on purpose: how an event is delivered, and canned answers in place of the emulator's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from runtimebuilder.emulator import answers
from runtimebuilder.emulator.answers import Answer, HeaderCase
from runtimebuilder.emulator.invocation import Invocation


@dataclass(frozen=True)
class Delivery:
    """How the answer to `GET next` that carries an event is written.

    `drip` is (bytes, seconds between): the body in pieces of so many bytes, which splits characters of
    several bytes; with `framing="chunked"` each piece is a chunk. `omit_headers` takes names in any case.
    `extra_headers` follow the real ones, names repeated as often as given. `delay` is in seconds.
    """

    framing: Literal["sized", "chunked"] = "sized"
    drip: tuple[int, float] | None = None
    header_case: HeaderCase = "canonical"
    extra_headers: tuple[tuple[str, str], ...] = ()
    omit_headers: frozenset[str] = frozenset()
    connection_close: bool = False
    delay: float = 0.0

    def __post_init__(self) -> None:
        _check_drip(self.drip)

    def answer(self, invocation: Invocation) -> Answer:
        """The answer that carries `invocation`."""
        if self is AS_USUAL:
            return Answer(200, invocation.headers(), invocation.event)
        omitted = frozenset(name.lower() for name in self.omit_headers)
        kept = [(name, value) for name, value in invocation.headers() if name.lower() not in omitted]
        return Answer(
            200,
            (*kept, *self.extra_headers),
            invocation.event,
            framing=self.framing,
            drip=self.drip,
            delay=self.delay,
            connection_close=self.connection_close,
            header_case=self.header_case,
            fault=self.describe(),
        )

    def describe(self) -> str | None:
        """The deviation in words, None when there is none."""
        words = ["event sent chunked"] if self.framing == "chunked" else []
        words += _form_in_words(self.drip, self.header_case, self.extra_headers)
        if self.omit_headers:
            words.append("without " + ", ".join(sorted(self.omit_headers)))
        if self.connection_close:
            words.append("Connection: close")
        if self.delay:
            words.append(f"answer held {self.delay:g} s")
        return ", ".join(words) or None


@dataclass(frozen=True)
class RequestCut:
    """The socket is closed as soon as `after` bytes of the request's body have come; `reset`: with RST."""

    after: int
    reset: bool = True


@dataclass(frozen=True)
class RequestPace:
    """The request's body is read slowly: so many bytes a second, for so many seconds, then as fast as it comes.

    The receive buffer is made small too, so that a sender feels it after what its own kernel buffers.
    """

    bytes_per_second: int
    seconds: float

    def __post_init__(self) -> None:
        if self.bytes_per_second < 1 or self.seconds <= 0:
            raise ValueError(f"pace: at least one byte a second for some time: {self}")


@dataclass(frozen=True)
class Reply:
    """A canned answer that replaces the emulator's own, for one request.

    Date and Content-Length are added unless `headers` has them (a wrong length can be told this way).
    `delay`: seconds before the first byte. `cut_after`: the socket is closed after so many bytes of the
    answer, head included; 0 means no answer at all. `reset`: with a cut, a TCP reset instead of an orderly
    close. `framing`, `drip`, `header_case` and `extra_headers` are those of a `Delivery`.
    `apply`: the state machine takes the request as usual and only the answer differs; else the request has no
    effect. `own_answer`: the bytes are the emulator's own (the request is applied); only their delay,
    form, close and cut are ours. `request_cut`: there is no answer, for the request itself is cut. `request_pace`: the
    request is read slowly.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    delay: float = 0.0
    connection_close: bool = False
    cut_after: int | None = None
    apply: bool = False
    reset: bool = False
    own_answer: bool = False
    request_cut: RequestCut | None = None
    request_pace: RequestPace | None = None
    framing: Literal["sized", "chunked"] = "sized"
    drip: tuple[int, float] | None = None
    header_case: HeaderCase = "canonical"
    extra_headers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        _check_drip(self.drip)

    @property
    def applies(self) -> bool:
        """Whether the state machine gets to see the request."""
        return self.apply or self.own_answer

    def answer(self, own: Answer | None = None) -> Answer:
        """The answer to write; `own` is what the emulator would have answered, when it was asked."""
        if self.own_answer and own is not None:
            words = [own.fault] if own.fault else []
            base = self._in_our_form(own)
        else:
            words = [f"canned answer {self.status}"] if self.cut_after != 0 else []
            base = self._in_our_form(Answer(self.status, self.headers, self.body))
        if self.framing == "chunked":
            words.append("answer sent chunked")
        words += _form_in_words(self.drip, self.header_case, self.extra_headers)
        if self.request_pace is not None:
            pace = self.request_pace
            words.append(f"request read at {pace.bytes_per_second} bytes/s for {pace.seconds:g} s")
        if self.delay:
            words.append(f"answer held {self.delay:g} s")
        if self.connection_close:
            words.append("Connection: close")
        if self.cut_after is not None:
            how = "reset" if self.reset else "cut"
            words.append(f"connection {how} after {self.cut_after} bytes of the answer")
        return replace(base, fault=", ".join(words) or None)

    def _in_our_form(self, answer: Answer) -> Answer:
        """The same answer, as this reply wants it written."""
        return replace(
            answer,
            headers=(*answer.headers, *self.extra_headers),
            delay=answer.delay + self.delay,
            connection_close=self.connection_close or answer.connection_close,
            cut_after=self.cut_after,
            reset=self.reset,
            framing="chunked" if self.framing == "chunked" else answer.framing,
            drip=self.drip or answer.drip,
            header_case=self.header_case if self.header_case != "canonical" else answer.header_case,
        )

    @classmethod
    def accepted(cls, *, delay: float = 0.0, apply: bool = True) -> Reply:
        """RI-01: 202 `{"status":"OK"}`. Applied unless told otherwise."""
        return cls(202, answers.ACCEPTED, delay=delay, apply=apply)

    @classmethod
    def bad_request_id(cls, *, apply: bool = False) -> Reply:
        """RI-02: 400 InvalidRequestID."""
        return cls(400, answers.BAD_REQUEST_ID, apply=apply)

    @classmethod
    def forbidden(cls, source: str, target: str, *, apply: bool = False) -> Reply:
        """RI-03: 403 InvalidStateTransition, with the names of both states."""
        return cls(403, answers.forbidden_body(source, target), apply=apply)

    @classmethod
    def too_large(cls, *, apply: bool = False) -> Reply:
        """RI-04: 413 RequestEntityTooLarge."""
        return cls(413, answers.TOO_LARGE, apply=apply)

    @classmethod
    def bad_mode(cls, *, apply: bool = False) -> Reply:
        """RI-05: 400 InvalidFunctionResponseMode."""
        return cls(400, answers.BAD_MODE, apply=apply)

    @classmethod
    def server_error(cls, *, apply: bool = False) -> Reply:
        """RI-07: 500 InternalServerError."""
        return cls(500, answers.SERVER_ERROR, apply=apply)

    @classmethod
    def late(cls, seconds: float) -> Reply:
        """The emulator's own answer, held for so many seconds after the request was taken."""
        return cls(200, delay=seconds, own_answer=True)

    @classmethod
    def cut(cls, after: int = 0, *, delay: float = 0.0, reset: bool = False, apply: bool = False) -> Reply:
        """The connection is closed after so many bytes of the answer, 0: without any.

        With `apply` the request is taken as usual and the bytes are those of the emulator's own answer.
        """
        return cls(200, delay=delay, cut_after=after, reset=reset, own_answer=apply)

    @classmethod
    def cut_request(cls, after: int, *, reset: bool = True) -> Reply:
        """The connection is closed in the middle of the request, after so many bytes of its body."""
        return cls(200, cut_after=0, request_cut=RequestCut(after, reset))

    @classmethod
    def slow_reader(cls, bytes_per_second: int, seconds: float, *, delay: float = 0.0) -> Reply:
        """The emulator's own answer to a request whose body it reads slowly at first."""
        return cls(200, delay=delay, own_answer=True, request_pace=RequestPace(bytes_per_second, seconds))


def _check_drip(drip: tuple[int, float] | None) -> None:
    if drip is not None and (drip[0] < 1 or drip[1] < 0):
        raise ValueError(f"drip: at least one byte and no negative pause: {drip}")


def _form_in_words(
    drip: tuple[int, float] | None, header_case: HeaderCase, extra_headers: tuple[tuple[str, str], ...]
) -> list[str]:
    words = []
    if drip is not None:
        words.append(f"dripped {drip[0]} bytes every {drip[1]:g} s")
    if header_case != "canonical":
        words.append(f"header names in {header_case} case")
    if extra_headers:
        words.append(f"{len(extra_headers)} extra headers")
    return words


AS_USUAL = Delivery()
"""Nothing is odd."""
