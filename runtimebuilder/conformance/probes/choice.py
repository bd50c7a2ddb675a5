"""Which probe fits an image: what was asked for, else what its label says, else what the image holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from runtimebuilder.conformance.probes import folder, known
from runtimebuilder.conformance.probes.probe import Probe
from runtimebuilder.engine.docker import ImageFacts
from runtimebuilder.errors import SpecError
from runtimebuilder.sandbox.layer import refuse_without_program

AUTO = "auto"
NONE = "none"

# What tells a language when an image has no label: the first path that is there decides. Bref keeps PHP in
# /opt/bin, AWS's own images keep their language in /var/lang/bin, the language's own images in /usr/local/bin.
_SIGNS = (
    ("/usr/sbin/php-fpm", "php-fpm"),
    ("/opt/bin/php-fpm", "php-fpm"),
    ("/usr/bin/php", "php-function"),
    ("/opt/bin/php", "php-function"),
    ("/var/lang/bin/python3", "python"),
    ("/var/lang/bin/node", "node"),
    ("/usr/local/bin/node", "node"),
    ("/usr/bin/node", "node"),
)


# Where the runtime's program is in images with AWS's entrypoint, in the order in which the service looks for it.
_BOOTSTRAPS = ("/var/runtime/bootstrap", "/var/task/bootstrap", "/opt/bootstrap")
_SHELL = re.compile(rb"#! ?/(usr/)?bin/(env )?(ba|da|a)?sh\b")
_INVOCATIONS = b"/runtime/invocation"
_COMPILED = b"\x7fELF"


def choose_probe(
    wish: str, image: ImageFacts, exists: Callable[[str], bool], head: Callable[[str], bytes]
) -> Probe | None:
    """The probe for `image`, None for the wish `none`.

    `wish` is `auto`, `none`, a probe's name, or a folder that holds a probe of one's own. `exists` tells
    whether a path is in the image, `head` gives the beginning of a file of it, nothing where there is none.
    Raises `SpecError` for an unknown name, and when nothing tells which probe fits.
    """
    if wish == NONE:
        return None
    if wish != AUTO:
        place = Path(wish)
        return folder.read_probe(place) if place.is_dir() else known.probe_named(wish)
    label = image.labels.get(known.PROBE_LABEL)
    if label:
        return known.probe_named(label)
    refuse_without_program(image.tags[0] if image.tags else image.id, image)  # nor can anybody look into it
    for path, name in _SIGNS:
        if exists(path):
            return known.probe_named(name)
    programs = {path: head(path) for path in _BOOTSTRAPS}
    # A script that speaks to the API by itself, and does not start a program that does.
    if any(_SHELL.match(program) and _INVOCATIONS in program for program in programs.values()):
        return known.probe_named("shell")
    compiled = next((path for path, program in programs.items() if program.startswith(_COMPILED)), None)
    names = ", ".join(known.probe_names())
    raise SpecError(
        f"{compiled} is a compiled program: nothing tells which probe fits it"
        if compiled
        else "nothing in the image tells which probe fits it",
        hint=f"give --probe one of {names}, or the folder of a probe of your own, or 'none' to judge "
        f"the image alone; or say it in the spec (verify: {{probe: NAME}}), or label the image "
        f"{known.PROBE_LABEL}=NAME",
    )
