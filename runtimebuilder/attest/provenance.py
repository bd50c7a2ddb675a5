"""How an image came to be: an in-toto statement with SLSA's provenance, both of version 1.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, https://slsa.dev/spec/v1.0/provenance
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtimebuilder import __version__
from runtimebuilder.build.plan import KEY_LABEL, Step
from runtimebuilder.engine import buildx, process
from runtimebuilder.engine.docker import Engine, ImageFacts
from runtimebuilder.errors import EnvironmentProblemError, SpecError, SubjectFailedError
from runtimebuilder.render.environment import TemplateSet
from runtimebuilder.spec.lock import FILE, Lock
from runtimebuilder.spec.packages import builds_for

BUILD_TYPE = "urn:runtimebuilder:build:1"
BUILDER_ID = "urn:runtimebuilder:local"
_GIT_TIMEOUT = 60.0
_SUBJECT = re.compile(r"(?P<name>[a-z0-9][^@\s]*)@sha256:(?P<digest>[0-9a-f]{64})\Z")
# What stands before the host of an address: a user, a password, a token.
_USER = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True)
class Revision:
    """The project's git commit, where its origin is ("" without one), and whether files differ from the commit."""

    commit: str
    origin: str
    is_dirty: bool


@dataclass(frozen=True)
class Surroundings:
    """What an image does not know of its own making. `revision`: None where there is no git repository."""

    lock: Lock | None
    revision: Revision | None
    engine: str
    buildx: str | None
    builder_id: str = BUILDER_ID


def surroundings(engine: Engine, lock: Lock | None, builder_id: str = BUILDER_ID) -> Surroundings:
    """Those of the working directory."""
    found = buildx.find()
    return Surroundings(lock, _revision(), engine.ping().version, found[1] if found else None, builder_id)


def provenance(step: Step, facts: ImageFacts | None, around: Surroundings, subject: str | None = None) -> str:
    """The statement as JSON; the same for the same image, project and programs.

    `subject`: REFERENCE@sha256:DIGEST, under which a registry has the image. Raises `SpecError` (exit 2) when it is
    none, `EnvironmentProblemError` (4) when the image is not there, `SubjectFailedError` (1) when it was not built of
    the spec as it is now: of another one nothing can be said.
    """
    name = f"{step.runtime.name} on {step.base.base.name}"
    build = f"runtimebuilder build {step.runtime.name} --base {step.base.base.name}"
    if facts is None:
        raise EnvironmentProblemError(f"{name} has not been built here", hint=build)
    if facts.labels.get(KEY_LABEL) != step.key:
        raise SubjectFailedError(
            f"the image of {name} was not built of the spec, the templates, the base and the lock as they are now",
            hint=f"build it again (`{build}`), or give --platform and SOURCE_DATE_EPOCH as the build had them",
        )
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [_subject(step.tags[0], facts.id, subject)],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": _parameters(step, facts, around),
                "internalParameters": {"contentKey": step.key, "contextDigest": step.context.digest},
                "resolvedDependencies": _dependencies(step, around),
            },
            "runDetails": {
                "builder": {"id": around.builder_id, "version": _versions(around)},
                "metadata": {"finishedOn": facts.created},
            },
        },
    }
    return json.dumps(_without_users(document), indent=2, ensure_ascii=False) + "\n"


def check_subject(text: str) -> tuple[str, str]:
    """The reference and its digest, hexadecimal. Raises `SpecError` (exit 2)."""
    found = _SUBJECT.match(text)
    if found is None:
        raise SpecError(
            f"--subject {text!r} is no image with its digest", hint="REGISTRY/NAME@sha256: and 64 digits"
        )
    return found["name"], found["digest"]


def _subject(tag: str, image_id: str, subject: str | None) -> Mapping[str, object]:
    name, digest = check_subject(subject) if subject else (tag, image_id.removeprefix("sha256:"))
    return {"name": name, "digest": {"sha256": digest}}


