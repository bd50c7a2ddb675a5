"""A stand-in for public.ecr.aws/lambda/provided:al2023, for machines that reach no image registry.

It is a Debian 12 root file system with real dnf and a local RPM repository that holds Debian's PHP 8.2
under Amazon Linux's package names, module split and places. What is built on it proves the rendered
Dockerfile, the layout and the runtime. It does not prove Amazon's packages: their dependencies, versions
and patches are not here, and sodium, zlib and pcntl are compiled into Debian's php, so that leaving their
packages out goes unnoticed.

The root file system is made by mmdebstrap from the Debian mirror that this machine's apt is set up for;
about 40 s once a day, then taken from a cache that may be missing, unwritable or deleted at any time.
"""

import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import docker
from docker.errors import ImageNotFound

from tests.integration.al2023.workshop.plan import Plan

REAL_NAME = "public.ecr.aws/lambda/provided:al2023"
LABEL = "dev.runtimebuilder.stand-in"

_HERE = Path(__file__).parent
_INPUTS = ("packages.toml", "rootfs", "rpmfiles", "standin.py", "workshop")
_SUITE = "bookworm"
_WORKSHOP_PACKAGES = (
    "usr-is-merged",
    "ca-certificates",
    "createrepo-c",
    "curl",
    "dnf",
    "gawk",
    "rpm",
    "tzdata",
)
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")

# As provided:al2023 has them.
ENVIRONMENT = {
    "LANG": "en_US.UTF-8",
    "TZ": ":/etc/localtime",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": (
        "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
    ),
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}
WORKDIR = "/var/task"
ENTRYPOINT = ("/lambda-entrypoint.sh",)


class StandInError(Exception):
    """The stand-in could not be made; the message says what is missing or what the tool said."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """The image in the engine, under a name of its own."""

    name: str
    image_id: str


@contextmanager
def stand_in(client: docker.DockerClient) -> Iterator[StandIn]:
    """Make the image in the engine under a name that nobody else uses, and take that name away afterwards.

    StandInError when mmdebstrap is not installed or fails, or when the engine refuses the import.
    """
    with _root_tar() as tar:
        image = _import(client, tar)
    try:
        yield image
    finally:
        with suppress(ImageNotFound):
            client.images.remove(image.name, force=True)


@contextmanager
def under_name(client: docker.DockerClient, image: StandIn, name: str = REAL_NAME) -> Iterator[str]:
    """Tag the stand-in as `name`, so that FROM finds it without a registry.

    Afterwards the name is gone again, or stands for the image it stood for before.
    """
    try:
        before: str | None = str(client.images.get(name).id)
    except ImageNotFound:
        before = None
    repository, _, tag = name.rpartition(":")
    client.images.get(image.image_id).tag(repository, tag)
    try:
        yield name
    finally:
        if before is None:
            with suppress(ImageNotFound):
                client.images.remove(name, force=True)
        else:
            client.images.get(before).tag(repository, tag)


@contextmanager
def _root_tar() -> Iterator[Path]:
    key = _key()
    with tempfile.TemporaryDirectory(prefix="al2023-stand-in-") as scratch:
        folder = _cache_folder() or Path(scratch)
        cached = folder / f"{key}.tar"
        if not cached.is_file():
            made = Path(scratch) / "stand-in.tar"
            _bootstrap(made)
            with suppress(OSError):  # no room in the cache, or no permission: this run has what it needs
                _replace(folder, cached, made)
            cached = cached if cached.is_file() else made
        yield cached


def _replace(folder: Path, cached: Path, made: Path) -> None:
    """Put `made` into the cache in one step, and take yesterday's out."""
    if made.parent == folder:
        made.rename(cached)
        return
    beside = folder / f".{cached.name}.{os.getpid()}"
    try:
        shutil.copyfile(made, beside)
        beside.replace(cached)
    finally:
        beside.unlink(missing_ok=True)
    for old in sorted(folder.glob("*.tar")):
        if old != cached:
            old.unlink(missing_ok=True)


def _cache_folder() -> Path | None:
    folder = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        / "runtimebuilder-tests"
        / "al2023-stand-in"
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _key() -> str:
    """Name the inputs: our files, the architecture, and the day for whatever Debian publishes."""
    digest = hashlib.sha256()
    digest.update(f"{platform.machine()} {datetime.now(UTC).date().isoformat()}\n".encode())
    for top in _INPUTS:
        for path in sorted([_HERE / top, *(_HERE / top).rglob("*")]):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(_HERE)} {path.stat().st_mode:o}\n".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _bootstrap(target: Path) -> None:
    """Make Debian 12 with dnf and rpm, and in it the stand-in's root file system as `target`."""
    program = shutil.which("mmdebstrap")
    if program is None:
        raise StandInError(
            "mmdebstrap is not installed: the stand-in is made with it (Debian package mmdebstrap)"
        )
    wanted = shlex.join(Plan.load(_HERE / "packages.toml").wanted_debs())
    download = "--yes --download-only --no-install-recommends"
    inputs = shlex.join(str(_HERE / name) for name in _INPUTS if name != "standin.py")
    hooks = (
        f"copy-in {inputs} /srv",
        # apt as mmdebstrap itself uses it here: this machine's network and mirror, the new root's packages.
        f'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get {download} install {wanted}',
        'chroot "$1" sh -c "cd /srv && exec python3 -B -m workshop.make"',
        f"download /srv/stand-in.tar {shlex.quote(str(target))}",
    )
    command = [
        program,
        "--variant=minbase",
        "--format=null",
        "--skip=cleanup",
        f"--include={','.join(_WORKSHOP_PACKAGES)}",
        '--aptopt=Apt::Install-Recommends "false"',
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT),
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        *(f"--customize-hook={hook}" for hook in hooks),
        _SUITE,
        "/dev/null",
        *_mirror(),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode or not target.is_file():
        tail = "\n".join(done.stdout.splitlines()[-25:])
        raise StandInError(f"mmdebstrap could not make the stand-in (exit code {done.returncode}):\n{tail}")


def _mirror() -> tuple[str, ...]:
    """Return the mirror to name to mmdebstrap: none where it finds one itself.

    It looks for the suite in this machine's apt configuration; on a later Debian the suite is not there,
    but the mirror is.
    """
    form = "$(ORIGIN)\t$(CODENAME)\t$(REPO_URI)"
    try:
        done = subprocess.run(
            ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ()
    rows = [
        row for line in done.stdout.splitlines() if len(row := line.split("\t")) == 3 and row[0] == "Debian"
    ]
    if not rows or any(row[1] == _SUITE for row in rows):
        return ()
    main = [row[2] for row in rows if "-" not in row[1]]
    return (main[0],) if main else ()


def _import(client: docker.DockerClient, tar: Path) -> StandIn:
    repository, tag = "runtimebuilder.test/al2023-stand-in", uuid.uuid4().hex[:12]
    changes = [
        *(f"ENV {name}={value}" for name, value in ENVIRONMENT.items()),
        f"WORKDIR {WORKDIR}",
        f"ENTRYPOINT {json.dumps(ENTRYPOINT)}",
        f"LABEL {LABEL}=al2023",
    ]
    answer = client.api.import_image(str(tar), repository=repository, tag=tag, changes=changes)
    for event in map(json.loads, answer.splitlines()):
        if "error" in event:
            raise StandInError(f"the engine refused the stand-in's root file system: {event['error']}")
    name = f"{repository}:{tag}"
    return StandIn(name, str(client.images.get(name).id))
