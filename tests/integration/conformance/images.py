"""Images of runtimes for the tests, made by the engine's own classic builder: nothing but an engine is needed."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping

from runtimebuilder.engine.docker import Engine, asking

PROGRAMS = ("bootstrap",)
"""Files that are executable; a folder's name in front does not matter."""


def build_image(engine: Engine, name: str, dockerfile: str, files: Mapping[str, bytes]) -> str:
    """An image from this Dockerfile, beside which these files lie. Its reference.

    The tag is of the content: two checkouts can be tested against one engine at the same time.
    """
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for path, data in {"Dockerfile": dockerfile.encode(), **files}.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            entry.mode = 0o755 if path.rpartition("/")[2] in PROGRAMS else 0o644
            archive.addfile(entry, io.BytesIO(data))
    context.seek(0)
    reference = f"runtimebuilder-tests/{name}:{hashlib.sha256(context.getvalue()).hexdigest()[:12]}"
    with asking(f"to build {reference}"):
        lines = engine.api.build(
            fileobj=context, custom_context=True, tag=reference, rm=True, forcerm=True, decode=True
        )
        told = list(lines)
    log = "".join(str(line.get("stream") or line.get("error") or "") for line in told)
    assert not any("error" in line for line in told), log
    return reference
