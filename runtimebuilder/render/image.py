"""A runtime on a base, rendered: RuntimeSpec + BaseSpec -> BuildContext. Pure: same input, same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from runtimebuilder.render.contents import contents_of
from runtimebuilder.render.context import BuildContext, ContextFile
from runtimebuilder.render.environment import TemplateSet
from runtimebuilder.render.mirror import Mirror
from runtimebuilder.spec import php_settings
from runtimebuilder.spec.lock import COMMON, COMPILED, VARIANT, Pins
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec
from runtimebuilder.spec.packages import BuildSet, PackageSet, PhpLayout, builds_for, layout_for, packages_for

LABEL = "dev.runtimebuilder"
CLIENT = "/var/runtime/php"
"""Where the runtime client of PHP lies in an image."""

# An application's own ini files. The leading colon keeps PHP's compiled-in folder, which is read first.
# After what PHP itself reads: layers (Bref's and others'), then the application. What is not there is skipped.
INI_SCAN_DIR = ":/opt/bref/etc/php/conf.d:/opt/php/conf.d:/var/task/php/conf.d"


def base_reference(base: BaseSpec, mirrors: tuple[Mirror, ...] = ()) -> str:
    """What stands behind FROM: the base's image (through a mirror, if one is named), or the image that we make."""
    if base.image is None:
        return f"runtimebuilder/provided:{base.name}" + (f"-{base.architecture}" if base.architecture else "")
    for mirror in mirrors:
        if rewritten := mirror.rewrite(base.image):
            return rewritten
    return base.image


def render_image(
    runtime: RuntimeSpec,
    base: BaseSpec,
    *,
    mirrors: tuple[Mirror, ...] = (),
    templates: TemplateSet | None = None,
    pins: Pins | None = None,
) -> BuildContext:
    """The whole build context of `runtime` on `base`; with `pins` of exactly those packages on exactly that base.

    Raises `SpecError` (exit 2): the base lacks the PHP version or an extension, a template names something
    undefined, or a value cannot be quoted.
    """
    templates = templates or TemplateSet()
    runtime = runtime.on(base.name)
    contents = contents_of(runtime, base, mirrors, pins)
    package_set = packages_for(runtime, base)
    if pins:
        package_set = PackageSet(pins.names(COMMON), pins.names(VARIANT))
    reference = base_reference(base, mirrors)
    values: dict[str, object] = {
        "runtime": runtime,
        "base": base,
        "contents": contents,
        "package_set": package_set,
        "from_image": pins.from_image(reference) if pins else reference,
        "environment": sorted(runtime.env.items()),
        "labels": sorted(_labels(runtime, base).items()),
    }
    files = list(contents.context)
    if runtime.has_php:
        build_set = builds_for(runtime, base)
        if pins and not build_set.is_empty:
            build_set = replace(build_set, packages=pins.names(COMPILED))
        files += _php(runtime, base, build_set, templates, values)
    files.append(
        ContextFile(
            "Dockerfile", 0o644, templates.render(f"{runtime.template}/Dockerfile.j2", values).encode()
        )
    )
    files += rootfs(runtime, templates, values)
    return BuildContext(tuple(files))


def _php(
    runtime: RuntimeSpec,
    base: BaseSpec,
    build_set: BuildSet,
    templates: TemplateSet,
    values: dict[str, object],
) -> list[ContextFile]:
    """PHP's settings, and what compiles it or its extensions; adds to `values` what its templates want."""
    layout = layout_for(runtime, base)
    values["layout"] = layout
    values["build_set"] = build_set
    values["client"] = CLIENT
    values["environment"] = php_environment(runtime)
    values["ini"] = [
        (name, value, runtime.ini_reasons.get(name, ""))
        for name, value in sorted({**php_settings.ini_settings(runtime.php), **runtime.ini}.items())
    ]
    ini = templates.render(_of(runtime, "ini/99-runtimebuilder.ini.j2", templates), values).encode()
    files = [
        ContextFile(f"rootfs{folder}/99-runtimebuilder.ini", 0o644, ini)
        for folder in sorted(layout.ini_directories)
    ]
    if runtime.slim:
        files += [
            ContextFile(f"slim/{file.path}", 0o644, file.data) for file in templates.contents("_shared/slim")
        ]
    if not build_set.is_empty:
        files += _compiled(runtime, templates, build_set, layout)
    return files


def php_environment(runtime: RuntimeSpec) -> list[tuple[str, str]]:
    """The variables of a PHP runtime, sorted by name."""
    said = {"PHP_INI_SCAN_DIR": INI_SCAN_DIR, **php_settings.environment(runtime.php), **runtime.env}
    return sorted(said.items())


def _folders(runtime: RuntimeSpec) -> tuple[str, ...]:
    """Whose files a runtime has: its template's, over those of the PHP family when it is PHP; the last one wins."""
    return ("php", runtime.template) if runtime.has_php and runtime.template != "php" else (runtime.template,)


def _of(runtime: RuntimeSpec, file: str, templates: TemplateSet) -> str:
    """The template for `file`: of the runtime's template, else of the family."""
    return templates.first_of([f"{folder}/{file}" for folder in reversed(_folders(runtime))])


def _compiled(
    runtime: RuntimeSpec, templates: TemplateSet, build_set: BuildSet, layout: PhpLayout
) -> list[ContextFile]:
    """What compiles extensions (`build/`), and the ini file that loads each, in every folder that PHP scans."""
    scripts = {
        file.path: ContextFile(f"build/{file.path}", 0o644, file.data)
        for folder in _folders(runtime)
        for file in templates.contents(f"{folder}/build")
    }
    files = list(scripts.values())
    for module in build_set.modules:
        template = _of(runtime, "ini/60-extension.ini.j2", templates)
        text = templates.render(template, {"extension": module}).encode()
        files += [
            ContextFile(f"rootfs{folder}/60-{module.name}.ini", 0o644, text)
            for folder in sorted(layout.ini_directories)
        ]
    return files


def rootfs(runtime: RuntimeSpec, templates: TemplateSet, values: Mapping[str, object]) -> list[ContextFile]:
    """The template's `rootfs/`: real files, copied as they are; X.j2 is rendered to X.

    Of a file's mode only the executable bit counts.
    """
    found: dict[str, ContextFile] = {}
    for folder in _folders(runtime):
        for file in templates.contents(f"{folder}/rootfs"):
            path = f"rootfs/{file.path.removesuffix('.j2')}"
            data = file.data
            if file.path.endswith(".j2"):
                data = templates.render(f"{folder}/rootfs/{file.path}", values).encode()
            found[path] = ContextFile(path, file.mode, data)
    return list(found.values())


def _labels(runtime: RuntimeSpec, base: BaseSpec) -> dict[str, str]:
    """Labels that the spec alone decides; the builder adds what only it knows (content key, base digest)."""
    return {
        **runtime.labels,
        "org.opencontainers.image.title": runtime.name,
        "org.opencontainers.image.description": runtime.summary,
        "org.opencontainers.image.base.name": base.image or f"runtimebuilder/provided:{base.name}",
        f"{LABEL}.runtime": runtime.name,
        f"{LABEL}.family": runtime.family,
        f"{LABEL}.version": runtime.version,
        f"{LABEL}.variant": runtime.variant,
        f"{LABEL}.base": base.name,
        # For a runtime that is not PHP somebody has to say how it is asked: --probe.
        **({f"{LABEL}.probe": f"{runtime.family}-{runtime.kind}"} if runtime.has_php else {}),
    }
