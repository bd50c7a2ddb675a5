"""What is in an image, as one list that both kinds of SBOM are written from."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from packageurl import PackageURL

from runtimebuilder.build.plan import PARTS_LABEL
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.engine.software import HashedFile, Software
from runtimebuilder.render.image import LABEL
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.packages import BuildSet, builds_for
from runtimebuilder.spec.php_source import PREFIX

_PURL_TYPES = {"apt": "deb", "dnf": "rpm"}
_PURL_NAMESPACES = {"amzn": "amzn"}


@dataclass(frozen=True)
class Part:
    """A part of the image. `sha256` of its archive, which lies at `download`; `licences` as its maker writes them."""

    name: str
    version: str = ""
    purl: str = ""
    licences: tuple[str, ...] = ()
    sha256: str = ""
    download: str = ""
    kind: str = "library"  # or "application", "container"
    files: tuple[HashedFile, ...] = ()

    @property
    def identity(self) -> str:
        """Letters and digits alone, other ones for each part."""
        text = repr((self.name, self.version, self.purl, self.kind))
        return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Inventory:
    """The image and its parts, in a fixed order. `created`: seconds since 1970."""

    name: str
    digest: str
    platform: str
    created: int
    parts: tuple[Part, ...]
    base: Part | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def serial(self) -> uuid.UUID:
        """The same for the same image and the same parts."""
        return uuid.uuid5(uuid.NAMESPACE_URL, repr((self.digest, self.created, self.base, self.parts)))

    @property
    def when(self) -> datetime:
        """`created` as a time in UTC."""
        return datetime.fromtimestamp(self.created, UTC)


def take_inventory(
    reference: str, facts: ImageFacts, software: Software, catalog: Catalog, epoch: int | None = None
) -> Inventory:
    """Put together what was found in the image. `epoch`: SOURCE_DATE_EPOCH, in place of the image's own time.

    What was compiled is known by the spec, and only when the image was built of the spec as it is now; else its
    files are listed with their hashes, and a note says why.
    """
    runtime = facts.labels.get(f"{LABEL}.runtime", "")
    compiled, notes = _compiled(facts, software, catalog)
    parts = [*_packages(software), *compiled, *_composer(software.composer)]
    if runtime and software.client:
        parts.append(Part(f"{runtime} runtime client", kind="application", files=software.client))
    name = facts.labels.get("org.opencontainers.image.base.name", "")
    digest = facts.labels.get("org.opencontainers.image.base.digest", "")
    base = Part(name, digest, kind="container", sha256=digest.removeprefix("sha256:")) if name else None
    return Inventory(
        name=reference,
        digest=facts.id,
        platform=facts.platform,
        created=epoch if epoch is not None else max(0, _seconds(facts.created)),
        parts=tuple(sorted(parts, key=lambda part: (part.purl, part.name, part.version))),
        base=base,
        notes=notes,
    )


def _seconds(text: str) -> int:
    """RFC 3339, with up to nine digits behind the point, or ""; whole seconds."""
    if not text:
        return 0
    return int(datetime.fromisoformat(text[:19]).replace(tzinfo=UTC).timestamp())


def _packages(software: Software) -> Iterator[Part]:
    distribution, release = software.distribution
    for package in software.packages:
        qualifiers = {
            "arch": package.architecture,
            "distro": f"{distribution}-{release}".strip("-"),
            "epoch": package.epoch,
        }
        purl = PackageURL(
            _PURL_TYPES[software.manager],
            _PURL_NAMESPACES.get(distribution, distribution),
            package.name,
            package.version,
            {name: value for name, value in qualifiers.items() if value},
        )
        version = f"{package.epoch}:{package.version}" if package.epoch else package.version
        yield Part(package.name, version, purl.to_string(), package.licences)


def _compiled(facts: ImageFacts, software: Software, catalog: Catalog) -> tuple[list[Part], tuple[str, ...]]:
    if not software.modules:
        return [], ()
    build_set = _build_set(facts, catalog)
    parts, left = [], list(software.modules)
    if build_set is not None:
        if build_set.php is not None:
            php = build_set.php
            own = tuple(file for file in left if file.path == f"{PREFIX}/bin/php")
            parts.append(_archive("php", php.version, php.url, php.sha256, own))
            left = [file for file in left if file not in own]
        for one in build_set.extensions:
            own = tuple(file for file in left if file.path.endswith(f"/{one.name}.so"))
            if own:
                parts.append(_archive(one.name, one.version, one.url, one.sha256, own))
                left = [file for file in left if file not in own]
    parts += [Part(file.path.rpartition("/")[2], files=(file,)) for file in left]
    if build_set is None:
        return parts, (
            "the image was not built of the spec as it is here: what was compiled has no version in the SBOM",
        )
    return parts, ()


def _archive(name: str, version: str, url: str, sha256: str, files: tuple[HashedFile, ...]) -> Part:
    namespace = "pecl" if "pecl.php.net" in url else None
    qualifiers = {"download_url": url, "checksum": f"sha256:{sha256}"}
    purl = PackageURL("generic", namespace, name, version, qualifiers).to_string()
    return Part(name, version, purl, sha256=sha256, download=url, files=files)


def _build_set(facts: ImageFacts, catalog: Catalog) -> BuildSet | None:
    """What the image's spec compiles; None when the spec here is not the one that the image was built of."""
    runtime = catalog.runtimes.get(facts.labels.get(f"{LABEL}.runtime", ""))
    base = catalog.bases.get(facts.labels.get(f"{LABEL}.base", ""))
    if runtime is None or base is None or not runtime.has_php:
        return None
    spec = runtime.on(base.name).model_dump_json(exclude={"source"})
    then = dict(part.split("=", 1) for part in facts.labels.get(PARTS_LABEL, "").split(";") if "=" in part)
    if then.get("spec") != hashlib.sha256(spec.encode()).hexdigest()[:16]:
        return None
    return builds_for(runtime, base)


def _composer(text: str | None) -> Iterator[Part]:
    """Of Composer 2's installed.json, an object with `packages`, and Composer 1's, which is the list itself."""
    try:
        document = json.loads(text or "[]")
    except ValueError:
        return
    packages = document.get("packages", []) if isinstance(document, Mapping) else document
    for package in packages:
        vendor, _, name = package["name"].rpartition("/")
        version = str(package.get("version", ""))
        dist = package.get("dist") or {}
        yield Part(
            package["name"],
            version,
            PackageURL("composer", vendor or None, name, version or None).to_string(),
            tuple(sorted(package.get("license") or ())),
            download=dist.get("url") or "",
        )
