"""Making a `provided`-compatible base from Debian's packages, where no base image can be pulled.

mmdebstrap makes the root file system; the folders, the entrypoint and the environment of AWS's image are put on
top (`templates/bases/_provided/rootfs`), and the engine imports the whole as one layer.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from runtimebuilder import shipped
from runtimebuilder.engine import process
from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.emulation import check_can_run
from runtimebuilder.engine.single_layer import single_layer_image
from runtimebuilder.errors import EnvironmentProblemError
from runtimebuilder.render.context import FILE_TIME
from runtimebuilder.spec.model import BaseSpec, DebianBase

KEY_LABEL = "dev.runtimebuilder.base-key"
# Raise it when the making below changes in a way that its inputs do not show.
RECIPE = 1
FOLDERS = ("opt", "var/lang", "var/lang/bin", "var/runtime", "var/task")
_EXCLUDED = (
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
    "/usr/share/lintian/*",
)
_INCLUDED = ("/usr/share/doc/*/copyright",)
# Debian's names of architectures, by those of the kernel.
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_INSTALL = "apt-get install mmdebstrap debian-archive-keyring"


def base_key(base: BaseSpec) -> str:
    """A hash of all that goes into the base but the package versions: equal key, nothing to make again."""
    # What `php` and `slim` say is for the runtimes on top.
    said = base.model_dump(mode="json", exclude={"php", "slim"})
    total = hashlib.sha256(json.dumps([RECIPE, said], sort_keys=True).encode())
    for name, mode, data in _overlay():
        total.update(f"{name}\0{mode:o}\0".encode() + data)
    return total.hexdigest()


def make_base(engine: Engine, base: BaseSpec, make: DebianBase, tag: str, say: Callable[[str], None]) -> str:
    """Make the base, tag it and return the image's id.

    Raises `EnvironmentProblemError` (exit 4): mmdebstrap missing, not root, its mirror unreachable, or no room.
    """
    program = shutil.which("mmdebstrap")
    if program is None:
        raise EnvironmentProblemError(
            f"base {base.name} is made here with mmdebstrap, which is missing", hint=_INSTALL
        )
    if os.geteuid() != 0:
        raise EnvironmentProblemError(
            f"base {base.name} is made here with mmdebstrap, which needs root",
            hint="run the command with sudo",
        )
    wanted = _checked_architecture(engine, base)
    duration = "some minutes, emulated" if wanted else "half a minute"
    say(
        f"making base {base.name} from Debian's packages ({make.suite}{f', {wanted}' if wanted else ''}); about "
        f"{duration}, once"
    )
    with tempfile.TemporaryDirectory(prefix="runtimebuilder-base-") as folder:
        root = Path(folder) / "root.tar"
        done = process.run(
            [program, *_options(make, wanted), make.suite, str(root), *_mirrors(make.suite)],
            env=_environment(),
        )
        if done.code != 0:
            tail = "\n".join(f"  {line}" for line in done.output.splitlines()[-15:])
            full = "No space left on device" in done.output
            raise EnvironmentProblemError(
                f"mmdebstrap could not make base {base.name}" + (": the disk is full" if full else ""),
                hint="free some room"
                if full
                else "is a Debian mirror reachable from here, and is mmdebstrap 1.3 or newer?",
                detail=tail,
            )
        with tarfile.open(root, "a") as archive:
            there = set(archive.getnames())
            for entry, data in _entries():
                # The engine refuses an archive in which a path stands twice.
                if entry.name not in there:
                    archive.addfile(entry, io.BytesIO(data))
        if base.architecture is None:
            image = engine.import_image(root, changes=_changes(base))
        else:
            # Engines up to 20.10 take an import for their own architecture, whatever `--platform` says.
            image = engine.load(single_layer_image(root, base.architecture, _configuration(base)))
    engine.tag(image, tag)
    return image


def _checked_architecture(engine: Engine, base: BaseSpec) -> str | None:
    """Debian's name of the base's architecture when it is not this machine's, and can be made here all the same."""
    wanted = base.architecture or engine.ping().arch
    if wanted == _MACHINES.get(platform.machine(), wanted):
        return None
    check_can_run(engine, f"linux/{wanted}")  # packages run their scripts when they are set up
    if shutil.which("arch-test") is None:  # mmdebstrap asks it
        raise EnvironmentProblemError(
            f"base {base.name} for {wanted} is made here with arch-test, which is missing",
            hint="apt-get install arch-test",
        )
    return wanted


