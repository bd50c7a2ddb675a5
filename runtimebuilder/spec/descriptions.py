"""What each key of a spec is, in a sentence: for the page docs/specs.md, and for editors, through the JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from runtimebuilder.spec.contents import (
    Artefact,
    BuildStage,
    FileEntry,
    LayerEntry,
    LimitSettings,
    VerifySettings,
)
from runtimebuilder.spec.model import ExtensionBuild, PhpSource
from runtimebuilder.spec.php_settings import PhpSettings
from runtimebuilder.spec.written import Changes, ExtendingSpec, FamilySpec, Settings, SingleSpec, VariantSpec

# By model and by the name that people write. A model has those of the models that it is made of as well.
DESCRIPTIONS: Mapping[type[BaseModel], Mapping[str, str]] = {
    FamilySpec: {
        "schema": "The version of this grammar: `1`.",
        "family": "The family's name.",
        "summary": "One line about it; texts may hold `{{ version }}` and `{{ xy }}`.",
        "template": "The folder under `templates/` with its Dockerfile.j2.",
        "versions": "A list, or a mapping to what one version does differently.",
        "variants": "The variants: every version in every variant is one runtime.",
    },
    VariantSpec: {
        "name": "The name of its runtimes; with `{{ xy }}` or `{{ version }}` in it.",
        "kind": (
            "What it behaves as: `function`, `fpm`, `console`, or `provided` for one without PHP. By default "
            "what its own name says."
        ),
        "summary": "What it is for, behind the family's own summary.",
    },
    SingleSpec: {
        "schema": "The version of this grammar: `1`.",
        "name": "The runtime's name.",
        "family": "Which family it belongs to; `php` for PHP.",
        "version": "Its version, major.minor: of PHP, or of your own.",
        "variant": "Its variant.",
        "kind": (
            "What it behaves as: `function`, `fpm`, `console`, or `provided` for one without PHP. By default "
            "the variant."
        ),
        "base": "The base that it is built on.",
        "summary": "One line about it.",
        "template": "The folder under `templates/`; by default the family's name, for the kind `provided` that.",
    },
    ExtendingSpec: {
        "schema": "The version of this grammar: `1`.",
        "name": "The runtime's name; that of a built-in one puts it in its place.",
        "extends": "The runtime whose settings it begins with: one of the project, or a built-in one.",
        "summary": "One line about it; by default the other's.",
        "template": "Another folder under `templates/`.",
    },
    Settings: {
        "base": "The base that it is built on; `runtimebuilder build --base` takes another.",
        "platforms": "Which it may be built for.",
        "bases": "By base: what is different there. It comes right after what the same part of the spec says for all.",
    },
    Changes: {
        "extensions": (
            "Extensions of PHP by name: a whole list, or changes of the one above, `[+redis, -soap]`. Which "
            "there are on which base: [php-extensions.md](php-extensions.md)."
        ),
        "ini": "Settings of PHP, `name: value`. A comment beside one, or above it, goes into the image as its reason.",
        "env": "Environment variables of the image; a function's own configuration comes before them.",
        "labels": "Labels of the image. Texts may hold `{{ version }}` and `{{ xy }}`.",
        "php": "What the PHP runtime client does, see [php.md](php.md).",
        "builds": "By extension: how one that no package has is compiled.",
        "packages": "By base: more packages of its distribution. A whole list, or changes of the one above.",
        "source": "PHP itself is compiled from this release.",
        "files": "Files and folders of the project that are copied in. A later entry for the same place wins.",
        "layers": "Lambda layers, merged into `/opt` in this order; five at most.",
        "build": "Something is built in a stage of its own, of which only the artefacts are taken.",
        "secrets": (
            "Names of secrets that the steps of `build` read at `/run/secrets/NAME`; their values come with "
            "`build --secret`."
        ),
        "bootstrap": (
            "A file of the project that becomes `/var/runtime/bootstrap`: for a runtime of the kind `provided`."
        ),
        "handler": "The function's handler: the image's CMD.",
        "tags": (
            "More tags for its images. `{{ version }}`, `{{ xy }}`, `{{ variant }}`, `{{ base }}`; `{{ php }}`, the "
            "exact version that is in the image; `{{ arch }}`, `amd64` or `arm64`; `{{ git_sha }}`; `{{ date }}`, UTC."
        ),
        "limits": "What the image may not exceed.",
        "slim": (
            "`true`: the image holds what PHP needs and no package manager, see [php.md](php.md#slim-images)."
        ),
        "verify": "How `verify NAME` judges this runtime; the command line comes before it.",
    },
    LimitSettings: {
        "size": "The largest size that the image may have, such as `250 MB`; a larger one is a failed build.",
    },
    PhpSettings: {
        "state": "`shared`, `fork` or `process`: what is kept from one event to the next.",
        "streaming": "Responses are streamed.",
        "binary": "When a response is sent as base64: `auto` or `always`.",
        "static": "A folder below the task root whose files are served.",
        "autoload": "The autoloader, below the task root.",
        "shell": "Commands go through a shell.",
        "preload": "A file that PHP preloads, below the task root.",
    },
    FileEntry: {
        "from": "A file or a folder of the project.",
        "to": "Where it goes, absolute; with `/` at its end, into that folder.",
        "mode": "Four octal digits, in quotes. By default 0755 for what may be executed, else 0644.",
    },
    LayerEntry: {
        "zip": "A zip file of the project, as Lambda takes it.",
        "image": "An image whose `/opt` is taken.",
    },
    BuildStage: {
        "packages": "By base: packages to install first.",
        "files": "Files and folders of the project that the stage gets.",
        "run": "Commands for `/bin/sh -eu`, each as one text; they see the secrets.",
        "artefacts": "What is taken out.",
    },
    Artefact: {
        "from": "A file, or a folder whose content is taken, in the stage.",
        "to": "Where it goes in the image.",
    },
    VerifySettings: {
        "level": "Only cases of these levels.",
        "strict": "A SHOULD that is not met fails the run too.",
        "memory": "The function's memory, MB.",
        "timeout": "The function's timeout, seconds, where a test of your own invokes the box (3).",
        "known-failing": "A file of the project with cases that fail and must still fail.",
        "probe": "The function that is put into the image: a probe's name, a folder with one of your own, or `none`.",
    },
    ExtensionBuild: {
        "version": "The release.",
        "sha256": "The archive's checksum.",
        "url": "Where it lies; by default at PECL.",
        "configure": "Options for `configure`.",
        "packages": "By base: packages it is compiled with.",
        "libraries": "By base: packages it needs to run.",
        "zend": "It is an extension of the engine, as xdebug is.",
    },
    PhpSource: {
        "version": "The release, such as `8.4.16`.",
        "sha256": "The archive's checksum.",
        "url": "Where it lies; by default at php.net.",
        "configure": "More options for `configure`.",
    },
}


def described(model: type[BaseModel]) -> dict[str, str]:
    """The sentences for all keys of `model`, in the order of its fields: its own first, then what it is made of."""
    found: dict[str, str] = {}
    for part in model.__mro__:
        found = {
            **found,
            **{key: text for key, text in DESCRIPTIONS.get(part, {}).items() if key not in found},
        }
    return found
