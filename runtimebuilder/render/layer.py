"""The files of a Lambda layer that are rendered: bootstrap, runtime client, what starts PHP with its own C library.

A layer is unpacked to /opt of Lambda's OS-only runtime. What of the image goes into it: build/layer_zip.py.
"""

from __future__ import annotations

from dataclasses import replace

from runtimebuilder.render.context import ContextFile
from runtimebuilder.render.environment import TemplateSet
from runtimebuilder.render.image import php_environment, rootfs
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec
from runtimebuilder.spec.packages import PhpLayout

_TOP = "php/layer"
_LAYOUT = PhpLayout("/opt/php/bin/php", "/opt/php/bin/php-fpm", ("/opt/php/ini",))
# Where the files of an image's root go, below /opt.
_MOVED = (
    ("rootfs/var/runtime/", "runtime/"),
    ("rootfs/opt/", ""),
)


def render_layer(
    runtime: RuntimeSpec, base: BaseSpec, *, loader: str, templates: TemplateSet | None = None
) -> tuple[ContextFile, ...]:
    """Files below /opt for a PHP runtime on `base`, sorted; `loader`: the file name of the C library's loader.

    Raises `SpecError` (exit 2) for a template that cannot be rendered.
    """
    templates = templates or TemplateSet()
    runtime = runtime.on(base.name)
    values: dict[str, object] = {
        "runtime": runtime,
        "base": base,
        "layout": _LAYOUT,
        "client": "/opt/runtime/php",
        "loader": loader,
        "environment": php_environment(runtime),
    }
    found: dict[str, ContextFile] = {}
    for file in rootfs(runtime, templates, values):
        for before, after in _MOVED:
            if file.path.startswith(before):
                path = after + file.path.removeprefix(before)
                found[path] = replace(file, path=path)
    for each in templates.contents(_TOP):
        if each.path.startswith("_"):  # a part of others
            continue
        data = each.data
        if each.path.endswith(".j2"):
            data = templates.render(f"{_TOP}/{each.path}", values).encode()
        path = each.path.removesuffix(".j2")
        found[path] = ContextFile(path, each.mode, data)
    return tuple(sorted(found.values()))
