"""A spec's `php:` block: what the PHP runtime client does, and which variant can do it.

The client reads environment variables; the block becomes the image's ENV, and the function's own configuration
overrides that. What is not set here is not set there: the client knows its defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StrictBool, WithJsonSchema

TASK_ROOT = "/var/task"

_FILE = re.compile(r"[A-Za-z0-9_.@+-]+(?:/[A-Za-z0-9_.@+-]+)*\Z")


def _below_task_root(text: str) -> str:
    """A path below the task root, written relative to it; `/var/task/` before it is taken off."""
    relative = text.removeprefix(f"{TASK_ROOT}/")
    if not _FILE.match(relative) or {"..", "."} & set(relative.split("/")):
        raise ValueError(
            f"{text!r} is not a path below {TASK_ROOT}; write it relative to that, of letters, digits, _ . @ + -"
        )
    return relative


_path_schema = WithJsonSchema({"type": "string", "pattern": f"^(?:{TASK_ROOT}/)?[A-Za-z0-9_.@+/-]+$"})
TaskPath = Annotated[str, AfterValidator(_below_task_root), _path_schema]


class PhpSettings(BaseModel):
    """The block. None: not said. Paths are relative to the task root (/var/task)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: Literal["shared", "fork", "process"] | None = None
    streaming: StrictBool | None = None
    binary: Literal["auto", "always"] | None = None
    static: TaskPath | None = None
    autoload: TaskPath | None = None
    shell: StrictBool | None = None
    preload: TaskPath | None = None

    def said(self) -> dict[str, str | bool]:
        """What was said, by key, in the order of the grammar."""
        return {name: value for name, value in self if value is not None}


@dataclass(frozen=True)
class _Setting:
    """`variable`: None for what PHP's own settings do. `variants`: who can do it, with the words it takes there."""

    variable: str | None
    variants: Mapping[str, tuple[str, ...] | None]  # None: every value


_SETTINGS: Mapping[str, _Setting] = {
    "state": _Setting(
        "RUNTIMEBUILDER_STATE",
        {"function": ("shared", "fork", "process"), "console": ("process", "fork")},
    ),
    "streaming": _Setting("RUNTIMEBUILDER_STREAMING", {"function": None, "fpm": None}),
    "binary": _Setting("RUNTIMEBUILDER_BINARY", {"fpm": None}),
    "static": _Setting("RUNTIMEBUILDER_STATIC", {"fpm": None}),
    "autoload": _Setting("RUNTIMEBUILDER_AUTOLOAD", {"function": None, "console": None}),
    "shell": _Setting("RUNTIMEBUILDER_SHELL", {"console": None}),
    # Console commands run with opcache.file_cache_only, in which PHP does not preload.
    "preload": _Setting(None, {"function": None, "fpm": None}),
}
# Variable -> key: a spec's `env:` shall not say what `php:` says, unchecked.
KEY_OF_VARIABLE: Mapping[str, str] = {
    setting.variable: key for key, setting in _SETTINGS.items() if setting.variable
}


def setting_problem(key: str, value: str | bool, kind: str) -> str | None:  # noqa: FBT001 -- the value said
    """Why `php: {key: value}` makes no sense for a runtime of this kind (function, fpm, console); None when it does."""
    variants = _SETTINGS[key].variants
    if kind not in variants:
        names = " and ".join(sorted(variants))
        return f"php: {key} is for {names}, not for {kind}; say it under the variant that it is meant for"
    words = variants[kind]
    if words is None or value in words:
        return None
    return f"php: {key}: {value!r} is not possible for {kind}; possible is {', '.join(words)}"


def environment(settings: PhpSettings) -> dict[str, str]:
    """The block as the environment variables that the client reads."""
    result = {}
    for key, value in settings.said().items():
        variable = _SETTINGS[key].variable
        if variable:
            result[variable] = ("on" if value else "off") if isinstance(value, bool) else value
    return dict(sorted(result.items()))


def ini_settings(settings: PhpSettings) -> dict[str, str]:
    """The block as PHP's own settings. Preloading reads its file when PHP starts: it has to be in the final image."""
    if settings.preload is None:
        return {}
    # Of use where PHP runs as root (`docker run`): PHP-FPM does not preload as root. Ignored on Lambda.
    return {"opcache.preload": f"{TASK_ROOT}/{settings.preload}", "opcache.preload_user": "nobody"}
