"""The smallest program there is: it holds network, /tmp and process numbers while the subject comes and goes.

No image can be taken for granted on a machine without a registry, and no compiler either. So the ELF file is
put together here, some 200 bytes of it, and imported as an image with nothing else in it.
"""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile

from runtimebuilder.engine.docker import Engine
from runtimebuilder.errors import EnvironmentProblemError

PROGRAM = "/pause"
REPOSITORY = "runtimebuilder/pause"
_BASE = 0x400000  # where the file is mapped: the customary address
_HEADERS = 64 + 56  # bytes: the ELF header and one program header
_SIGCHLD = 17
# struct sigaction of the kernel with SIG_IGN: it then reaps by itself the orphans that come to process 1.
_IGNORE = struct.pack("<QQQQ", 1, 0, 0, 0)

_X86_64 = bytes.fromhex(
    "bf11000000"  # mov edi, SIGCHLD
    "488d351c000000"  # lea rsi, [rip+28]: what follows the code
    "31d2"  # xor edx, edx
    "41ba08000000"  # mov r10d, 8
    "b80d000000"  # mov eax, 13: rt_sigaction
    "0f05"  # syscall
    "b822000000"  # mov eax, 34: pause
    "0f05"  # syscall
    "ebf7"  # jmp -9: back to the last mov
    "90909090"  # nop: the data begins at a multiple of 8
)


def _movz(register: int, value: int) -> int:
    return 0xD2800000 | value << 5 | register


def _adr(register: int, offset: int) -> int:
    return 0x10000000 | (offset & 3) << 29 | (offset >> 2) << 5 | register


_SVC = 0xD4000001
_AARCH64 = struct.pack(
    "<14I",
    _movz(0, _SIGCHLD),
    _adr(1, 13 * 4),  # what follows the code: 13 instructions from here
    _movz(2, 0),
    _movz(3, 8),
    _movz(8, 134),  # rt_sigaction
    _SVC,
    _movz(0, 0),
    _movz(1, 0),
    _movz(2, 0),
    _movz(3, 0),
    _movz(4, 8),
    _movz(8, 73),  # ppoll of nothing, for ever
    _SVC,
    0x14000000 | (-7 & 0x3FFFFFF),  # b -7: back to the arguments of ppoll
)
MACHINES = {"amd64": (62, _X86_64), "arm64": (183, _AARCH64)}  # ELF's numbers for the architectures


def pause_program(architecture: str) -> bytes:
    """A static ELF executable that ignores SIGCHLD and sleeps for ever. KeyError for other architectures."""
    machine, code = MACHINES[architecture]
    body = code + _IGNORE
    size = _HEADERS + len(body)
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)  # 64 bit, little endian, version 1
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", ident, 2, machine, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack(
        "<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000
    )  # one, readable and executable
    return header + segment + body


def ensure_pause_image(engine: Engine) -> str:
    """The name of the image, made on the first use of an engine.

    Raises `EnvironmentProblemError` (exit 4) on architectures that Lambda does not have.
    """
    architecture = engine.ping().arch
    if architecture not in MACHINES:
        raise EnvironmentProblemError(
            f"the engine runs on {architecture}; a box can be made on amd64 and arm64",
            hint="point DOCKER_HOST at an engine with an architecture that Lambda has",
        )
    archive = _archive(pause_program(architecture))
    ref = f"{REPOSITORY}:{hashlib.sha256(archive).hexdigest()[:12]}"
    if engine.image(ref) is None:
        engine.import_image(archive, changes=[f'ENTRYPOINT ["{PROGRAM}"]'], ref=ref)
    return ref


def _archive(program: bytes) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        file = tarfile.TarInfo(PROGRAM.lstrip("/"))
        file.size, file.mode = len(program), 0o755
        archive.addfile(file, io.BytesIO(program))
        for name in ("proc", "tmp"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
    return data.getvalue()
