"""How registries say no, and what that is for people: an exit code, a sentence, a remedy."""

from __future__ import annotations

import json
from dataclasses import dataclass

from runtimebuilder.errors import EnvironmentProblemError, SubjectFailedError, UserError

# Statuses that say "later": RFC 9110 15.5.9 and 15.6, RFC 6585 4 (429), RFC 8470 5.2 (425).
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
# Registries do not agree on how to refuse a tag that exists. ECR: 400 TAG_INVALID "... cannot be overwritten because
# the tag is immutable" (or "the repository"); Harbor: 412 "configured as immutable"; Quay: 409 TAG_IMMUTABLE.
_IMMUTABLE = ("immutab", "cannot be overwritten")


@dataclass(frozen=True)
class Said:
    """The error in an answer's body (distribution-spec, "Error codes"): the first one's code, and all messages."""

    code: str
    message: str

    @classmethod
    def of(cls, body: bytes) -> Said:
        """What a body says; its beginning as a message when it is not the specification's JSON."""
        try:
            errors = json.loads(body)["errors"]
            codes = [str(one.get("code") or "") for one in errors]
            messages = [str(one.get("message") or one.get("code") or "") for one in errors]
            return cls(codes[0], "; ".join(messages))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            return cls("", " ".join(body[:200].decode("utf-8", "replace").split()))


class RefusedError(SubjectFailedError):
    """The registry answered with an error that trying again does not change (exit 1)."""

    def __init__(self, what: str, status: int, said: Said, *, hint: str | None = None) -> None:
        detail = " ".join(part for part in (said.code, said.message) if part)
        super().__init__(
            f"{what}: the registry refused ({status})", hint=hint, detail=f"  {detail}" if detail else None
        )
        self.status = status
        self.said = said

    @property
    def is_immutable(self) -> bool:
        """Whether it refused because the tag exists and may not be moved."""
        text = f"{self.said.code} {self.said.message}".lower()
        return any(word in text for word in _IMMUTABLE)


class DeniedError(EnvironmentProblemError):
    """No credentials, wrong ones, or ones that may not do this (exit 4). Never tried again."""

    def __init__(self, what: str, status: int, said: Said, *, hint: str) -> None:
        detail = " ".join(part for part in (said.code, said.message) if part)
        words = "may not do that" if status == 403 else "is not known"
        super().__init__(
            f"{what}: denied ({status}): whoever this is {words} there",
            hint=hint,
            detail=f"  {detail}" if detail else None,
        )
        self.status = status


class UnreachableError(EnvironmentProblemError):
    """The registry never answered (exit 4)."""


class BrokenOffError(SubjectFailedError):
    """The registry answered at first, and then no more, however often it was asked (exit 1)."""


def failure_of(what: str, status: int, body: bytes, host: str, *, has_credentials: bool) -> UserError:
    """The error for an answer that is neither expected nor transient."""
    said = Said.of(body)
    if status == 401:
        hint = f"log in with `docker login {host}`" + (" again" if has_credentials else "")
        return DeniedError(what, status, said, hint=hint)
    if status == 403:
        return DeniedError(
            what, status, said, hint="ask for the right to push to (or to read from) that repository"
        )
    unknown = "create the repository first; on ECR `push --create-repository` does it"
    return RefusedError(what, status, said, hint=unknown if said.code == "NAME_UNKNOWN" else None)
