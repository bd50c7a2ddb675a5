"""Which platforms an engine can run programs for: its own, and those that its kernel emulates.

Nothing is assumed: a program of the platform is run. Emulation is the kernel's affair (binfmt_misc), not the engine's,
so no question to the engine answers it, and the engine may be on another machine.
"""

from __future__ import annotations

import io
import struct
import tarfile

from runtimebuilder.engine.containers import ContainerSpec, create_container
from runtimebuilder.engine.docker import Engine, EngineError
from runtimebuilder.errors import EnvironmentProblemError

PLATFORMS = ("linux/amd64", "linux/arm64")
"""What Lambda has."""

_PROGRAM = "/emulated"
_BASE = 0x400000
_HEADERS = 64 + 56  # bytes: the ELF header and one program header
_STATUS = 42
# exit(42), by architecture: ELF's number for it, and the code.
_MACHINES = {
    "amd64": (62, bytes.fromhex("bf2a000000b83c0000000f05")),  # mov edi, 42; mov eax, 60; syscall
    "arm64": (183, struct.pack("<3I", 0xD2800540, 0xD2800BA8, 0xD4000001)),  # mov x0, 42; mov x8, 93; svc 0
}
_TIMEOUT = 30.0


def can_run(engine: Engine, platform: str) -> bool:
    """Whether programs for `platform` (one of `PLATFORMS`) run on `engine`. KeyError for another one."""
    return platform == engine.ping().platform or runs_program(engine, platform.removeprefix("linux/"))


def runs_program(engine: Engine, architecture: str) -> bool:
    """Whether a program for `architecture` ("amd64" or "arm64") really runs on `engine`: one is run."""
    image = engine.import_image(_archive(_program(architecture)), changes=[f'ENTRYPOINT ["{_PROGRAM}"]'])
    container = create_container(engine, ContainerSpec(image=image, entrypoint=[_PROGRAM]))
    try:
        container.start()
        return container.wait(_TIMEOUT) == _STATUS
    except EngineError:  # "exec format error": newer engines see it when they start the program
        return False
    finally:
        container.remove()
        engine.remove_image(image, force=True)


def runnable(engine: Engine) -> tuple[str, ...]:
    """Those of `PLATFORMS` that `engine` can run, its own first."""
    own = engine.ping().platform
    return tuple(one for one in sorted(PLATFORMS, key=lambda one: one != own) if can_run(engine, one))


def check_can_run(engine: Engine, platform: str) -> None:
    """Raise `EnvironmentProblemError` (exit 4) when programs for `platform` do not run on `engine`."""
    if can_run(engine, platform):
        return
    raise EnvironmentProblemError(
        f"a build for {platform} runs programs of it, and this engine ({engine.ping().platform}) cannot run them",
        hint="emulation is the kernel's affair: `apt-get install qemu-user-static binfmt-support` on its machine; "
        "or build on a machine of that platform: DOCKER_HOST, or --builder (docs/platforms.md)",
    )


def _program(architecture: str) -> bytes:
    """A static ELF executable that ends with the status 42."""
    machine, code = _MACHINES[architecture]
    size = _HEADERS + len(code)
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)  # 64 bit, little endian, version 1
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", ident, 2, machine, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)  # readable and executable
    return header + segment + code


def _archive(program: bytes) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        file = tarfile.TarInfo(_PROGRAM.lstrip("/"))
        file.size, file.mode = len(program), 0o755
        archive.addfile(file, io.BytesIO(program))
    return data.getvalue()
