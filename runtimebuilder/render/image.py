"""A runtime on a base, rendered: RuntimeSpec + BaseSpec -> BuildContext. Pure: same input, same bytes."""

from __future__ import annotations

from pathlib import Path

from runtimebuilder.render.contents import contents_of
from runtimebuilder.render.context import BuildContext, ContextFile
from runtimebuilder.render.environment import TemplateSet
from runtimebuilder.render.mirror import Mirror
from runtimebuilder.spec import php_settings
from runtimebuilder.spec.model import BaseSpec, RuntimeSpec
from runtimebuilder.spec.packages import BuildSet, PhpLayout, builds_for, layout_for, packages_for

LABEL = "dev.runtimebuilder"
# An application's own ini files. The leading colon keeps PHP's compiled-in folder, which is read first.
# After what PHP itself reads: layers (Bref's and others'), then the application. What is not there is skipped.
_INI_SCAN_DIR = ":/opt/bref/etc/php/conf.d:/opt/php/conf.d:/var/task/php/conf.d"


def base_reference(base: BaseSpec, mirrors: tuple[Mirror, ...] = ()) -> str:
    """What stands behind FROM: the base's image (through a mirror, if one is named), or the image that we make."""
    if base.image is None:
        return f"runtimebuilder/provided:{base.name}"
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
) -> BuildContext:
    """The whole build context of `runtime` on `base`.

    Raises `SpecError` (exit 2): the base lacks the PHP version or an extension, a template names something
    undefined, or a value cannot be quoted.
    """
    templates = templates or TemplateSet()
    runtime = runtime.on(base.name)
    contents = contents_of(runtime, base, mirrors)
    values: dict[str, object] = {
        "runtime": runtime,
        "base": base,
        "contents": contents,
        "package_set": packages_for(runtime, base),
        "from_image": base_reference(base, mirrors),
        "environment": sorted(runtime.env.items()),
        "labels": sorted(_labels(runtime, base).items()),
    }
    files = list(contents.context)
    if runtime.has_php:
        files += _php(runtime, base, templates, values)
    files.append(
        ContextFile(
            "Dockerfile", 0o644, templates.render(f"{runtime.template}/Dockerfile.j2", values).encode()
        )
    )
    files += _rootfs(runtime.template, templates, values)
    return BuildContext(tuple(files))


def _php(
    runtime: RuntimeSpec, base: BaseSpec, templates: TemplateSet, values: dict[str, object]
) -> list[ContextFile]:
    """PHP's settings, and what compiles it or its extensions; adds to `values` what its templates want."""
    layout = layout_for(runtime, base)
    build_set = builds_for(runtime, base)
    values["layout"] = layout
    values["build_set"] = build_set
    values["environment"] = sorted(
        {
            "PHP_INI_SCAN_DIR": _INI_SCAN_DIR,
            **php_settings.environment(runtime.php),
            **runtime.env,
        }.items()
    )
    values["ini"] = [
        (name, value, runtime.ini_reasons.get(name, ""))
        for name, value in sorted({**php_settings.ini_settings(runtime.php), **runtime.ini}.items())
    ]
    ini = templates.render(f"{runtime.template}/ini/99-runtimebuilder.ini.j2", values).encode()
    files = [
        ContextFile(f"rootfs{folder}/99-runtimebuilder.ini", 0o644, ini)
        for folder in sorted(layout.ini_directories)
    ]
    if not build_set.is_empty:
        files += _compiled(runtime.template, templates, build_set, layout)
    return files


def _compiled(
    template: str, templates: TemplateSet, build_set: BuildSet, layout: PhpLayout
) -> list[ContextFile]:
    """What compiles extensions (`build/`), and the ini file that loads each, in every folder that PHP scans."""
    files = [
        ContextFile(f"build/{relative}", 0o644, Path(file).read_bytes())
        for relative, file in templates.files(f"{template}/build").items()
    ]
    for module in build_set.modules:
        text = templates.render(f"{template}/ini/60-extension.ini.j2", {"extension": module}).encode()
        files += [
            ContextFile(f"rootfs{folder}/60-{module.name}.ini", 0o644, text)
            for folder in sorted(layout.ini_directories)
        ]
    return files


def _rootfs(template: str, templates: TemplateSet, values: dict[str, object]) -> list[ContextFile]:
    """The family's `rootfs/`: real files, copied as they are; X.j2 is rendered to X. Only the executable bit counts."""
    files = []
    for relative, file in templates.files(f"{template}/rootfs").items():
        mode = 0o755 if file.stat().st_mode & 0o100 else 0o644
        if relative.endswith(".j2"):
            text = templates.render(f"{template}/rootfs/{relative}", values)
            files.append(ContextFile(f"rootfs/{relative.removesuffix('.j2')}", mode, text.encode()))
        else:
            files.append(ContextFile(f"rootfs/{relative}", mode, Path(file).read_bytes()))
    return files


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
