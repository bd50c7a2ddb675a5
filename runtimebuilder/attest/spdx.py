"""An inventory as SPDX 2.3 in JSON: https://spdx.github.io/spdx-spec/v2.3/."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from boolean.boolean import ParseError
from license_expression import ExpressionError, get_spdx_licensing
from spdx_tools.spdx.jsonschema.document_converter import DocumentConverter
from spdx_tools.spdx.model import (
    Actor,
    ActorType,
    Checksum,
    ChecksumAlgorithm,
    CreationInfo,
    Document,
    ExternalPackageRef,
    ExternalPackageRefCategory,
    File,
    Package,
    PackagePurpose,
    PackageVerificationCode,
    Relationship,
    RelationshipType,
    SpdxNoAssertion,
)

from runtimebuilder import __version__
from runtimebuilder.attest.inventory import Inventory, Part

_PURPOSES = {
    "library": PackagePurpose.LIBRARY,
    "application": PackagePurpose.APPLICATION,
    "container": PackagePurpose.CONTAINER,
}
_IMAGE = "SPDXRef-Image"
_DOCUMENT = "SPDXRef-DOCUMENT"


def spdx_document(inventory: Inventory) -> Document:
    """The library's own form of it, which its validator takes."""
    document = Document(
        CreationInfo(
            spdx_version="SPDX-2.3",
            spdx_id=_DOCUMENT,
            name=inventory.name,
            # The form that the specification proposes for documents that are not published anywhere.
            document_namespace=f"https://spdx.org/spdxdocs/runtimebuilder-{inventory.serial}",
            creators=[Actor(ActorType.TOOL, f"runtimebuilder-{__version__}")],
            created=inventory.when.replace(tzinfo=None),
        )
    )
    image = Part(inventory.name, inventory.digest, kind="container", sha256=inventory.digest[7:])
    document.packages.append(_package(image, _IMAGE))
    document.relationships.append(Relationship(_DOCUMENT, RelationshipType.DESCRIBES, _IMAGE))
    if inventory.base is not None:
        document.packages.append(_package(inventory.base, "SPDXRef-Base"))
        document.relationships.append(Relationship(_IMAGE, RelationshipType.DESCENDANT_OF, "SPDXRef-Base"))
    for part in inventory.parts:
        reference = f"SPDXRef-{part.identity}"
        document.packages.append(_package(part, reference))
        document.relationships.append(Relationship(_IMAGE, RelationshipType.CONTAINS, reference))
        for file in part.files:
            of_file = f"{reference}-{file.sha1[:8]}-{len(document.files)}"
            sums = [
                Checksum(ChecksumAlgorithm.SHA1, file.sha1),
                Checksum(ChecksumAlgorithm.SHA256, file.sha256),
            ]
            document.files.append(File(f".{file.path}", of_file, sums))
            document.relationships.append(Relationship(reference, RelationshipType.CONTAINS, of_file))
    return document


def spdx_json(inventory: Inventory) -> str:
    """The document as text, the same for the same inventory."""
    converted: dict[str, Any] = DocumentConverter().convert(spdx_document(inventory))
    return json.dumps(converted, indent=2, ensure_ascii=False) + "\n"


def _package(part: Part, reference: str) -> Package:
    declared, comment = _licence(part.licences)
    return Package(
        spdx_id=reference,
        name=part.name,
        version=part.version or None,
        download_location=part.download or SpdxNoAssertion(),
        files_analyzed=bool(part.files),
        verification_code=_verification_code(part) if part.files else None,
        checksums=[Checksum(ChecksumAlgorithm.SHA256, part.sha256)] if part.sha256 else [],
        license_declared=declared,
        license_comment=comment,
        primary_package_purpose=_PURPOSES[part.kind],
        external_references=[
            ExternalPackageRef(ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", part.purl)
        ]
        if part.purl
        else [],
    )


def _verification_code(part: Part) -> PackageVerificationCode:
    """https://spdx.github.io/spdx-spec/v2.3/package-information/#79-package-verification-code-field."""
    hashes = "".join(sorted(file.sha1 for file in part.files))
    return PackageVerificationCode(hashlib.sha1(hashes.encode(), usedforsecurity=False).hexdigest())


def _licence(names: tuple[str, ...]) -> tuple[Any, str | None]:
    """An expression where the names are SPDX's; else nothing is asserted, and the names stand in the comment."""
    if not names:
        return SpdxNoAssertion(), None
    text = " AND ".join(f"({name})" if " " in name else name for name in names)
    try:
        return get_spdx_licensing().parse(text, validate=True, strict=True), None
    except (ExpressionError, ParseError):
        return SpdxNoAssertion(), f"The package itself says: {'; '.join(names)}"
