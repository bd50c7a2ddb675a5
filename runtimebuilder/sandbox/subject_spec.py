"""The container of the image under test: Lambda's user, limits and read-only root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runtimebuilder.engine.containers import ContainerSpec, Mount
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.sandbox.limits import Limits

_TMP = "/tmp"  # noqa: S108 -- the box's


def subject_spec(
    facts: ImageFacts,
    limits: Limits,
    *,
    name: str,
    namespaces: str,
    command: Sequence[str] | None,
    env: Mapping[str, str | None],
    labels: Mapping[str, str],
    volumes: Sequence[Mount],
) -> ContainerSpec:
    """What the engine is asked for. `namespaces`: of the holder; the volume `name` is /tmp."""
    return ContainerSpec(
        image=facts.id,
        name=name,
        command=command,
        env=env,
        labels=labels,
        user=limits.user,
        network_mode=namespaces,
        pid_mode=namespaces,
        read_only=limits.read_only,
        memory=limits.memory_mb * 1024 * 1024,
        pids=limits.pids,
        nofile=limits.nofile,
        shared_memory=limits.shared_memory,
        drop_capabilities=True,
        no_new_privileges=True,
        mounts=[Mount(name, _TMP), *volumes],
    )


def declared_folders(facts: ImageFacts) -> list[str]:
    """The folders that an image declares as volumes.

    Lambda knows no volumes (IM-02): what an image declares has to be read-only like the rest of it. The engine would
    mount a writable one, so the box mounts its own there, with the image's files copied in.
    """
    return [path for path in facts.volumes if path.rstrip("/") != _TMP]
