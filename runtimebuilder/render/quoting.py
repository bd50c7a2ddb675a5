"""Filters that put data into a Dockerfile, a shell line or an ini file so that it stays data.

A spec's values are somebody's text. Each filter either writes the value in such a way that the reader of that
language gets exactly it back, or refuses with `QuotingError`; none lets it break out of its place.
"""

from __future__ import annotations

import json
import re
import shlex

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# Words, numbers, sizes, paths, constants with | & ~: what php.ini takes without quotes and means what it says.
_INI_BARE = re.compile(r"[A-Za-z0-9_./,:+%@-]+\Z")
_INI_KEYWORDS = frozenset({"false", "no", "none", "null", "off", "on", "true", "yes"})
_INI_EXPRESSION = re.compile(r"-?[A-Z0-9_]+(?: *[|&^] *[~!]?[A-Z0-9_]+)+\Z")
# host[:port]/path[:tag][@digest]; nothing that could be read as an option or a build stage.
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*(?:@sha256:[0-9a-f]{64})?\Z")
_PATH = re.compile(r"/[A-Za-z0-9_./+@%-]*\Z")


class QuotingError(ValueError):
    """A value that cannot be written in that language without changing its meaning."""


def _one_line(value: object, where: str) -> str:
    text = str(value)
    if _CONTROL.search(text):
        raise QuotingError(f"a line break or control character cannot stand in {where}: {text!r}")
    return text


def shell(value: object) -> str:
    """One word of a POSIX shell command line (also inside a Dockerfile's RUN, which is why no line break passes)."""
    return shlex.quote(_one_line(value, "a shell word"))


def dockerfile(value: object) -> str:
    """A value of ENV or LABEL, in double quotes; `$` is escaped so that no build-time variable is read into it."""
    text = _one_line(value, "a Dockerfile value")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


def json_text(value: object) -> str:
    """A text in the JSON form of RUN and CMD: no shell and no builder reads anything into it."""
    return json.dumps(str(value), ensure_ascii=False)


def ini(value: object) -> str:
    """A value of a PHP ini file: bare where that is safe, raw in single quotes else, double quotes as the last way.

    php.ini knows no escape inside single quotes, and reads `${NAME}` and backslashes inside double quotes.
    """
    text = _one_line(value, "an ini value")
    if text == "":
        return '""'
    if text.lower() in _INI_KEYWORDS:  # bare, php.ini would read "1" or nothing
        return f"'{text}'"
    if _INI_BARE.match(text) or _INI_EXPRESSION.match(text):
        return text
    if "'" not in text:
        return f"'{text}'"
    if "$" not in text and "\\" not in text and '"' not in text:
        return f'"{text}"'
    raise QuotingError(f'php.ini has no way to write {text!r}: it holds a single quote and one of $ \\ "')


def path(value: object) -> str:
    """An absolute path in the image, of plain characters and without `..` (for COPY and WORKDIR)."""
    text = str(value)
    if not _PATH.match(text) or ".." in text.split("/"):
        raise QuotingError(f"not a plain absolute path: {text!r}")
    return text


def comment(value: object) -> str:
    """Text for one comment line: line breaks and control characters become spaces, nothing can follow the comment.

    A trailing backslash would continue the line in a Dockerfile, so it is taken off.
    """
    return _CONTROL.sub(" ", str(value)).rstrip().rstrip("\\")


def image(value: object) -> str:
    """An image reference as it stands behind FROM."""
    text = str(value)
    if not _IMAGE.match(text):
        raise QuotingError(f"not an image reference: {text!r}")
    return text
