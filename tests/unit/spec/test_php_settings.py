"""The `php:` block: merged key by key, checked against the variant, rendered as the client's variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runtimebuilder.render.context import BuildContext
from runtimebuilder.render.image import render_image
from runtimebuilder.spec.bases import shipped_bases
from runtimebuilder.spec.catalog import Catalog
from runtimebuilder.spec.library import examine, spec_files
from runtimebuilder.spec.model import RuntimeSpec
from runtimebuilder.spec.php_settings import KEY_OF_VARIABLE, PhpSettings
from runtimebuilder.spec.written import json_schema

Write = Callable[..., Path]
ROOT = Path(__file__).parents[3]

NO_PATH = " is not a path below /var/task; write it relative to that, of letters, digits, _ . @ + -"

SINGLE = """\
schema: 1
name: shop
family: php
version: "8.2"
variant: {variant}
base: debian-12
php: {{ {block} }}
"""


def single(write: Write, variant: str, block: str) -> RuntimeSpec:
    return Catalog.load([write(shop=SINGLE.format(variant=variant, block=block))]).runtimes["shop"]


def mistakes(folder: Path) -> list[tuple[str, str]]:
    return [(f"{p.line}:{p.column}", p.message) for p in examine(spec_files([folder])).problems]


def environment(context: BuildContext) -> Mapping[str, str]:
    """The image's ENV, without quotes."""
    block = re.search(r"^ENV((?:.*\\\n)*.*)$", context.dockerfile, re.MULTILINE)
    assert block
    return dict(re.findall(r'(\w+)="([^"]*)"', block[1]))


def rendered(runtime: RuntimeSpec) -> BuildContext:
    return render_image(runtime, shipped_bases()[runtime.base])


def test_settings_are_merged_key_by_key(write: Write, family: str) -> None:
    text = family.replace('["8.1", "8.2"]', '{ "8.1": { php: { preload: preload.php } }, "8.2": }')
    text = text.replace('fpm" }', 'fpm", php: { streaming: off, static: public } }')
    text = text.replace("events }", "events, php: { autoload: lib/autoload.php } }")
    text = text.replace("base: al2023", "base: al2023\nphp: { streaming: on }")
    found = Catalog.load([write(php=text)]).runtimes
    assert found["php-81"].php.said() == {
        "streaming": True,
        "autoload": "lib/autoload.php",
        "preload": "preload.php",
    }
    assert found["php-82-fpm"].php.said() == {"streaming": False, "static": "public"}
    assert found["php-82"].php.said() == {"streaming": True, "autoload": "lib/autoload.php"}


@pytest.mark.parametrize(
    ("variant", "block", "expected"),
    [
        ("function", "state: fork", {"RUNTIMEBUILDER_STATE": "fork"}),
        (
            "fpm",
            "streaming: on, binary: always, static: public",
            {
                "RUNTIMEBUILDER_BINARY": "always",
                "RUNTIMEBUILDER_STATIC": "public",
                "RUNTIMEBUILDER_STREAMING": "on",
            },
        ),
        (
            "console",
            "shell: off, autoload: /var/task/app/autoload.php",
            {"RUNTIMEBUILDER_AUTOLOAD": "app/autoload.php", "RUNTIMEBUILDER_SHELL": "off"},
        ),
        ("function", "", {}),
    ],
)
def test_what_is_said_and_nothing_else_is_in_the_images_environment(
    write: Write, variant: str, block: str, expected: Mapping[str, str]
) -> None:
    found = environment(rendered(single(write, variant, block)))
    assert {name: value for name, value in found.items() if name != "PHP_INI_SCAN_DIR"} == expected


def test_the_client_reads_every_variable_under_the_name_that_the_spec_gives_it() -> None:
    page = (ROOT / "docs" / "php.md").read_text()
    assert set(KEY_OF_VARIABLE.values()) | {"preload"} == set(PhpSettings.model_fields)
    for variable, key in KEY_OF_VARIABLE.items():
        assert f"| `{key}` | `{variable}` |" in page


