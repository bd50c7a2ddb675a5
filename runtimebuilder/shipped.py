"""Where the files that the tool ships lie: `templates/` and `runtimes/`.

In a wheel they are inside the package; in a checkout (an editable install) they stand beside it.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def directory(name: str) -> Path:
    """The folder `templates` or `runtimes` as shipped; raises `FileNotFoundError` when the installation is broken."""
    for candidate in (_PACKAGE / "_shipped" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the shipped folder {name!r} is missing; reinstall runtimebuilder")
