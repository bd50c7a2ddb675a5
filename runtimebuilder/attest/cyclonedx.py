"""An inventory as CycloneDX 1.6 in JSON: https://cyclonedx.org/docs/1.6/json/."""

from __future__ import annotations

import json

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from runtimebuilder import __version__
from runtimebuilder.attest.inventory import Inventory, Part

_TYPES = {
    "library": ComponentType.LIBRARY,
    "application": ComponentType.APPLICATION,
    "container": ComponentType.CONTAINER,
}


def cyclonedx_json(inventory: Inventory) -> str:
    """The document as text, the same for the same inventory."""
    image = Component(
        name=inventory.name,
        version=inventory.digest,
        type=ComponentType.CONTAINER,
        bom_ref="image",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=inventory.digest.removeprefix("sha256:"))],
        properties=[Property(name="runtimebuilder:platform", value=inventory.platform)],
    )
    parts = [_component(part) for part in inventory.parts]
    base = [_component(inventory.base)] if inventory.base is not None else []
    tool = Component(
        name="runtimebuilder", version=__version__, type=ComponentType.APPLICATION, bom_ref="runtimebuilder"
    )
    bom = Bom(
        serial_number=inventory.serial,
        metadata=BomMetaData(
            timestamp=inventory.when, component=image, tools=ToolRepository(components=[tool])
        ),
        components=[*base, *parts],
    )
    bom.register_dependency(image, [*base, *parts])
    written = json.loads(JsonV1Dot6(bom).output_as_string())
    return json.dumps(written, indent=2, ensure_ascii=False) + "\n"


def _component(part: Part) -> Component:
    return Component(
        name=part.name,
        version=part.version or None,
        type=_TYPES[part.kind],
        bom_ref=part.identity,
        purl=PackageURL.from_string(part.purl) if part.purl else None,
        licenses=[DisjunctiveLicense(name=name) for name in part.licences],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)] if part.sha256 else [],
        external_references=[
            ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(part.download))
        ]
        if part.download
        else [],
        components=[
            Component(
                name=file.path,
                type=ComponentType.FILE,
                bom_ref=f"{part.identity}:{file.path}",
                hashes=[
                    HashType(alg=HashAlgorithm.SHA_1, content=file.sha1),
                    HashType(alg=HashAlgorithm.SHA_256, content=file.sha256),
                ],
            )
            for file in part.files
        ],
    )