def _parameters(step: Step, facts: ImageFacts, around: Surroundings) -> Mapping[str, object]:
    runtime = step.runtime.on(step.base.base.name)
    entry = around.lock.runtimes.get(runtime.name) if around.lock else None
    # A spec names its secrets; their values come with the build, and nothing here has ever seen them.
    return {
        "runtime": runtime.name,
        "base": step.base.base.name,
        "platform": facts.platform,
        "epoch": step.epoch,
        "specSource": _relative(runtime.source),
        "spec": runtime.model_dump(mode="json", by_alias=True, exclude={"source", "others"}),
        "lock": entry.model_dump(mode="json", by_alias=True, exclude_none=True) if entry else None,
    }


def _relative(source: str) -> str:
    """A path within the project: where this machine keeps the project is nobody's business."""
    file = Path(source)
    if file.is_absolute():
        here = Path.cwd()
        return file.relative_to(here).as_posix() if file.is_relative_to(here) else file.name
    return source


def _dependencies(step: Step, around: Surroundings) -> list[Mapping[str, object]]:
    base = step.base
    found: list[Mapping[str, object]] = [
        {
            "name": "base",
            "uri": f"docker://{base.reference}",
            "digest": {"sha256": (base.digest or base.image_id).removeprefix("sha256:")},
        }
    ]
    if around.revision is not None:
        found.append(
            {
                "name": "project",
                "uri": f"git+{around.revision.origin}" if around.revision.origin else "git+file:.",
                "digest": {"gitCommit": around.revision.commit},
                "annotations": {"dirty": around.revision.is_dirty},
            }
        )
    lock = Path(FILE)
    if around.lock is not None and lock.is_file():
        found.append(_hashed(FILE, lock.read_bytes()))
    runtime = step.runtime.on(base.base.name)
    if runtime.has_php:
        compiled = builds_for(runtime, base.base)
        archives = [(one.name, one.version, one.url, one.sha256) for one in compiled.extensions]
        if compiled.php is not None:
            archives.append(("php", compiled.php.version, compiled.php.url, compiled.php.sha256))
        found += [
            {"name": f"{name} {version}", "uri": url, "digest": {"sha256": sha256}}
            for name, version, url, sha256 in sorted(archives)
        ]
    templates = TemplateSet()
    folders = sorted({"_shared", runtime.template, *(("php",) if runtime.has_php else ())})
    found += [
        _hashed(f"templates/{folder}/{file.path}", file.data)
        for folder in folders
        for file in templates.contents(folder)
    ]
    found += [_hashed(f"context/{file.path}", file.data) for file in step.context.files]
    return found


def _hashed(name: str, data: bytes) -> Mapping[str, object]:
    return {"name": name, "digest": {"sha256": hashlib.sha256(data).hexdigest()}}


def _versions(around: Surroundings) -> Mapping[str, str]:
    versions = {"runtimebuilder": __version__, "docker": around.engine}
    return {**versions, "buildx": around.buildx} if around.buildx else versions


def _without_users(value: Any) -> Any:
    """The same with no user or password in any address."""
    if isinstance(value, str):
        return _USER.sub("", value)
    if isinstance(value, Mapping):
        return {name: _without_users(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_users(one) for one in value]
    return value


def _revision() -> Revision | None:
    commit = _git("rev-parse", "--verify", "--quiet", "HEAD")
    if commit is None:
        return None
    return Revision(
        commit, _public(_git("remote", "get-url", "origin") or ""), bool(_git("status", "--porcelain"))
    )


def _git(*arguments: str) -> str | None:
    try:
        answer = process.run(["git", *arguments], timeout=_GIT_TIMEOUT, errors=False)
    except FileNotFoundError:
        return None
    return answer.output.strip() if answer.code == 0 else None


def _public(origin: str) -> str:
    """The address, but for a folder of this machine, which says nothing to anybody else."""
    return "" if origin.startswith(("/", ".", "file:")) else origin
