"""Known vulnerabilities of an image, as grype or trivy tell them: read, put in order, judged by a threshold."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtimebuilder.errors import SpecError


class Severity(enum.IntEnum):
    """How bad; both scanners' words, the worse the higher."""

    UNKNOWN = 0
    NEGLIGIBLE = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5

    @property
    def word(self) -> str:
        """As people write it."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Severity:
        """The severity of a scanner's word; a word that neither uses counts as unknown."""
        return cls.__members__.get(word.upper(), cls.UNKNOWN)


@dataclass(frozen=True)
class Vulnerability:
    """One vulnerability of one package. `fixed`: the versions without it, "" where there is none yet."""

    severity: Severity
    id: str
    package: str
    installed: str
    fixed: str


def read_findings(text: str, shown: str) -> tuple[Vulnerability, ...]:
    """What a scanner's JSON says, each once, the worst first. `shown`: what the text is called in messages.

    Raises `SpecError` (exit 2) for what is neither `grype -o json` nor `trivy image --format json`.
    """
    try:
        document = json.loads(text)
        found = set(_findings(document))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpecError(
            f"{shown} is neither what `grype -o json` prints nor `trivy image --format json`",
            hint="give the scanner's JSON, whole",
        ) from error
    return tuple(sorted(found, key=lambda one: (-one.severity, one.package, one.id, one.installed)))


def _findings(document: Mapping[str, Any]) -> Iterator[Vulnerability]:
    if isinstance(document.get("matches"), list):
        yield from _of_grype(document["matches"])
    elif "SchemaVersion" in document:  # trivy leaves Results out when it has found nothing
        yield from _of_trivy(document.get("Results") or ())
    else:
        raise ValueError("neither")


def _of_grype(matches: Sequence[Mapping[str, Any]]) -> Iterator[Vulnerability]:
    for match in matches:
        told, package = match["vulnerability"], match["artifact"]
        fixed = (told.get("fix") or {}).get("versions") or ()
        yield Vulnerability(
            Severity.of(str(told.get("severity") or "")),
            str(told["id"]),
            str(package["name"]),
            str(package.get("version") or ""),
            ", ".join(map(str, fixed)),
        )


def _of_trivy(results: Sequence[Mapping[str, Any]]) -> Iterator[Vulnerability]:
    for result in results:
        for told in result.get("Vulnerabilities") or ():
            yield Vulnerability(
                Severity.of(str(told.get("Severity") or "")),
                str(told["VulnerabilityID"]),
                str(told["PkgName"]),
                str(told.get("InstalledVersion") or ""),
                str(told.get("FixedVersion") or ""),
            )


def severity_named(word: str) -> Severity:
    """The threshold that a person named. Raises `SpecError` (exit 2) for another word."""
    if word.upper() not in Severity.__members__ or word.upper() == "UNKNOWN":
        known = ", ".join(one.word for one in reversed(Severity) if one is not Severity.UNKNOWN)
        raise SpecError(f"--fail-on {word!r} is not one of {known}")
    return Severity[word.upper()]


def without(findings: Sequence[Vulnerability], ignored: Sequence[str]) -> tuple[Vulnerability, ...]:
    """The findings without those whose id is among `ignored`."""
    return tuple(one for one in findings if one.id not in set(ignored))
