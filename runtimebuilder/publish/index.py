"""One name for several architectures: an index of images that were pushed one by one, for FROM.

A function cannot use an index, so it never gets a tag that a function would use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from runtimebuilder.build.tags import known_values, today
from runtimebuilder.errors import SpecError, SubjectFailedError
from runtimebuilder.publish import ecr
from runtimebuilder.publish.manifest import Descriptor, index_manifest
from runtimebuilder.publish.metadata import PushedImage
from runtimebuilder.publish.names import Place, Repository
from runtimebuilder.publish.placing import confirm, look, platforms_of, put_tags, refuse_conflicts
from runtimebuilder.publish.session import Session
from runtimebuilder.spec.model import RuntimeSpec
from runtimebuilder.spec.placeholders import PlaceholderError, expand, placeholders_in
from runtimebuilder.spec.tags import TAG


@dataclass(frozen=True)
class Indexed:
    """An index that is at the registry, as the registry has confirmed."""

    runtime: str
    repository: Repository
    tag: str
    digest: str
    platforms: tuple[str, ...]
    written: bool  # False: the tag named it already

    @property
    def reference(self) -> str:
        """What a FROM names."""
        return self.repository.at(self.digest)


Groups = Mapping[tuple[str, str], Sequence[PushedImage]]


def grouped(images: Sequence[PushedImage], names: Sequence[str]) -> Groups:
    """The images of these runtimes by runtime and base, sorted. Raises `SpecError` (exit 2) where one has none."""
    groups: dict[tuple[str, str], list[PushedImage]] = {}
    for image in images:
        if image.runtime in names:
            groups.setdefault((image.runtime, image.base), []).append(image)
    for name in names:
        if not any(runtime == name for runtime, _ in groups):
            raise SpecError(
                f"none of the metadata files has an image of {name}",
                hint="each is written by `push --metadata-file FILE`, one for each architecture",
            )
    return dict(sorted(groups.items()))


def index_tag(runtime: RuntimeSpec, base: str, pattern: str | None) -> str:
    """The index's tag: `{{ version }}-multi`, on another base than the spec's with the base in it, or `pattern`.

    Raises `SpecError` (exit 2) for a placeholder that only one image could fill, and for what cannot be a tag.
    """
    ours = "{{ version }}-multi" if base == runtime.base else "{{ version }}-{{ base }}-multi"
    pattern = pattern or ours
    try:
        tag = expand(pattern, known_values(runtime, base, placeholders_in(pattern), today()))
    except PlaceholderError as error:
        raise SpecError(f"{runtime.name}: tag {pattern!r} of an index: {error.message}") from error
    if not TAG.match(tag):
        raise SpecError(f"{runtime.name}: {tag!r}, of {pattern!r}, cannot be a tag")
    return tag


def make_index(
    session: Session,
    place: Place,
    images: Sequence[PushedImage],
    tag: str,
    say: Callable[[str], None],
) -> Indexed:
    """Put an index of the images (of one runtime) under `tag`.

    Raises `SpecError` (exit 2) for images that do not belong together or a tag that one of them has, and
    `SubjectFailedError` (1) for what is not at the registry as it was pushed.
    """
    runtime = images[0].runtime
    repository = place.repository(runtime)
    client = session.client(repository)
    parts: dict[str, Descriptor] = {}
    for image in images:
        _check(image, repository, tag)
        earlier = parts.get(image.platform)
        if earlier is not None and earlier.digest != image.digest:
            raise SpecError(
                f"there are two images of {runtime} for {image.platform}; which one is meant?",
                hint="give the metadata file of one push for each architecture",
                detail=f"  {earlier.digest}\n  {image.digest}",
            )
        manifest = client.manifest(image.digest)
        if manifest is None or manifest.is_index or platforms_of(client, manifest) != (image.platform,):
            raise SubjectFailedError(
                f"{repository.at(image.digest)} is not an image for {image.platform} at the registry",
                hint="push it again; the metadata file is of an earlier push, perhaps",
            )
        parts[image.platform] = manifest.described(image.platform)
    index = index_manifest(list(parts.values()))
    before = look(client, [tag])
    refuse_conflicts(client, index, before, ecr.tag_rule(repository), tuple(sorted(parts)))
    written = put_tags(client, index, before, say)
    confirm(client, index, [tag])
    return Indexed(runtime, repository, tag, index.digest, tuple(sorted(parts)), bool(written))


def _check(image: PushedImage, repository: Repository, tag: str) -> None:
    if image.repository != str(repository):
        raise SpecError(
            f"{image.runtime} was pushed to {image.repository}, and the index would go to {repository}",
            hint="--registry has to be the one of the push",
        )
    if tag in image.tags:
        raise SpecError(
            f"{repository.at(tag)} is the tag of the image for {image.platform}; functions use it, and none can use an "
            "index",
            hint="--tag another one, such as '{{ version }}-multi'",
        )
