"""The small types that specs are made of: versions, names, ini and environment values.

A validator that wants to point at items of a list raises `at(index, message)` or `not_texts(indexes)`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

from runtimebuilder.spec.php_settings import KEY_OF_VARIABLE

Items = TypeVar("Items", bound=Collection[Any])
Platform = Literal["linux/amd64", "linux/arm64"]

_VERSION = re.compile(r"(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\Z")
_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*\Z")  # also a legal image tag and path component
_EXTENSION = re.compile(r"[a-z][a-z0-9_-]*\Z")
_INI_KEY = re.compile(r"[A-Za-z0-9_.]+\Z")
_ENV_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_LABEL_KEY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_:~=-]*\Z")  # never an option of the package manager
_RELEASE = re.compile(r"[0-9][0-9A-Za-z.]*\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?/[!#$%&()*+,./0-9:;=?@A-Z\[\]_a-z~-]*\Z")
_OPTION = re.compile(r"--[A-Za-z0-9][A-Za-z0-9_-]*(?:=.*)?\Z")
_PROJECT_PATH = re.compile(r"(?!/)[^\x00-\x1f\x7f\\]+\Z")
_MODE = re.compile(r"0[0-7]{3}\Z")
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9_./+@%-]*\Z")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*(?:@sha256:[0-9a-f]{64})?\Z")
_OWN_LABELS = "dev.runtimebuilder."
# In every base these are links into /usr or /run: what is copied onto one would take its place.
_LINKS = {
    "bin": "usr/bin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "sbin": "usr/sbin",
    "var/lock": "run/lock",
    "var/run": "run",
}


class SpecModel(BaseModel):
    """What all models share: values do not change, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def at(where: str | int, message: str) -> PydanticCustomError:
    """An error about the item `where` of the list or mapping being validated."""
    return PydanticCustomError("at", "{text}", {"text": message, "where": where})


def not_texts(indexes: list[int]) -> PydanticCustomError:
    """An error about the items at `indexes` of the list being validated: each should be a text."""
    return PydanticCustomError("not_texts", "{indexes}", {"indexes": indexes})


def version_key(version: str) -> tuple[int, ...]:
    """ "8.10" sorts behind "8.9"."""
    return tuple(int(part) for part in version.split("."))


def _version(text: str) -> str:
    if not _VERSION.match(text):
        raise ValueError(f'{text!r} is not a version; write major.minor, such as "8.2"')
    return text


def _name(text: str) -> str:
    if not _NAME.match(text):
        raise ValueError(f"{text!r} is not a name; use a-z and 0-9, with single . _ or - between")
    return text


def _extension(text: str) -> str:
    if not _EXTENSION.match(text):
        raise ValueError(
            f"{text!r} is not an extension's name; use a-z, 0-9, _ and -, and begin with a letter"
        )
    return text


def _change(text: str) -> str:
    _extension(text[1:] if text[:1] in "+-" else text)
    return text


def _one_line(text: str) -> str:
    if found := _CONTROL.search(text):
        what = "a line break" if found[0] in "\n\r" else f"the control character {found[0]!r}"
        raise ValueError(f"{what} cannot stand here")
    return text


def _ini_key(text: str) -> str:
    if not _INI_KEY.match(text):
        raise ValueError(f"{text!r} is not the name of an ini setting; use letters, digits, _ and .")
    return text