def _options(make: DebianBase, architecture: str | None) -> list[str]:
    options = ["--variant=minbase", "--format=tar", f"--include={','.join(make.packages)}"]
    if architecture is not None:
        options.append(f"--architectures={architecture}")
    options += [f"--dpkgopt=path-exclude={pattern}" for pattern in _EXCLUDED]
    options += [f"--dpkgopt=path-include={pattern}" for pattern in _INCLUDED]
    hooks = Path("/usr/share/mmdebstrap/hooks/maybe-merged-usr")
    if hooks.is_dir():
        options.append(f"--hook-dir={hooks}")
    # AWS's image has LANG=en_US.UTF-8. glibc ships C.UTF-8 alone; under the other name it serves as well.
    options.append('--customize-hook=cp -a "$1/usr/lib/locale/C.utf8" "$1/usr/lib/locale/en_US.utf8"')
    # What would differ between two runs over the same packages, and what only a booted machine needs.
    leftovers = (
        "etc/machine-id var/cache/ldconfig/aux-cache var/log/alternatives.log var/log/apt var/log/dpkg.log"
    )
    options.append('--customize-hook=cd "$1" && rm -rf ' + leftovers + " var/log/bootstrap.log etc/hostname")
    return options


def _mirrors(suite: str) -> list[str]:
    """apt lines for `suite` from this machine's own mirrors, when it is a Debian; none: mmdebstrap's own choice."""
    apt = shutil.which("apt-get")
    if apt is None:
        return []
    asked = subprocess.run(
        [apt, "indextargets", "--format", "$(SITE)|$(ORIGIN)|$(LABEL)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    )
    rows = sorted({tuple(line.split("|")) for line in asked.stdout.splitlines() if line.count("|") == 2})
    main = [site for site, origin, label in rows if (origin, label) == ("Debian", "Debian")]
    security = [site for site, origin, label in rows if (origin, label) == ("Debian", "Debian-Security")]
    if not main or not security:
        return []
    return [
        f"deb {main[0]} {suite} main",
        f"deb {main[0]} {suite}-updates main",
        f"deb {security[0]} {suite}-security main",
    ]


def _environment() -> dict[str, str]:
    # Times in the archive are clamped to this: the same packages give the same bytes.
    return {**os.environ, "SOURCE_DATE_EPOCH": str(FILE_TIME), "LC_ALL": "C.UTF-8"}


def _overlay() -> list[tuple[str, int, bytes]]:
    top = shipped.directory("templates") / "bases" / "_provided" / "rootfs"
    files = sorted(file for file in top.rglob("*") if file.is_file())
    return [
        (file.relative_to(top).as_posix(), 0o755 if file.stat().st_mode & 0o100 else 0o644, file.read_bytes())
        for file in files
    ]


def _entries() -> list[tuple[tarfile.TarInfo, bytes]]:
    entries = []
    for folder in FOLDERS:
        entry = tarfile.TarInfo(f"./{folder}")
        entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, FILE_TIME
        entries.append((entry, b""))
    for name, mode, data in _overlay():
        entry = tarfile.TarInfo(f"./{name}")
        entry.mode, entry.mtime, entry.size = mode, FILE_TIME, len(data)
        entries.append((entry, data))
    return entries


def _labels(base: BaseSpec) -> dict[str, str]:
    return {
        KEY_LABEL: base_key(base),
        "dev.runtimebuilder.base": base.name,
        "org.opencontainers.image.title": f"provided-compatible base {base.name}",
    }


def _configuration(base: BaseSpec) -> dict[str, object]:
    """What `_changes` says, as the configuration of an image."""
    return {
        "Env": [f"{name}={value}" for name, value in base.env.items()],
        "Labels": _labels(base),
        "WorkingDir": "/var/task",
        "Entrypoint": ["/lambda-entrypoint.sh"],
    }


def _changes(base: BaseSpec) -> Sequence[str]:
    """`docker import --change` lines: the configuration of provided:al2023, and the labels that say what this is."""
    labels = _labels(base)
    return [
        *(f"ENV {name}={json.dumps(value)}" for name, value in base.env.items()),
        *(f"LABEL {name}={json.dumps(value)}" for name, value in labels.items()),
        "WORKDIR /var/task",
        'ENTRYPOINT ["/lambda-entrypoint.sh"]',
    ]
