"""From an image that was built here to a repository: `push`.

The order gives what a registry alone does not: the manifest is made here, so its digest is known before anything is
sent; what is behind each tag is read before; nothing is claimed before the registry itself has said that all is there.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runtimebuilder.build.freshness import stale
from runtimebuilder.build.plan import default_tags
from runtimebuilder.build.platforms import catalog_for, foreign_architecture
from runtimebuilder.build.subject import Subject, find_image
from runtimebuilder.build.tags import Tagger
from runtimebuilder.engine.docker import Engine, ImageFacts
from runtimebuilder.errors import EnvironmentProblemError, SubjectFailedError, UserError
from runtimebuilder.publish import ecr
from runtimebuilder.publish.bundle import pack
from runtimebuilder.publish.failures import UnreachableError
from runtimebuilder.publish.manifest import Manifest, check_for_lambda, lambda_problem
from runtimebuilder.publish.names import Place, Repository
from runtimebuilder.publish.placing import (
    Sent,
    There,
    bring_blobs,
    confirm,
    look,
    put_tags,
    refuse_conflicts,
)
from runtimebuilder.publish.registry import RepositoryClient
from runtimebuilder.publish.repositories import ensure
from runtimebuilder.publish.session import Session
from runtimebuilder.publish.tags import moving, patterns_for
from runtimebuilder.render.image import LABEL
from runtimebuilder.render.mirror import Mirror
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.config import RepositorySettings
from runtimebuilder.spec.lock import Lock
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec
from runtimebuilder.spec.placeholders import expand
from runtimebuilder.spec.tags import tag_values


@dataclass(frozen=True)
class PushOptions:
    """What the command line and runtimebuilder.yaml say about a push."""

    place: Place
    patterns: tuple[str, ...] = ()  # () for the spec's tags, or ours
    base: str | None = None
    platforms: tuple[str, ...] = ()  # () for the engine's own; an image each
    repository: RepositorySettings | None = None  # how repositories are made; None: they are not
    allow_stale: bool = False
    mirrors: tuple[Mirror, ...] = ()
    lock: Lock | None = None


@dataclass(frozen=True)
class Candidate:
    """An image, where it goes, and what is there now."""

    runtime: RuntimeSpec
    base: BaseSpec
    image: ImageFacts
    repository: Repository
    tags: tuple[str, ...]
    patterns: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Pushed:
    """An image that is at the registry, as the registry itself has confirmed."""

    candidate: Candidate
    digest: str
    media_type: str
    size: int  # bytes that a pull transfers
    sent: Sent | None  # None: all was there, and nothing was sent
    seconds: float

    @property
    def reference(self) -> str:
        """What a function, or a FROM, names."""
        return self.candidate.repository.at(self.digest)


@dataclass(frozen=True)
class NotPushed:
    """A runtime whose image is not, or not surely, at the registry."""

    runtime: RuntimeSpec
    error: UserError


PushResult = Pushed | NotPushed


@dataclass(frozen=True)
class Intended:
    """What a push would do with one tag: "new", "same", "move" or "refuse"."""

    candidate: Candidate
    tag: str
    what: str
    there: str = ""  # the digest behind the tag now


class Pusher:
    """Pushes images of one engine to one place."""

    def __init__(
        self,
        engine: Engine,
        catalog: Catalog,
        session: Session,
        options: PushOptions,
        say: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._catalog = catalog
        self._session = session
        self._options = options
        self._say = say
        self._tagger = Tagger(engine)

    def push(self, runtimes: Sequence[RuntimeSpec]) -> Iterator[PushResult]:
        """Each runtime's result, in the order given, as soon as it is known. One failure hides none of the others."""
        unreachable: UnreachableError | None = None
        for runtime in runtimes:
            for platform in self._options.platforms or (None,):
                if unreachable is not None:
                    yield NotPushed(runtime, unreachable)  # asking again would only take time
                    continue
                try:
                    yield self._push(runtime, platform)
                except UnreachableError as error:
                    unreachable = error
                    yield NotPushed(runtime, error)
                except UserError as error:
                    yield NotPushed(runtime, error)

    def intend(self, runtime: RuntimeSpec) -> tuple[Intended, ...]:
        """What `push` would do, tag by tag; nothing is exported, sent, or created. Raises `UserError`."""
        platforms = self._options.platforms or (None,)
        return tuple(one for platform in platforms for one in self._intend(self.candidate(runtime, platform)))

    def _intend(self, candidate: Candidate) -> tuple[Intended, ...]:
        client = self._session.client(candidate.repository)
        rule = ecr.tag_rule(candidate.repository)
        intended = []
        for tag, manifest in look(client, candidate.tags).items():
            if manifest is None:
                intended.append(Intended(candidate, tag, "new"))
                continue
            if _is_same(manifest, candidate.image.id):
                what = "same"
            else:
                what = "refuse" if rule is not None and rule.holds(tag) else "move"
            intended.append(Intended(candidate, tag, what, manifest.digest))
        return tuple(intended)

    def candidate(self, runtime: RuntimeSpec, platform: str | None = None) -> Candidate:
        """The image of a runtime for a platform (None: the engine's own), and the names that it gets.

        Raises `EnvironmentProblemError` (exit 4) when it was not built here, `SubjectFailedError` (1) when it is not
        what the spec says, `SpecError` (2) for tags that cannot be.
        """
        options = self._options
        architecture = foreign_architecture(self._engine, platform)
        found = self._find(runtime, architecture)
        image = self._engine.image(found.reference)
        if image is None:
            raise EnvironmentProblemError(f"the engine has no image {found.reference} any more")
        name = image.labels.get(f"{LABEL}.base", "")
        if found.note is not None:
            raise EnvironmentProblemError(
                f"{runtime.name} was not built on {runtime.base} here, only on {name}",
                hint=f"say that this is meant: --base {name}; or build it: runtimebuilder build {runtime.name}",
            )
        if image.labels.get(f"{LABEL}.runtime") != runtime.name or name not in self._catalog.bases:
            raise SubjectFailedError(
                f"{found.reference} is not what `build` makes of {runtime.name}: its labels say otherwise",
                hint=f"runtimebuilder build {runtime.name} --base {options.base or runtime.base}",
            )
        base = catalog_for(self._engine, self._catalog, platform).base(name)
        self._check(runtime, base, image, platform)
        patterns = patterns_for(runtime, base.name, options.patterns, is_foreign=architecture is not None)
        tags = self._tagger.tags(patterns, runtime, base, image.id)
        return Candidate(runtime, base, image, options.place.repository(runtime.name), tags, patterns)

    def _find(self, runtime: RuntimeSpec, architecture: str | None) -> Subject:
        """The image's name: that of another architecture than the engine's own has one of its own."""
        base = self._options.base or runtime.base
        if architecture is None:
            return find_image(self._engine, self._catalog, runtime.name, self._options.base)
        reference = default_tags(runtime, base, architecture)[0]
        if self._engine.image(reference) is None:
            raise EnvironmentProblemError(
                f"{runtime.name} has not been built here on {base} for linux/{architecture}",
                hint=f"runtimebuilder build {runtime.name} --base {base} --platform linux/{architecture}",
            )
        return Subject(reference)

    def _check(self, runtime: RuntimeSpec, base: BaseSpec, image: ImageFacts, wanted: str | None) -> None:
        if wanted is not None and image.platform != wanted:
            raise SubjectFailedError(
                f"{runtime.name}: the image is for {image.platform}, not for {wanted}",
                hint=f"runtimebuilder build {runtime.name} --platform {wanted}",
            )
        if self._options.allow_stale:
            return
        if why := stale(runtime, base, image, mirrors=self._options.mirrors, lock=self._options.lock):
            raise SubjectFailedError(
                f"{runtime.name}: the image here is not what would be built now: {', '.join(why)}",
                hint=f"runtimebuilder build {runtime.name} --base {base.name}; or push it all the same: --allow-stale",
            )

    def _push(self, runtime: RuntimeSpec, platform: str | None) -> Pushed:
        started = time.monotonic()
        candidate = self.candidate(runtime, platform)
        if self._options.repository is not None:
            self._create(candidate, self._options.repository)
        client = self._session.client(candidate.repository)
        there = look(client, candidate.tags)
        rule = ecr.tag_rule(candidate.repository)
        manifest = self._already(client, there, candidate.image.id)
        sent: Sent | None = None
        if manifest is not None:
            refuse_conflicts(client, manifest, there, rule, (candidate.image.platform,))
        else:
            with tempfile.TemporaryDirectory(prefix="runtimebuilder-push-") as folder:
                manifest, sent = self._send(client, candidate, there, rule, Path(folder))
        check_for_lambda(candidate.runtime.name, manifest)
        written = put_tags(client, manifest, there, self._say)
        confirm(client, manifest, candidate.tags)
        if sent is None and written:
            sent = Sent(0, 0, len(manifest.blobs), 0)
        return Pushed(
            candidate, manifest.digest, manifest.media_type, manifest.size, sent, time.monotonic() - started
        )

    def _send(
        self,
        client: RepositoryClient,
        candidate: Candidate,
        there: There,
        rule: ecr.TagRule | None,
        folder: Path,
    ) -> tuple[Manifest, Sent | None]:
        """Pack the image, and bring to the registry what it does not have."""
        # Some seconds without a word, for a large image.
        self._say(
            f"  {candidate.runtime.name}: exporting and compressing {candidate.image.size / 1e6:.0f} MB"
        )
        bundle = pack(self._engine, candidate.image.id, folder)
        if bundle.platform != candidate.image.platform:
            raise SubjectFailedError(
                f"{candidate.runtime.name}: the engine gave out an image for {bundle.platform}, "
                f"and has one for {candidate.image.platform}"
            )
        config = bundle.manifest.config
        same = self._already(client, there, config.digest if config else "")
        manifest = same or bundle.manifest
        check_for_lambda(candidate.runtime.name, manifest)
        refuse_conflicts(client, manifest, there, rule, (candidate.image.platform,))
        if same is not None:
            return same, None
        files = {blob.descriptor.digest: blob for blob in bundle.blobs}
        sent = bring_blobs(
            self._session,
            client,
            [blob.descriptor for blob in bundle.blobs],
            lambda descriptor: client.send_blob(files[descriptor.digest]),
        )
        return manifest, sent

    def _already(self, client: RepositoryClient, there: There, config: str) -> Manifest | None:
        """The manifest of this very image, if a tag names it: same configuration, and so the same layers.

        Another machine, or `docker push`, may have compressed them to other bytes; it is the same image all the same.
        """
        for manifest in there.values():
            if manifest is None or not _is_same(manifest, config) or lambda_problem(manifest):
                continue
            if all(client.has_blob(blob) for blob in manifest.blobs):
                for blob in manifest.blobs:
                    self._session.holds(client.repository, blob)
                return manifest
        return None

    def _create(self, candidate: Candidate, settings: RepositorySettings) -> None:
        # Another architecture or base, which may come later, has tags of its own that move as well.
        values = {**tag_values(candidate.runtime, "*"), "arch": "*"}
        loose = dict.fromkeys(expand(one, values) for one in moving(candidate.patterns))
        if ensure(candidate.repository, settings, tuple(loose)):
            self._say(f"{candidate.repository} is created")


def _is_same(manifest: Manifest, config: str) -> bool:
    return manifest.config is not None and manifest.config.digest == config