def test_preloading_is_phps_own_setting_and_an_ini_of_the_spec_comes_after_it(write: Write) -> None:
    context = rendered(single(write, "fpm", "preload: config/preload.php"))
    (ini,) = {file.data.decode() for file in context.files if file.path.endswith("/99-runtimebuilder.ini")}
    assert "opcache.preload = /var/task/config/preload.php\nopcache.preload_user = nobody\n" in ini
    bootstrap = next(f.data.decode() for f in context.files if f.path == "rootfs/var/runtime/bootstrap")
    assert "-d opcache.preload= /var/runtime/php/main.php fpm " in bootstrap


@pytest.mark.parametrize(
    ("variant", "block", "place", "message"),
    [
        (
            "function", "static: public", "7:16",
            "php: static is for fpm, not for function; say it under the variant that it is meant for",
        ),
        (
            "console", "streaming: on", "7:19",
            "php: streaming is for fpm and function, not for console; say it under the variant that it is meant for",
        ),
        (
            "console", "state: shared", "7:15",
            "php: state: 'shared' is not possible for console; possible is process, fork",
        ),
        ("function", "state: frok", "7:15", "php: state: 'frok' is not possible here; did you mean 'fork'?"),
        ("function", "sate: fork", "7:8", "php: unknown key 'sate'; did you mean 'state'?"),
        ("fpm", "streaming: 1", "7:19", "php: streaming: yes or no is wanted here, not a number"),
        ("fpm", "binary: no", "7:16", "php: binary: 'no' is not possible here; possible is auto, always"),
        ("fpm", 'static: "a\\nb"', "7:16", "php: static: 'a\\nb'" + NO_PATH),
        ("fpm", "static: ../etc", "7:16", "php: static: '../etc'" + NO_PATH),
        ("function", "preload: /etc/passwd", "7:17", "php: preload: '/etc/passwd'" + NO_PATH),
    ],
)  # fmt: skip
def test_a_mistake_is_found_at_its_place(
    write: Write, variant: str, block: str, place: str, message: str
) -> None:
    assert mistakes(write(shop=SINGLE.format(variant=variant, block=block))) == [(place, message)]


def test_what_a_family_says_for_all_its_variants_has_to_be_possible_for_each(
    write: Write, family: str
) -> None:
    assert mistakes(write(php=family + "php: { static: public }\n")) == [
        (
            "11:16",
            "php: static is for fpm, not for function; say it under the variant that it is meant for",
        )
    ]


def test_a_variable_of_the_client_is_said_by_its_key(write: Write, family: str) -> None:
    for variable, key in KEY_OF_VARIABLE.items():
        assert mistakes(write(php=family + f"env: {{ {variable}: x }}\n")) == [
            (
                "11:8",
                f"env: {variable}: {variable} is set by the spec's own key: write php: {{ {key}: ... }}",
            )
        ]


def test_the_schema_knows_the_block_everywhere_that_it_can_stand() -> None:
    definitions = json_schema()["$defs"]
    for model in ("FamilySpec", "SingleSpec", "VersionSpec", "VariantSpec"):
        assert definitions[model]["properties"]["php"]["$ref"] == "#/$defs/PhpSettings"
    state = definitions["PhpSettings"]["properties"]["state"]["anyOf"]
    assert {"enum": ["shared", "fork", "process"], "type": "string"} in state
    assert definitions["PhpSettings"]["additionalProperties"] is False


def test_the_comments_of_a_spec_are_the_reasons_in_the_ini_file(write: Write) -> None:
    spec = SINGLE.format(variant="fpm", block="preload: x.php").replace("php: {", "extensions: []\nphp: {")
    spec += "ini:\n  memory_limit: 1M  # small; [is]\n  precision: 5\n  # \x07 and a bell\n  user_agent: x\n"
    runtime = Catalog.load([write(shop=spec.replace("\x07", "é"))]).runtimes["shop"]
    assert runtime.ini_reasons == {"memory_limit": "small; [is]", "user_agent": "é and a bell"}
    (text,) = {
        file.data.decode() for file in rendered(runtime).files if file.path.endswith("/99-runtimebuilder.ini")
    }
    assert "\n\n; small; [is]\nmemory_limit = 1M\nopcache.preload = /var/task/x.php\n" in text
    assert "\nprecision = 5\n\n; é and a bell\nuser_agent = x\n" in text


def test_every_setting_of_the_shipped_images_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, runtime in Catalog.load().runtimes.items():
        assert set(runtime.ini) - set(runtime.ini_reasons) == set(), name
