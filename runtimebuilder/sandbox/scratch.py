"""The volume behind /tmp: of a stated size, empty for each box, kept while the box's process is restarted.

Pages of a tmpfs count against the memory of the container that writes them: 200 MB in /tmp would kill a
function of 128 MB, which on Lambda they do not, where /tmp is a disk. So it is a small ext4 file system on a
loop device where we may make one, and a tmpfs elsewhere.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from runtimebuilder.engine.docker import Engine
from runtimebuilder.engine.resources import create_volume

_LOOP_CTL_GET_FREE = 0x4C82
_LOOP_CONFIGURE = 0x4C0A  # Linux 5.8
_AUTOCLEAR = 4
_TRIES = 20  # somebody else may take the free device that the kernel named
_INODES = 16384
_INODE_TABLE_MB = 5  # 256 bytes each, and the bitmaps
_RESERVED = 0.02  # ext4 keeps this share back for itself, whatever -m says


class Scratch:
    """A volume for /tmp. `kind` is "ext4" or "tmpfs"."""

    def __init__(self, name: str, kind: str, loop: int | None) -> None:
        self.name = name
        self.kind = kind
        self._loop = loop

    def mounted(self) -> None:
        """A container has it mounted: from now on it lives as long as the mount does, and leaves nothing."""
        if self._loop is not None:
            os.close(self._loop)
            self._loop = None


def make_scratch(
    engine: Engine, name: str, *, size_mb: int, labels: Mapping[str, str], on_disk: bool
) -> Scratch:
    """Create the volume, writable for everybody as /tmp is. `on_disk`: as ext4 where this machine lets us."""
    loop = _loop_device(size_mb) if on_disk else None
    if loop is None:
        options = {"type": "tmpfs", "device": "tmpfs", "o": f"size={size_mb}m,mode=1777,nosuid,nodev"}
        return Scratch(create_volume(engine, name, options=options, labels=labels), "tmpfs", None)
    number, device = loop
    try:
        options = {"type": "ext4", "device": f"/dev/loop{number}", "o": "nosuid,nodev,noatime"}
        create_volume(engine, name, options=options, labels=labels)
    except BaseException:
        os.close(device)
        raise
    return Scratch(name, "ext4", device)


def _loop_device(size_mb: int) -> tuple[int, int] | None:
    """Number and open descriptor of a loop device with an empty file system; None when that is not possible.

    The device frees itself with its last user, the backing file has no name: nothing can stay behind.
    """
    try:
        file = _file_system(size_mb)
    except (OSError, subprocess.CalledProcessError):
        return None
    try:
        for _ in range(_TRIES):
            try:
                return _attach(file)
            except BlockingIOError:
                continue
    except OSError:
        return None
    finally:
        os.close(file)
    return None


def _file_system(size_mb: int) -> int:
    """A file descriptor of a nameless file that holds an empty ext4 file system with the rights of /tmp."""
    with tempfile.NamedTemporaryFile(prefix="runtimebuilder-tmp-") as file:
        file.truncate(int((size_mb + _INODE_TABLE_MB) / (1 - _RESERVED) + 1) * 1024 * 1024)
        options = "root_owner=0:0,lazy_itable_init=1,nodiscard"
        make = ["mkfs.ext4", "-q", "-F", "-O", "^has_journal,^resize_inode", "-m", "0", "-b", "4096"]
        subprocess.run(
            [*make, "-N", str(_INODES), "-E", options, file.name], check=True, capture_output=True, env=_PATH
        )
        rights = b"set_inode_field / mode 041777\nrmdir lost+found\n"
        edit = ["debugfs", "-w", "-f", "/dev/stdin", file.name]
        subprocess.run(edit, input=rights, check=True, capture_output=True, env=_PATH)
        return os.open(file.name, os.O_RDWR | os.O_CLOEXEC)


# Where distributions keep these two, which is not in everybody's PATH.
_PATH = {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL": "C"}


def _attach(file: int) -> tuple[int, int]:
    with Path("/dev/loop-control").open("rb") as control:
        number = fcntl.ioctl(control, _LOOP_CTL_GET_FREE)
    device = os.open(f"/dev/loop{number}", os.O_RDWR | os.O_CLOEXEC)
    # struct loop_config: descriptor, block size, struct loop_info64 (all 0 but the flags), reserved.
    info = struct.pack("<5Q4I64s64s32s2Q", 0, 0, 0, 0, 0, 0, 0, 0, _AUTOCLEAR, b"", b"", b"", 0, 0)
    try:
        fcntl.ioctl(device, _LOOP_CONFIGURE, struct.pack("<II", file, 0) + info + bytes(64))
    except BaseException as error:
        os.close(device)
        if isinstance(error, OSError) and error.errno == errno.EBUSY:
            raise BlockingIOError(*error.args) from error
        raise
    return number, device
