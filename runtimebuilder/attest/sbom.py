"""The SBOM of an image as text."""

from __future__ import annotations

import enum
import importlib.util

from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.software import installed_software
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.spec.catalog import Catalog


class SbomFormat(enum.StrEnum):
    """SPDX 2.3 or CycloneDX 1.6, both as JSON."""

    SPDX = "spdx"
    CYCLONEDX = "cyclonedx"


def check_libraries() -> None:
    """Raise `EnvironmentProblemError` (exit 4) when the libraries that write SBOMs are not installed."""
    for name in ("cyclonedx", "packageurl", "spdx_tools"):
        if importlib.util.find_spec(name) is None:
            raise EnvironmentProblemError(
                f"the library that writes SBOMs is not installed ({name})",
                hint="pip install 'runtimebuilder[sbom]'",
            )


def sbom(
    engine: Engine, catalog: Catalog, reference: str, form: SbomFormat, epoch: int | None = None
) -> tuple[str, tuple[str, ...]]:
    """The document, and what people have to know about it.

    Raises `EnvironmentProblemError` (exit 4): no such image, its databases cannot be read, or the libraries that write
    SBOMs are not installed.
    """
    facts = engine.image(reference)
    if facts is None:
        raise EnvironmentProblemError(f"the engine has no image {reference}")
    check_libraries()
    # Here, for they are an extra, and take half a second to load.
    from runtimebuilder.attest import cyclonedx, inventory, spdx  # noqa: PLC0415

    found = inventory.take_inventory(reference, facts, installed_software(engine, facts.id), catalog, epoch)
    write = spdx.spdx_json if form is SbomFormat.SPDX else cyclonedx.cyclonedx_json
    return write(found), found.notes
