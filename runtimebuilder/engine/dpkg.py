"""Which packages of Debian's are in an image, by dpkg's status; slim images have a file of it for each package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runtimebuilder.engine.containers import Container

_STATUS = "/var/lib/dpkg/status"


def status_of(container: Container) -> str | None:
    """The status of all packages as one text; None where the image has none."""
    for path in (_STATUS, f"{_STATUS}.d"):
        if container.get_archive(path, limit=1) is not None:
            found = [
                data.decode("utf-8", "replace").strip()
                for entry, data in container.contents(path, lambda _: True)
                # A distroless image has the sums of a package's files beside it.
                if entry.isreg() and not entry.name.endswith(".md5sums")
            ]
            return "\n\n".join(found)
    return None


def installed(status: str) -> Iterator[Mapping[str, str]]:
    """The fields of each package that is installed, in the order of the text."""
    for paragraph in status.split("\n\n"):
        fields = dict(
            line.split(": ", 1)
            for line in paragraph.splitlines()
            if ": " in line and not line.startswith(" ")
        )
        if fields.get("Status", "").endswith(" installed"):
            yield fields
