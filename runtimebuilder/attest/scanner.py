"""Running a vulnerability scanner that is on this machine: grype or trivy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping

from runtimebuilder.engine import process
from runtimebuilder.errors import EnvironmentProblemError, SpecError

# Both take an image from the engine; trivy by itself, grype when it is told so.
_COMMANDS: Mapping[str, Callable[[str], list[str]]] = {
    "grype": lambda image: ["grype", f"docker:{image}", "--output", "json", "--quiet"],
    "trivy": lambda image: ["trivy", "image", "--format", "json", "--quiet", "--scanners", "vuln", image],
}
AUTO = "auto"
SCANNERS = (AUTO, *_COMMANDS)
_TIMEOUT = 900.0  # seconds: the first run fetches a database


def scan_image(image: str, wish: str = AUTO) -> tuple[str, str]:
    """The name of the scanner and the JSON that it prints of `image`, an id or a name in the engine.

    Raises `SpecError` (exit 2) for a scanner that is not known, `EnvironmentProblemError` (4) when there is none, or it
    fails.
    """
    if wish not in SCANNERS:
        raise SpecError(f"--scanner {wish!r} is not one of {', '.join(SCANNERS)}")
    wanted = list(_COMMANDS) if wish == AUTO else [wish]
    name = next((one for one in wanted if shutil.which(one)), None)
    if name is None:
        raise EnvironmentProblemError(
            f"there is no {' and no '.join(wanted)} on this machine",
            hint="install one, or give the JSON of one with --input FILE",
        )
    finished = process.run(_COMMANDS[name](image), timeout=_TIMEOUT, errors=False)
    if finished.code != 0:
        raise EnvironmentProblemError(
            f"{name} ended with code {finished.code}",
            hint=f"`{' '.join(_COMMANDS[name](image))}` shows why",
        )
    return name, finished.output
