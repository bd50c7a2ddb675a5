"""Layers for tests: unpacked on a base without PHP, as Lambda does it with its OS-only runtime."""

from __future__ import annotations

import stat
import subprocess
import zipfile
from pathlib import Path


def unpack(layer: Path, folder: Path) -> None:
    """The layer's files in `folder`, with their modes and links."""
    with zipfile.ZipFile(layer) as archive:
        for info in archive.infolist():
            target = folder / info.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            mode = info.external_attr >> 16
            if stat.S_ISLNK(mode):
                target.symlink_to(archive.read(info).decode())
            else:
                target.write_bytes(archive.read(info))
                target.chmod(mode & 0o777)


def image_with(layer: Path, base: str, name: str, folder: Path) -> str:
    """An image of `base` that has the layer in /opt, called `name`; the entrypoint of images starts /opt/bootstrap."""
    unpack(layer, folder / "opt")
    # Lambda finds /opt/bootstrap itself; the entrypoint of an image knows this path only.
    (folder / "Dockerfile").write_text(
        f"FROM {base}\nCOPY opt/ /opt/\nRUN ln -s /opt/bootstrap /var/runtime/bootstrap\n"
    )
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", name, str(folder)], check=True, capture_output=True
    )
    return name