def _ini_value(value: object) -> object:
    """PHP writes booleans as 1 and 0; a whole number is its own text."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value) if isinstance(value, int) else value


def _ini_text(text: str) -> str:
    """What php.ini can say at all: it has no escape in single quotes, and reads $ and backslashes in double ones."""
    _one_line(text)
    if "'" in text and re.search(r'[$"\\]', text):
        raise ValueError('php.ini has no way to write a text with a single quote and one of $ \\ "')
    return text


def _env_key(text: str) -> str:
    if not _ENV_KEY.match(text):
        raise ValueError(f"{text!r} is not the name of an environment variable; use letters, digits and _")
    if key := KEY_OF_VARIABLE.get(text):
        raise ValueError(f"{text} is set by the spec's own key: write php: {{ {key}: ... }}")
    return text


def _number_text(value: object) -> object:
    """Whole numbers are their own text; booleans are not, because nobody can say which text is meant."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _label_key(text: str) -> str:
    if not _LABEL_KEY.match(text):
        raise ValueError(f"{text!r} is not a label's name; use letters, digits, and . _ / - between")
    if text.startswith(_OWN_LABELS):
        raise ValueError(f"labels under {_OWN_LABELS} are set by the tool itself")
    return text


def _package_change(text: str) -> str:
    if not _PACKAGE.match(text[1:] if text[:1] in "+-" else text):
        raise ValueError(f"{text!r} is not the name of a package")
    return text


def _project_path(text: str) -> str:
    """A path in the project, as Docker's build context has them: with `/`, and never out of it."""
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if not _PROJECT_PATH.match(text) or ".." in parts or not parts:
        raise ValueError(
            f"{text!r} is not a path in the project; write it relative to the folder above the spec's, without .."
        )
    return "/".join(parts)


def _image_path(text: str) -> str:
    _absolute(text)
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if not parts:
        raise ValueError("'/' is not a place for a file; name the file, or a folder with / behind it")
    for link, real in _LINKS.items():
        if "/".join(parts[: link.count("/") + 1]) == link:
            raise ValueError(f"/{link} is a link in every base; write /{real}{text[len(link) + 1 :]}")
    return "/" + "/".join(parts) + ("/" if text.endswith("/") else "")


def _plain_path(text: str) -> str:
    """A path that stands in a COPY, where `*`, `?`, `[`, `$` and spaces would mean something else."""
    _image_path(text)
    if not _PLAIN_PATH.match(text):
        raise ValueError(f"{text!r} has more than letters, digits and _ . / + @ % - in it")
    return text


def _mode(value: object) -> object:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and not _MODE.match(text):
        raise ValueError(f'{text!r} is not a mode; write four octal digits, such as "0644" or "0755"')
    return text


def _image(text: str) -> str:
    if not _IMAGE.match(text):
        raise ValueError(f"{text!r} is not the name of an image")
    return text


