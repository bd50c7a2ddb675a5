"""The holder of a box: a sleeping container that keeps what outlives a process on Lambda.

That is the network, /tmp, and process number 1, which on Lambda is not the runtime's either. Nothing in it
depends on the image under test, so it can be made before it is known which box will have it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runtimebuilder.engine.containers import Container, ContainerSpec, Mount, create_container
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.resources import remove_volume
from runtimebuilder.sandbox.link import Link
from runtimebuilder.sandbox.scratch import make_scratch

_NOBODY = "65534:65534"  # who the holder runs as: not the subject's user, which may not signal it then


@dataclass(frozen=True)
class Holder:
    """One that runs. `name` is that of the volume for /tmp; `tmp_kind` is "ext4" or "tmpfs"."""

    engine: Engine
    name: str
    container: Container
    link: Link
    tmp_kind: str

    def remove_tmp(self) -> None:
        """Remove the volume, when no container has it mounted any more."""
        remove_volume(self.engine, self.name)

    def clear(self) -> bool:
        """Empty /tmp when the box is gone. Whether the holder then is as it was made, and fit for another box.

        For those who are root on the engine's machine; False elsewhere, and when a process was left behind.
        """
        state = self.container.state()
        if state.status != "running":
            return False
        inside = Path(f"/proc/{state.pid}/root")
        try:
            left = [entry.name for entry in (inside / "proc").iterdir() if entry.name.isdigit()]
            if left != ["1"]:
                return False
            _empty(inside / "tmp")
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Remove the container and the volume. A second call does nothing."""
        self.container.remove()
        self.remove_tmp()


def _empty(folder: Path) -> None:
    """Remove what is in the folder; follows no link. OSError when something stays."""
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)  # noqa: PTH108 - an entry, not a path of ours


def make_holder(
    engine: Engine,
    name: str,
    *,
    image: str,
    tmp_mb: int,
    link: Link,
    labels: Mapping[str, str],
    on_disk: bool,
) -> Holder:
    """Make a holder from the pause image `image` and start it. `on_disk`: see `make_scratch`.

    Raises `EnvironmentProblemError` (exit 4) when the engine cannot, and leaves nothing then.
    """
    with contextlib.ExitStack() as undo:
        scratch = make_scratch(engine, name, size_mb=tmp_mb, labels=labels, on_disk=on_disk)
        undo.callback(remove_volume, engine, name)
        undo.callback(scratch.mounted)  # gives the device back, mounted or not
        spec = ContainerSpec(
            image=image,
            name=f"{name}-holder",
            labels=labels,
            user=_NOBODY,
            network_mode=link.network(labels),
            dns=link.dns(),
            hosts=link.hosts(),
            dns_options=("timeout:1", "attempts:1"),
            read_only=True,
            drop_capabilities=True,
            no_new_privileges=True,
            mounts=[Mount(name, "/tmp")],  # noqa: S108 - the box's, not ours
        )
        container = create_container(engine, spec)
        undo.callback(container.remove)
        container.start()
        scratch.mounted()
        undo.pop_all()
    return Holder(engine, name, container, link, scratch.kind)