_SIZE = re.compile(r"([1-9][0-9]*) *(kB|KB|MB|GB)\Z")
_UNITS = {"kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def _size(value: object) -> object:
    """`250 MB` as bytes; decimal, as Docker shows sizes."""
    match = _SIZE.match(value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"{str(value)!r} is not a size; write it as 250 MB")
    return int(match[1]) * _UNITS[match[2]]


def _script(text: str) -> str:
    if "\0" in text or not text.strip():
        raise ValueError("a step is a shell command")
    return text


def _secret(text: str) -> str:
    if not _ENV_KEY.match(text):
        raise ValueError(f"{text!r} is not the name of a secret; use letters, digits and _")
    return text


def _handler(text: str) -> str:
    if not text or re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError("a handler is a text without spaces, such as index.php or src/handler.main")
    return text


def _package(text: str) -> str:
    if not _PACKAGE.match(text):
        raise ValueError(f"{text!r} is not the name of a package")
    return text


def _release(text: str) -> str:
    if not _RELEASE.match(text):
        raise ValueError(f'{text!r} is not a release; write it as its archive does, such as "1.2.5"')
    return text


def _sha256(text: str) -> str:
    if not _SHA256.match(text):
        raise ValueError(
            f"{text!r} is not a SHA-256 checksum: 64 digits of 0-9 and a-f, as sha256sum prints it"
        )
    return text


def _url(text: str) -> str:
    if not _URL.match(text):
        raise ValueError(
            f"{text!r} is not the address of a file: https://HOST/PATH, without a user or a password"
        )
    return text


def _option(text: str) -> str:
    if not _OPTION.match(text):
        raise ValueError(f"{text!r} is not an option of configure; write --enable-x or --with-x=VALUE")
    return _one_line(text)


def _sorted(mapping: Mapping[str, str]) -> Mapping[str, str]:
    return dict(sorted(mapping.items()))


def _absolute(text: str) -> str:
    if not text.startswith("/") or ".." in text.split("/"):
        raise ValueError(f"{text!r} is not an absolute path without ..")
    return _one_line(text)


Version = Annotated[
    str, AfterValidator(_version), WithJsonSchema({"type": "string", "pattern": "^[0-9]+\\.[0-9]+$"})
]
Name = Annotated[str, AfterValidator(_name)]
Line = Annotated[str, AfterValidator(_one_line)]
Extension = Annotated[str, AfterValidator(_extension)]
ExtensionChange = Annotated[str, AfterValidator(_change)]
Package = Annotated[str, AfterValidator(_package)]
PackageChange = Annotated[str, AfterValidator(_package_change)]
ProjectPath = Annotated[str, AfterValidator(_project_path)]
ImagePath = Annotated[str, AfterValidator(_image_path)]
PlainPath = Annotated[str, AfterValidator(_plain_path)]
Mode = Annotated[str, BeforeValidator(_mode), WithJsonSchema({"type": "string", "pattern": "^0[0-7]{3}$"})]
ImageName = Annotated[str, AfterValidator(_image)]
Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"type": ["string", "integer"], "pattern": "^[1-9][0-9]* *(kB|KB|MB|GB)$"}),
]
SecretName = Annotated[str, AfterValidator(_secret)]
Handler = Annotated[str, AfterValidator(_handler)]
Script = Annotated[str, AfterValidator(_script)]
Release = Annotated[str, AfterValidator(_release)]
Sha256 = Annotated[str, AfterValidator(_sha256)]
Url = Annotated[str, AfterValidator(_url)]
ConfigureOption = Annotated[str, AfterValidator(_option)]
AbsolutePath = Annotated[str, AfterValidator(_absolute)]

_scalar_schema = WithJsonSchema({"type": ["string", "integer", "boolean"]})
_text_schema = WithJsonSchema({"type": ["string", "integer"]})
IniKey = Annotated[str, AfterValidator(_ini_key)]
IniValue = Annotated[str, BeforeValidator(_ini_value), AfterValidator(_ini_text), _scalar_schema]
EnvKey = Annotated[str, AfterValidator(_env_key)]
LabelKey = Annotated[str, AfterValidator(_label_key)]
TextValue = Annotated[str, BeforeValidator(_number_text), AfterValidator(_one_line), _text_schema]

Ini = Annotated[Mapping[IniKey, IniValue], AfterValidator(_sorted)]
Env = Annotated[Mapping[EnvKey, TextValue], AfterValidator(_sorted)]
Labels = Annotated[Mapping[LabelKey, TextValue], AfterValidator(_sorted)]


def not_empty(items: Items) -> Items:
    """At least one item. pydantic's own limit counts wrong items as missing ones, and says so besides."""
    if not items:
        raise PydanticCustomError("too_short", "{least}", {"least": "at least one is wanted here"})
    return items


def unique(items: tuple[str, ...]) -> tuple[str, ...]:
    """The items as they are; an item that stands there twice is an error at its second place."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        word = item.lstrip("+-")
        if word in seen:
            raise at(index, f"{word!r} stands here twice")
        seen.add(word)
    return items


def one_kind_of_change(items: tuple[str, ...]) -> tuple[str, ...]:
    """Either a whole list (`[curl, zip]`) or changes (`[+redis, -soap]`), not both."""
    signed = [item[:1] in "+-" for item in items]
    for index, has_sign in enumerate(signed):
        if has_sign != signed[0]:
            raise at(
                index,
                "either every item has + or - (a change to the list above), or none has (a new list)",
            )
    return unique(items)
